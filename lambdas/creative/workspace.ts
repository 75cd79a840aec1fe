// Where does a function put a video while it works on it?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidInput } from '../runtime/errors.ts';
import type { Bucket } from '../runtime/bucket.ts';

/** A directory of its own that is gone afterwards, whatever happens. */
export async function withWorkspace<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'impresario-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The source video as a local file. @throws InvalidInput when it is no longer in the bucket. */
export function withSource<T>(
  bucket: Bucket,
  key: string,
  work: (local: { path: string; directory: string }) => Promise<T>,
): Promise<T> {
  return withWorkspace(async (directory) => {
    const path = join(directory, 'source');
    if (!(await bucket.download(key, path))) {
      throw new InvalidInput(`The source video ${key} is no longer in the media bucket; upload it again.`, {
        path: 'video.key',
      });
    }
    return work({ path, directory });
  });
}
