// What does S3 answer?
import { readFileSync } from 'node:fs';
import { AwsError, type Engine, type EngineContext, type Json } from '../types.ts';
import { s3Authorization } from './authorization.ts';
import { checkedKey, createBuckets, listPage, type Bucket, type StoredObject } from './buckets.ts';
import { checksumMembers } from './checksums.ts';
import { createObjectEvents } from './events.ts';
import { createExpiry } from './expiry.ts';
import { createMultipart } from './multipart.ts';
import { createObjectWrites, opened } from './object-writes.ts';
import { rangeOf, refuseStaleRead } from './preconditions.ts';

export interface S3Engine extends Engine {
  readonly service: 's3';
  /** The file that holds an object's body (it opens in a player). @throws AwsError NoSuchBucket, NoSuchKey */
  pathOf(bucket: string, key: string): string;
  close(): void;
}

export interface S3Options {
  /** Where bodies are kept; without it a temporary directory that `close()` removes. */
  dir?: string;
}

/**
 * S3 with bodies in files. `Body` may be a Readable, bytes or a string and comes back as a Buffer, or with
 * `BodyAs: 'stream'` (the REST handler) as a Readable. `TrailingChecksums`, when given, is asked after the body was read.
 */
export function createS3(ctx: EngineContext, options: S3Options = {}): S3Engine {
  const { clock } = ctx;
  const buckets = createBuckets(options.dir);
  const multipart = createMultipart(buckets);
  const events = createObjectEvents(ctx);
  const writes = createObjectWrites(buckets, multipart, events, clock);

  const shown = (object: StoredObject, input: Json): Json => ({
    ETag: object.etag,
    LastModified: object.modifiedAtMs / 1000,
    AcceptRanges: 'bytes',
    ContentLength: object.bytes,
    ...object.headers,
    Metadata: { ...object.metadata },
    ...(input.ChecksumMode === 'ENABLED' && Object.keys(object.checksums).length > 0
      ? { ...checksumMembers(object.checksums), ChecksumType: object.checksumType }
      : {}),
  });

  const head = (input: Json): Json => {
    const object = buckets.object(input.Bucket, input.Key);
    refuseStaleRead(input, object);
    return shown(object, input);
  };

  const get = (input: Json): Json => {
    const object = buckets.object(input.Bucket, input.Key);
    refuseStaleRead(input, object);
    const range = rangeOf(input.Range, object.bytes);
    const answer = shown(object, input);
    if (range !== undefined) {
      answer.ContentLength = range.end - range.start + 1;
      answer.ContentRange = `bytes ${range.start}-${range.end}/${object.bytes}`;
      for (const name of Object.keys(checksumMembers(object.checksums))) delete answer[name];
    }
    if (input.BodyAs === 'stream') answer.Body = opened(object, range);
    else {
      const whole = readFileSync(object.path);
      answer.Body = range === undefined ? whole : whole.subarray(range.start, range.end + 1);
    }
    return answer;
  };

  const drop = (bucket: Bucket, key: string, reason: 'DeleteObject' | 'Lifecycle Expiration'): void => {
    const before = bucket.objects.get(key);
    if (before === undefined) return;
    bucket.objects.delete(before.key);
    buckets.discard(before.path);
    events.deleted(bucket, before.key, reason);
  };
  const remove = (bucketName: unknown, key: unknown): void =>
    drop(buckets.named(bucketName), checkedKey(key), 'DeleteObject');
  const expiry = createExpiry(buckets, multipart, clock, (bucket, key) =>
    drop(bucket, key, 'Lifecycle Expiration'),
  );

  const removeMany = (input: Json): Json => {
    const keys = ((input.Delete?.Objects ?? []) as { Key: string }[]).map(({ Key }) => Key);
    if (keys.length === 0 || keys.length > 1000) {
      throw new AwsError('MalformedXML', 'DeleteObjects takes 1 to 1000 keys.');
    }
    for (const key of keys) remove(input.Bucket, key);
    return input.Delete.Quiet === true ? {} : { Deleted: keys.map((Key) => ({ Key })) };
  };

  const run = async (operation: string, input: Json): Promise<Json> => {
    switch (operation) {
      case 'ListBuckets':
        return {
          Buckets: [...buckets.all.values()].map(({ name, createdAtMs }) => ({
            Name: name,
            CreationDate: createdAtMs / 1000,
          })),
        };
      case 'CreateBucket':
        return { Location: `/${buckets.create(String(input.Bucket), clock.now()).name}` };
      case 'DeleteBucket':
        buckets.remove(input.Bucket);
        return {};
      case 'HeadBucket':
        buckets.named(input.Bucket);
        return { BucketRegion: 'us-east-1' };
      case 'GetBucketLocation':
        buckets.named(input.Bucket);
        return { LocationConstraint: '' };
      case 'PutBucketNotificationConfiguration':
        buckets.named(input.Bucket).notifications = { ...input.NotificationConfiguration };
        return {};
      case 'GetBucketNotificationConfiguration':
        return { ...buckets.named(input.Bucket).notifications };
      case 'PutBucketLifecycleConfiguration':
        return expiry.configure(input);
      case 'ListObjectsV2':
        return listPage(buckets, input);
      case 'PutObject':
        return writes.put(input);
      case 'GetObject':
        return get(input);
      case 'HeadObject':
        return head(input);
      case 'CopyObject':
        return writes.copy(input);
      case 'DeleteObject':
        remove(input.Bucket, input.Key);
        return {};
      case 'DeleteObjects':
        return removeMany(input);
      case 'CreateMultipartUpload':
        return multipart.create(input, clock.now());
      case 'UploadPart':
        return writes.uploadPart(input);
      case 'CompleteMultipartUpload':
        return writes.complete(input);
      case 'AbortMultipartUpload':
        multipart.upload(input);
        multipart.forget(input.UploadId);
        return {};
      case 'ListParts':
        return multipart.list(input);
      default:
        throw new AwsError('NotImplemented', `The embedded S3 has no operation ${operation}`, 501);
    }
  };

  return {
    service: 's3',
    authorization: s3Authorization,
    async call(operation, input) {
      const done = clock.work(`s3 ${operation}`);
      try {
        return await run(operation, input ?? {});
      } finally {
        done();
      }
    },
    pathOf: (bucket, key) => buckets.object(bucket, key).path,
    close() {
      expiry.close();
      buckets.close();
    },
  };
}
