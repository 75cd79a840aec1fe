// Which objects below uploads/ has a run no more use for, and how are they taken away?
import type { Bucket } from '../runtime/bucket.ts';
import { isTaskError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { ownUpload } from './own-upload.ts';
import type { CreativeRequest } from './request.ts';

/** Keys of the upload and of the files beside it. @throws InvalidInput when one is another tenant's. */
export function leftoversOf(tenant: string, { source, sidecars }: CreativeRequest): string[] {
  const keys = [
    { path: 'request.source.key', key: source.kind === 'upload' ? source.key : undefined },
    { path: 'request.sidecars.captionsKey', key: sidecars.captionsKey },
    { path: 'request.sidecars.labelsKey', key: sidecars.labelsKey },
  ];
  return keys.flatMap(({ path, key }) => (key === undefined ? [] : [ownUpload(tenant, key, path)]));
}

/**
 * Of a run that is closed: a bucket that fails now must not make it fail, or undo what it launched. What stays is named in the
 * log.
 */
export async function clearAway(
  media: Pick<Bucket, 'delete'>,
  keys: readonly string[],
  log: Log,
): Promise<void> {
  for (const key of keys) {
    try {
      await media.delete(key);
    } catch (error) {
      if (!isTaskError(error)) throw error;
      log.warn('an upload is left over', { key, error: error.name, reason: error.message });
    }
  }
}
