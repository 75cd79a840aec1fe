// Which objects are in which bucket?
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { AwsError, type Json } from '../types.ts';
import type { Checksums } from './checksums.ts';
import type { LifecycleRule } from './expiry.ts';

export interface StoredObject {
  key: string;
  path: string;
  bytes: number;
  /** With quotes, as HTTP shows it. */
  etag: string;
  modifiedAtMs: number;
  checksums: Checksums;
  checksumType: 'FULL_OBJECT' | 'COMPOSITE';
  /** ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Expires, as given. */
  headers: Record<string, string>;
  metadata: Record<string, string>;
}

export interface Bucket {
  readonly name: string;
  readonly createdAtMs: number;
  readonly objects: Map<string, StoredObject>;
  notifications: Json;
  /** Enabled ones. */
  lifecycle: readonly LifecycleRule[];
}

export interface Buckets {
  readonly all: ReadonlyMap<string, Bucket>;
  create(name: string, nowMs: number): Bucket;
  remove(name: string): void;
  /** @throws AwsError NoSuchBucket */
  named(name: unknown): Bucket;
  /** @throws AwsError NoSuchKey, NoSuchBucket */
  object(bucket: unknown, key: unknown): StoredObject;
  newPath(key: string): string;
  discard(path: string): void;
  keysInOrder(bucket: Bucket): string[];
  close(): void;
}

/** At most 1024 bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

export function checkedKey(key: unknown): string {
  if (typeof key !== 'string' || key === '') throw new AwsError('InvalidRequest', 'A key is needed.');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new AwsError('KeyTooLongError', 'Your key is too long');
  return key;
}

/** @param directory where bodies are kept; without it a new temporary one, removed by `close` */
export function createBuckets(directory?: string): Buckets {
  const buckets = new Map<string, Bucket>();
  const root = directory ?? mkdtempSync(join(tmpdir(), 'impresario-s3-'));
  mkdirSync(root, { recursive: true });

  const named = (name: unknown): Bucket => {
    const bucket = buckets.get(String(name));
    if (bucket === undefined) {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, { BucketName: name });
    }
    return bucket;
  };
  const discard = (path: string): void => rmSync(path, { force: true });

  return {
    all: buckets,
    create(name, nowMs) {
      if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
        throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, {
          BucketName: name,
        });
      }
      const before = buckets.get(name);
      if (before !== undefined) {
        throw new AwsError(
          'BucketAlreadyOwnedByYou',
          'Your previous request to create the named bucket succeeded and you already own it.',
          409,
        );
      }
      const bucket: Bucket = {
        name,
        createdAtMs: nowMs,
        objects: new Map(),
        notifications: {},
        lifecycle: [],
      };
      buckets.set(name, bucket);
      return bucket;
    },
    remove(name) {
      if (named(name).objects.size > 0) {
        throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
      }
      buckets.delete(name);
    },
    named,
    object(bucket, key) {
      const found = named(bucket).objects.get(checkedKey(key));
      if (found === undefined) {
        throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: key });
      }
      return found;
    },
    // The extension stays, so that a stored video opens in a player.
    newPath: (key) => join(root, `${randomUUID()}${/^\.\w{1,8}$/.test(extname(key)) ? extname(key) : ''}`),
    discard,
    keysInOrder: (bucket) =>
      [...bucket.objects.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    close() {
      if (directory === undefined) rmSync(root, { recursive: true, force: true });
      else
        for (const bucket of buckets.values()) for (const { path } of bucket.objects.values()) discard(path);
      buckets.clear();
    },
  };
}

/** One page of ListObjectsV2. */
export function listPage(buckets: Buckets, input: Json): Json {
  const bucket = buckets.named(input.Bucket);
  const prefix: string = input.Prefix ?? '';
  const delimiter: string = input.Delimiter ?? '';
  const most = Math.min(Number(input.MaxKeys ?? 1000), 1000);
  const after =
    input.ContinuationToken === undefined
      ? String(input.StartAfter ?? '')
      : Buffer.from(input.ContinuationToken, 'base64').toString();
  const Contents: Json[] = [];
  const prefixes: string[] = [];
  let last = '';
  let truncated = false;
  for (const key of buckets.keysInOrder(bucket)) {
    if (
      !key.startsWith(prefix) ||
      (after !== '' && Buffer.compare(Buffer.from(key), Buffer.from(after)) <= 0)
    )
      continue;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
    if (common !== undefined && (prefixes.at(-1) === common || after.startsWith(common))) {
      last = key;
      continue;
    }
    if (Contents.length + prefixes.length >= most) {
      truncated = true;
      break;
    }
    last = key;
    if (common !== undefined) {
      prefixes.push(common);
      continue;
    }
    const object = bucket.objects.get(key) as StoredObject;
    Contents.push({
      Key: key,
      LastModified: object.modifiedAtMs / 1000,
      ETag: object.etag,
      Size: object.bytes,
      StorageClass: 'STANDARD',
    });
  }
  return {
    Name: bucket.name,
    Prefix: prefix,
    MaxKeys: most,
    KeyCount: Contents.length + prefixes.length,
    IsTruncated: truncated,
    ...(delimiter === '' ? {} : { Delimiter: delimiter }),
    ...(Contents.length === 0 ? {} : { Contents }),
    ...(prefixes.length === 0 ? {} : { CommonPrefixes: prefixes.map((Prefix) => ({ Prefix })) }),
    ...(truncated ? { NextContinuationToken: Buffer.from(last).toString('base64') } : {}),
    ...(input.ContinuationToken === undefined ? {} : { ContinuationToken: input.ContinuationToken }),
    ...(input.StartAfter === undefined ? {} : { StartAfter: input.StartAfter }),
  };
}
