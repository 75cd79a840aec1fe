// How does a body become a file whose digests are known?
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AwsError } from '../types.ts';
import { CHECKSUM_ALGORITHMS, startDigest, type ChecksumAlgorithm, type Checksums } from './checksums.ts';

export type BodyInput = Readable | Uint8Array | string | undefined;

export interface StoredBody {
  path: string;
  bytes: number;
  md5: Buffer;
  checksums: Checksums;
}

/** One PUT carries at most 5 GiB (S3 quotas). */
const MAX_BYTES = 5 * 1024 ** 3;

async function* chunksOf(body: BodyInput): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else for await (const chunk of body) yield chunk as Uint8Array;
}

export async function* filesInOrder(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
}

/**
 * Streams a body into a new file; the file is removed when the body breaks off or `judge` refuses it.
 * @param algorithms checksums to compute beside MD5
 */
export async function storeBody(
  path: string,
  body: BodyInput | AsyncGenerator<Uint8Array>,
  algorithms: readonly ChecksumAlgorithm[],
  judge: (stored: StoredBody) => void = () => undefined,
): Promise<StoredBody> {
  const wanted = CHECKSUM_ALGORITHMS.filter((algorithm) => algorithms.includes(algorithm));
  const md5 = startDigest('MD5');
  const digests = wanted.map((algorithm) => ({ algorithm, digest: startDigest(algorithm) }));
  const file = await open(path, 'wx');
  let bytes = 0;
  try {
    const chunks = typeof body === 'object' && 'next' in body ? body : chunksOf(body);
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) {
        throw new AwsError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.');
      }
      md5.update(chunk);
      for (const { digest } of digests) digest.update(chunk);
      await file.writeFile(chunk);
    }
    const checksums: Checksums = {};
    for (const { algorithm, digest } of digests) checksums[algorithm] = digest.digest().toString('base64');
    const stored = { path, bytes, md5: md5.digest(), checksums };
    judge(stored);
    return stored;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
