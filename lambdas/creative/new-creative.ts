// What does a person ask for with a new creative, and what do they get at once?
import * as z from 'zod';
import type { Bucket } from '../runtime/bucket.ts';
import type { Clock } from '../runtime/clock.ts';
import { InvalidInput } from '../runtime/errors.ts';
import { RUN_STATUSES, type Run } from '../runtime/runs.ts';
import { MAX_SOURCE_BYTES } from './fetch-source.ts';
import { parseLabelsSidecar } from './media/labels.ts';
import { parseWebVtt } from './media/transcript.ts';
import { uploadsOf } from './own-upload.ts';
import { CreativeRequest, CreativeSource, UploadTerms } from './request.ts';

/** An upload's address is good for this long. */
export const UPLOAD_WINDOW_MS = 3_600_000;
/** Of a sidecar file; both fit into one request of the gateway. */
const MAX_SIDECAR_CHARACTERS = 1_000_000;

const [, UrlSource, DriveSource, KnownSource] = CreativeSource.options;

export const NewCreative = z.object({
  source: z.discriminatedUnion('kind', [
    UploadTerms.extend({
      kind: z.literal('upload'),
      sizeBytes: UploadTerms.shape.sizeBytes.max(MAX_SOURCE_BYTES, 'is more than the 2 GiB we take'),
    }),
    UrlSource,
    DriveSource,
    KnownSource,
  ]),
  brief: CreativeRequest.shape.brief,
  adAccountId: CreativeRequest.shape.adAccountId,
  purpose: CreativeRequest.shape.purpose,
  /** What the user knows of the video: WebVTT captions, and labels as JSON, both as text. */
  sidecars: z
    .object({
      captions: z.string().max(MAX_SIDECAR_CHARACTERS).optional(),
      labels: z.string().max(MAX_SIDECAR_CHARACTERS).optional(),
    })
    .default({}),
});
export type NewCreative = z.infer<typeof NewCreative>;

export const Upload = z.object({
  /** PUT the bytes here. */
  url: z.string(),
  /** To be sent exactly so; S3 refuses any other length, type or checksum. */
  headers: z.record(z.string(), z.string()),
  expiresAt: z.string(),
});

export const Accepted = z.object({
  /** Also the name of the execution. */
  runId: z.string(),
  status: z.enum(RUN_STATUSES),
  upload: Upload.optional(),
});

/** The execution's request. Keys carry the tenant of the token. @throws InvalidInput for a sidecar nobody can read. */
export function requestOf(tenant: string, runId: string, asked: NewCreative): CreativeRequest {
  const { source, sidecars, ...rest } = asked;
  const paths = sidecarKeys(tenant, runId);
  const checked = (path: string, text: string | undefined, parse: (text: string) => unknown): boolean => {
    if (text === undefined) return false;
    try {
      parse(text);
      return true;
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      throw new InvalidInput(error.message, { path, cause: error });
    }
  };
  return {
    ...rest,
    source:
      source.kind === 'upload'
        ? { kind: 'upload', key: uploadKey(tenant, runId), announced: UploadTerms.parse(source) }
        : source,
    sidecars: {
      ...(checked('sidecars.captions', sidecars.captions, parseWebVtt)
        ? { captionsKey: paths.captions }
        : {}),
      ...(checked('sidecars.labels', sidecars.labels, parseLabelsSidecar) ? { labelsKey: paths.labels } : {}),
    },
  };
}

/** Stored before the run starts, which reads them. */
export async function storeSidecars(
  media: Pick<Bucket, 'put'>,
  tenant: string,
  runId: string,
  { captions, labels }: NewCreative['sidecars'],
): Promise<void> {
  const keys = sidecarKeys(tenant, runId);
  if (captions !== undefined) await media.put(keys.captions, captions, { contentType: 'text/vtt' });
  if (labels !== undefined) await media.put(keys.labels, labels, { contentType: 'application/json' });
}

/** Where the video goes; undefined when the run does not wait for one (any more). */
export async function uploadFor(
  run: Pick<Run, 'tenant' | 'runId' | 'status' | 'startedAt'>,
  source: CreativeSource,
  media: Pick<Bucket, 'presignPut'>,
  clock: Clock,
): Promise<z.infer<typeof Upload> | undefined> {
  if (run.status !== 'awaiting-upload' || source.kind !== 'upload' || source.announced === undefined)
    return undefined;
  const expiresAtMs = Date.parse(run.startedAt) + UPLOAD_WINDOW_MS;
  const expiresSeconds = Math.floor((expiresAtMs - clock.now()) / 1000);
  if (expiresSeconds <= 0) return undefined;
  const signed = await media.presignPut(source.key, { ...source.announced, expiresSeconds });
  return { ...signed, expiresAt: new Date(expiresAtMs).toISOString() };
}

function uploadKey(tenant: string, runId: string): string {
  return `${uploadsOf(tenant)}${runId}`;
}

/** Not called `run-…`: their arrival starts nothing. */
function sidecarKeys(tenant: string, runId: string): { captions: string; labels: string } {
  return {
    captions: `${uploadsOf(tenant)}sidecar-${runId}.vtt`,
    labels: `${uploadsOf(tenant)}sidecar-${runId}.json`,
  };
}
