// How do parts become one object?
import { randomUUID } from 'node:crypto';
import { AwsError, type Json } from '../types.ts';
import { filesInOrder, storeBody, type StoredBody } from './body.ts';
import { checkedKey, type Buckets } from './buckets.ts';
import { checksumAlgorithm, digestOf, type ChecksumAlgorithm, type Checksums } from './checksums.ts';

export interface Upload {
  bucket: string;
  key: string;
  /** The CreateMultipartUpload request: headers and metadata of the object to be. */
  input: Json;
  initiatedAtMs: number;
  algorithm: ChecksumAlgorithm | undefined;
  fullObject: boolean;
  parts: Map<number, StoredBody & { modifiedAtMs: number }>;
}

export interface Assembled extends StoredBody {
  etag: string;
  checksumType: 'FULL_OBJECT' | 'COMPOSITE';
}

export interface Multipart {
  create(input: Json, nowMs: number): Json;
  upload(input: Json): Upload;
  keep(upload: Upload, partNumber: number, stored: StoredBody, nowMs: number): void;
  assemble(input: Json): Promise<Assembled>;
  forget(uploadId: string): void;
  list(input: Json): Json;
  unfinished(bucket: string): { uploadId: string; key: string; initiatedAtMs: number }[];
}

/** Every part but the last has at least 5 MiB (S3 quotas). */
const MIN_PART_BYTES = 5 * 1024 * 1024;

export const partEtag = (stored: StoredBody): string => `"${stored.md5.toString('hex')}"`;

export function createMultipart(buckets: Buckets): Multipart {
  const uploads = new Map<string, Upload>();

  const uploadOf = (input: Json): Upload => {
    const upload = uploads.get(String(input.UploadId));
    if (upload === undefined || upload.bucket !== input.Bucket || upload.key !== input.Key) {
      throw new AwsError(
        'NoSuchUpload',
        'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
        404,
      );
    }
    return upload;
  };

  const chosen = (upload: Upload, wanted: unknown): { number: number; stored: StoredBody }[] => {
    const list = (Array.isArray(wanted) ? wanted : []) as { PartNumber: number; ETag: string }[];
    if (list.length === 0) throw new AwsError('MalformedXML', 'The list of parts is empty.');
    if (list.some(({ PartNumber }, at) => PartNumber <= (list[at - 1]?.PartNumber ?? 0))) {
      throw new AwsError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    return list.map(({ PartNumber, ETag }, at) => {
      const stored = upload.parts.get(PartNumber);
      if (stored === undefined || partEtag(stored).replaceAll('"', '') !== ETag.replaceAll('"', '')) {
        throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.');
      }
      if (at < list.length - 1 && stored.bytes < MIN_PART_BYTES) {
        throw new AwsError(
          'EntityTooSmall',
          'Your proposed upload is smaller than the minimum allowed object size.',
        );
      }
      return { number: PartNumber, stored };
    });
  };

  return {
    create(input, nowMs) {
      buckets.named(input.Bucket);
      const key = checkedKey(input.Key);
      const algorithm = checksumAlgorithm(input.ChecksumAlgorithm);
      const UploadId = randomUUID().replaceAll('-', '');
      const fullObject = input.ChecksumType === 'FULL_OBJECT';
      uploads.set(UploadId, {
        bucket: input.Bucket,
        key,
        input,
        initiatedAtMs: nowMs,
        algorithm,
        fullObject,
        parts: new Map(),
      });
      return {
        Bucket: input.Bucket,
        Key: key,
        UploadId,
        ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm }),
      };
    },
    upload: uploadOf,
    keep(upload, partNumber, stored, nowMs) {
      const before = upload.parts.get(partNumber);
      if (before !== undefined) buckets.discard(before.path);
      upload.parts.set(partNumber, { ...stored, modifiedAtMs: nowMs });
    },
    async assemble(input) {
      const upload = uploadOf(input);
      const parts = chosen(upload, input.MultipartUpload?.Parts);
      const { algorithm } = upload;
      const stored = await storeBody(
        buckets.newPath(upload.key),
        filesInOrder(parts.map((part) => part.stored.path)),
        algorithm !== undefined && upload.fullObject ? [algorithm] : [],
      );
      const etag = `"${digestOf('MD5', Buffer.concat(parts.map((part) => part.stored.md5))).toString('hex')}-${parts.length}"`;
      const ofParts = parts.map((part) =>
        algorithm === undefined ? undefined : part.stored.checksums[algorithm],
      );
      let checksums: Checksums = stored.checksums;
      if (algorithm !== undefined && !upload.fullObject && ofParts.every((value) => value !== undefined)) {
        const joined = Buffer.concat(ofParts.map((value) => Buffer.from(value, 'base64')));
        checksums = { [algorithm]: `${digestOf(algorithm, joined).toString('base64')}-${parts.length}` };
      }
      return { ...stored, checksums, etag, checksumType: upload.fullObject ? 'FULL_OBJECT' : 'COMPOSITE' };
    },
    forget(uploadId) {
      for (const { path } of uploads.get(uploadId)?.parts.values() ?? []) buckets.discard(path);
      uploads.delete(uploadId);
    },
    list(input) {
      const upload = uploadOf(input);
      const Parts = [...upload.parts]
        .toSorted(([a], [b]) => a - b)
        .map(([PartNumber, part]) => ({
          PartNumber,
          ETag: partEtag(part),
          Size: part.bytes,
          LastModified: part.modifiedAtMs / 1000,
        }));
      return { Bucket: upload.bucket, Key: upload.key, UploadId: input.UploadId, IsTruncated: false, Parts };
    },
    unfinished: (bucket) =>
      [...uploads]
        .filter(([, upload]) => upload.bucket === bucket)
        .map(([uploadId, { key, initiatedAtMs }]) => ({ uploadId, key, initiatedAtMs })),
  };
}
