// Which bytes of a file does a Range header ask for (RFC 9110 §14, one range)?
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { FileRange, type SandboxReply } from './vendor.ts';

/** `undefined` when the header is absent or not understood, `null` when it cannot be satisfied. End is exclusive. */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | null | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const suffix = Number(match[2]);
    return suffix === 0 ? null : { start: Math.max(0, sizeBytes - suffix), end: sizeBytes };
  }
  const start = Number(match[1]);
  const end = match[2] === '' ? sizeBytes : Math.min(sizeBytes, Number(match[2]) + 1);
  return start >= sizeBytes || end <= start ? null : { start, end };
}

export interface ServedFile {
  name: string;
  path: string;
  sizeBytes: number;
  mimeType: string;
  sha256: string;
  md5: string;
}

/** 200 with everything, 206 with a range, or 416. */
export function serveFile(file: ServedFile, rangeHeader: string | undefined): SandboxReply {
  const range = parseRange(rangeHeader, file.sizeBytes);
  const headers = { 'content-type': file.mimeType, 'accept-ranges': 'bytes', etag: `"${file.sha256}"` };
  if (range === null) {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${file.sizeBytes}` }, body: '' };
  }
  if (range === undefined) {
    return { status: 200, headers, body: new FileRange(file.path, 0, file.sizeBytes) };
  }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${range.start}-${range.end - 1}/${file.sizeBytes}` },
    body: new FileRange(file.path, range.start, range.end),
  };
}

/** Reads the file once for its size and checksums. */
export async function describeFile(path: string, name: string, mimeType: string): Promise<ServedFile> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    md5.update(chunk);
    sizeBytes += chunk.length;
  }
  return { name, path, sizeBytes, mimeType, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}
