// Does a body match the checksums sent with it?
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../types.ts';

export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Base64 by algorithm. */
export type Checksums = Partial<Record<ChecksumAlgorithm, string>>;

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

function crc32c(data: Uint8Array, before: number): number {
  let value = ~before >>> 0;
  for (const byte of data) value = (CASTAGNOLI[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return ~value >>> 0;
}

export interface RunningDigest {
  update(data: Uint8Array): void;
  /** Once, at the end. */
  digest(): Buffer;
}

function running(next: (data: Uint8Array, before: number) => number): RunningDigest {
  let value = 0;
  return {
    update: (data) => void (value = next(data, value)),
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

export function startDigest(algorithm: ChecksumAlgorithm | 'MD5'): RunningDigest {
  if (algorithm === 'CRC32') return running((data, before) => crc32(data, before));
  if (algorithm === 'CRC32C') return running(crc32c);
  const hash = createHash(algorithm.toLowerCase());
  return { update: (data) => void hash.update(data), digest: () => hash.digest() };
}

export function digestOf(algorithm: ChecksumAlgorithm | 'MD5', data: Uint8Array): Buffer {
  const digest = startDigest(algorithm);
  digest.update(data);
  return digest.digest();
}

/** @throws AwsError InvalidRequest for an algorithm we do not compute */
export function checksumAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined || name === '') return undefined;
  const found = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (found === undefined) {
    throw new AwsError('InvalidRequest', `The embedded S3 does not compute the checksum algorithm ${name}.`);
  }
  return found;
}

/** The checksum members of a request or response: `ChecksumCRC32` and so on. */
export function checksumsOf(input: Record<string, unknown>): Checksums {
  const found: Checksums = {};
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = input[`Checksum${algorithm}`];
    if (typeof value === 'string') found[algorithm] = value;
  }
  return found;
}

export function checksumMembers(checksums: Checksums): Record<string, string> {
  return Object.fromEntries(
    Object.entries(checksums).map(([algorithm, value]) => [`Checksum${algorithm}`, value]),
  );
}

/** @throws AwsError BadDigest */
export function refuseMismatch(expected: Checksums, computed: Checksums): void {
  for (const [algorithm, value] of Object.entries(expected)) {
    if (computed[algorithm as ChecksumAlgorithm] === value) continue;
    throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}
