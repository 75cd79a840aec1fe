// How do the bytes of a video get here, from wherever they are, whole and once?
import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { InvalidInput, RateLimited, Refused, Unavailable } from '../runtime/errors.ts';
import type { Drive } from '../ports/drive/drive.ts';
import type { Outbound, OutboundAnswer } from '../runtime/outbound.ts';

/** Of one source file; a stage may lower it through the probe's own limit. */
export const MAX_SOURCE_BYTES = 2 * 1024 ** 3;
/** Times a broken transfer goes on where it stopped before the step fails and is retried as a whole. */
const MAX_RESUMES = 5;

export interface Fetched {
  /** Hex. */
  sha256: string;
  sizeBytes: number;
}

export type Progress = (bytesDone: number, bytesTotal: number | null) => void;

/** A source that can be read from any byte on. `total` is null when nobody says how long it is. */
interface Ranged {
  total: number | null;
  /** May answer from byte 0 although asked for more; then says so. */
  read(start: number): Promise<{ from: number; chunks: AsyncIterable<Uint8Array> }>;
}

/** @throws InvalidInput (not fetchable, too large), Refused, RateLimited, Unavailable. */
export async function fetchUrl(
  outbound: Outbound,
  url: string,
  path: string,
  progress: Progress,
): Promise<Fetched> {
  const head = await outbound.open(url, { method: 'HEAD' });
  head.body.destroy();
  const total = head.status < 400 ? length(head.headers) : null;
  return fetchRanged(
    {
      total,
      async read(start) {
        const answer = await outbound.open(url, start > 0 ? { headers: { range: `bytes=${start}-` } } : {});
        if (answer.status >= 400) {
          answer.body.destroy();
          throw statusError(answer.status, url);
        }
        return { from: firstByte(answer, start), chunks: answer.body as AsyncIterable<Uint8Array> };
      },
    },
    path,
    progress,
  );
}

/** @throws InvalidInput when Drive's checksum is not that of the bytes that arrived, or it has no bytes. */
export async function fetchDriveFile(
  drive: Drive,
  fileId: string,
  path: string,
  progress: Progress,
): Promise<Fetched> {
  const file = await drive.file(fileId);
  if (file.sizeBytes === null)
    throw new InvalidInput(`“${file.name}” is a ${file.mimeType} document, not a video file.`, {
      path: 'request.source.fileId',
    });
  const fetched = await fetchRanged(
    {
      total: file.sizeBytes,
      read: async (start) => ({ from: start, chunks: await drive.download(fileId, start) }),
    },
    path,
    progress,
  );
  if (file.sha256 !== null && file.sha256 !== fetched.sha256) {
    throw new Unavailable(
      `“${file.name}” arrived with another checksum than Drive says; it will be fetched again.`,
    );
  }
  return fetched;
}

async function fetchRanged(source: Ranged, path: string, progress: Progress): Promise<Fetched> {
  const file = await open(path, 'w');
  try {
    const state = { done: 0, hash: createHash('sha256') };
    for (let resumes = 0; ; resumes++) {
      try {
        await transfer(source, file, state, progress);
        if (source.total === null || state.done >= source.total) break;
        throw new Unavailable(`The transfer broke off after ${state.done} of ${source.total} bytes.`);
      } catch (error) {
        if (!(error instanceof Unavailable) || resumes >= MAX_RESUMES) throw error;
      }
    }
    if (source.total !== null && state.done !== source.total) {
      throw new Unavailable(`The source sent ${state.done} bytes where ${source.total} were announced.`);
    }
    return { sha256: state.hash.digest('hex'), sizeBytes: state.done };
  } finally {
    await file.close();
  }
}

async function transfer(
  source: Ranged,
  file: FileHandle,
  state: { done: number; hash: Hash },
  progress: Progress,
): Promise<void> {
  if (source.total !== null && source.total > MAX_SOURCE_BYTES) throw tooLarge();
  const { from, chunks } = await source.read(state.done);
  if (from !== state.done) {
    // The server knows no ranges: from the start again.
    state.done = 0;
    state.hash = createHash('sha256');
    await file.truncate(0);
  }
  try {
    for await (const chunk of chunks) {
      await file.write(chunk, 0, chunk.length, state.done);
      state.hash.update(chunk);
      state.done += chunk.length;
      if (state.done > MAX_SOURCE_BYTES) throw tooLarge();
      progress(state.done, source.total);
    }
  } catch (error) {
    if (error instanceof InvalidInput || error instanceof Unavailable) throw error;
    throw new Unavailable(`The transfer broke off after ${state.done} bytes.`, { cause: error });
  }
}

function tooLarge(): InvalidInput {
  return new InvalidInput(`The file is larger than ${MAX_SOURCE_BYTES / 1024 ** 3} GiB, the most we take.`);
}

/** Where the answer begins. @throws Unavailable when it is another part than the one asked for. */
function firstByte({ status, headers, body }: OutboundAnswer, wanted: number): number {
  if (status !== 206) return 0;
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) === wanted) return wanted;
  body.destroy();
  throw new Unavailable(`The server answered with another part than bytes from ${wanted}.`);
}

function length(headers: IncomingHttpHeaders): number | null {
  const value = Number(headers['content-length']);
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}

function statusError(status: number, url: string): Error {
  const { host } = new URL(url);
  if (status === 429) return new RateLimited(`${host} asks us to come back later (429).`);
  if (status >= 500) return new Unavailable(`${host} answered ${status}.`);
  return new Refused(`${host} answered ${status}: the video cannot be fetched from there.`);
}
