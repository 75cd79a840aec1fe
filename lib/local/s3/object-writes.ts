// How does an object come to be: put, copied, or assembled from parts?
import { createReadStream, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { AwsError, type CloudClock, type Json } from '../types.ts';
import { copySource } from './authorization.ts';
import { storeBody, type StoredBody } from './body.ts';
import { checkedKey, type Buckets, type StoredObject } from './buckets.ts';
import {
  checksumAlgorithm,
  checksumMembers,
  checksumsOf,
  refuseMismatch,
  type ChecksumAlgorithm,
  type Checksums,
} from './checksums.ts';
import type { ObjectEvents } from './events.ts';
import { partEtag, type Multipart } from './multipart.ts';
import { refuseUnmetWrite } from './preconditions.ts';

export interface ObjectWrites {
  put(input: Json): Promise<Json>;
  copy(input: Json): Promise<Json>;
  uploadPart(input: Json): Promise<Json>;
  complete(input: Json): Promise<Json>;
}

const HEADERS = [
  'ContentType',
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'Expires',
];

/** Opened in this turn: replacing or deleting the object later does not disturb the reader. */
export const opened = (object: StoredObject, range: { start?: number; end?: number } = {}): Readable =>
  createReadStream(object.path, { fd: openSync(object.path, 'r'), ...range });

export function createObjectWrites(
  buckets: Buckets,
  multipart: Multipart,
  events: ObjectEvents,
  clock: CloudClock,
): ObjectWrites {
  /** Streams a body in and refuses it when a digest sent with it does not match. */
  const receive = (input: Json, also?: ChecksumAlgorithm): Promise<StoredBody> => {
    const announced = checksumAlgorithm(input.ChecksumAlgorithm) ?? also;
    const given = checksumsOf(input);
    const algorithms = [
      ...(Object.keys(given) as ChecksumAlgorithm[]),
      ...(announced === undefined ? [] : [announced]),
    ];
    const contentSha256: string | undefined = input.ContentSHA256;
    if (contentSha256 !== undefined) algorithms.push('SHA256');
    return storeBody(buckets.newPath(String(input.Key)), input.Body, algorithms, (stored) => {
      const trailing: Checksums =
        input.TrailingChecksums === undefined ? {} : checksumsOf(input.TrailingChecksums());
      refuseMismatch({ ...given, ...trailing }, stored.checksums);
      if (input.ContentMD5 !== undefined && input.ContentMD5 !== stored.md5.toString('base64')) {
        throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
      }
      if (contentSha256 === undefined) return;
      const computed = Buffer.from(stored.checksums.SHA256 ?? '', 'base64').toString('hex');
      if (computed !== contentSha256) {
        throw new AwsError(
          'XAmzContentSHA256Mismatch',
          'The provided x-amz-content-sha256 header does not match what was computed.',
        );
      }
      if (given.SHA256 === undefined && announced !== 'SHA256') delete stored.checksums.SHA256;
    });
  };

  /** The one place where an object comes to be: condition, replacement and event in one turn. */
  const place = (input: Json, object: Omit<StoredObject, 'modifiedAtMs'>, reason: string): void => {
    try {
      const bucket = buckets.named(input.Bucket);
      const before = bucket.objects.get(object.key);
      refuseUnmetWrite(input, before);
      bucket.objects.set(object.key, { ...object, modifiedAtMs: clock.now() });
      if (before !== undefined) buckets.discard(before.path);
      events.created(bucket, object, reason);
    } catch (error) {
      buckets.discard(object.path);
      throw error;
    }
  };

  const described = (input: Json): Pick<StoredObject, 'headers' | 'metadata'> => ({
    headers: {
      ContentType: 'binary/octet-stream',
      ...Object.fromEntries(
        HEADERS.filter((name) => input[name] !== undefined).map((name) => [name, String(input[name])]),
      ),
    },
    metadata: { ...input.Metadata },
  });

  const put = async (input: Json): Promise<Json> => {
    const key = checkedKey(input.Key);
    refuseUnmetWrite(input, buckets.named(input.Bucket).objects.get(key));
    const stored = await receive(input);
    const etag = partEtag(stored);
    const { path, bytes, checksums } = stored;
    place(
      input,
      { key, path, bytes, checksums, checksumType: 'FULL_OBJECT', etag, ...described(input) },
      'PutObject',
    );
    return { ETag: etag, ...checksumMembers(checksums) };
  };

  const copy = async (input: Json): Promise<Json> => {
    const from = copySource(input.CopySource);
    const source = buckets.object(from.bucket, from.key);
    const key = checkedKey(input.Key);
    buckets.named(input.Bucket);
    const { path, bytes, md5 } = await storeBody(buckets.newPath(key), opened(source), []);
    const etag = `"${md5.toString('hex')}"`;
    const { headers, metadata } = input.MetadataDirective === 'REPLACE' ? described(input) : source;
    const { checksums, checksumType } = source;
    place(input, { key, path, bytes, checksums, checksumType, etag, headers, metadata }, 'CopyObject');
    return { CopyObjectResult: { ETag: etag, LastModified: clock.now() / 1000 } };
  };

  const uploadPart = async (input: Json): Promise<Json> => {
    const upload = multipart.upload(input);
    const number = Number(input.PartNumber);
    if (!Number.isInteger(number) || number < 1 || number > 10_000) {
      throw new AwsError('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    }
    const stored = await receive(input, upload.algorithm);
    multipart.keep(upload, number, stored, clock.now());
    return { ETag: partEtag(stored), ...checksumMembers(stored.checksums) };
  };

  const complete = async (input: Json): Promise<Json> => {
    const upload = multipart.upload(input);
    refuseUnmetWrite(input, buckets.named(input.Bucket).objects.get(upload.key));
    const { path, bytes, checksums, checksumType, etag } = await multipart.assemble(input);
    const object = {
      key: upload.key,
      path,
      bytes,
      checksums,
      checksumType,
      etag,
      ...described(upload.input),
    };
    place(input, object, 'CompleteMultipartUpload');
    multipart.forget(input.UploadId);
    return { Bucket: input.Bucket, Key: upload.key, ETag: etag, ...checksumMembers(checksums) };
  };

  return { put, copy, uploadPart, complete };
}
