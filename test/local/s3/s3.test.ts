// Does the embedded S3 speak the REST protocol of the real one?
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handleS3 } from '../../../lib/local/s3/rest.ts';
import { createS3, type S3Engine } from '../../../lib/local/s3/s3.ts';
import type { EngineContext, Json } from '../../../lib/local/types.ts';
import { listen, type TestServer } from '../dynamodb/json-server.ts';
import { createTestClock, createTestContext, type TestClock } from '../dynamodb/test-clock.ts';

const ADMINISTRATOR = { principal: { kind: 'administrator' as const } };

let clock: TestClock;
let context: EngineContext & { calls: Json[] };
let engine: S3Engine;
let server: TestServer;
let client: S3Client;

const clientWith = (accessKeyId: string, more: object = {}): S3Client =>
  new S3Client({
    endpoint: server.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: `secret of ${accessKeyId}` },
    maxAttempts: 1,
    ...more,
  });

beforeAll(async () => {
  clock = createTestClock();
  context = createTestContext(clock);
  engine = createS3(context);
  server = await listen((request, response) => {
    void handleS3(request, response, (operation, input) => engine.call(operation, input, ADMINISTRATOR), {
      now: () => clock.now(),
      secretOf: (id) => (id === 'ISSUED' ? 'secret of ISSUED' : undefined),
    });
  });
  client = clientWith('outside');
  await client.send(new CreateBucketCommand({ Bucket: 'media' }));
});

afterAll(async () => {
  client.destroy();
  await server.close();
  engine.close();
});

const put = (Key: string, Body: string | Uint8Array, more: object = {}): Promise<Json> =>
  client.send(new PutObjectCommand({ Bucket: 'media', Key, Body, ...more }));
const body = async (Key: string, more: object = {}): Promise<string> =>
  (await (
    await client.send(new GetObjectCommand({ Bucket: 'media', Key, ...more }))
  ).Body?.transformToString()) ?? '';
const bytesOf = (length: number, seed = 1): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + seed) % 251));

describe('objects through the SDK', () => {
  it('keep bytes, type, metadata and ETag for any key', async () => {
    const Key = "t1/uploads/a b+c/ü's (1)&x=<y>?#%2F..//../é.mp4";
    const sent = await put(Key, 'hällo', {
      ContentType: 'video/mp4',
      Metadata: { run: 'run-1' },
      CacheControl: 'no-store',
    });
    expect(sent.ETag).toBe(`"${createHash('md5').update('hällo').digest('hex')}"`);
    expect(await body(Key)).toBe('hällo');
    const found = await client.send(new HeadObjectCommand({ Bucket: 'media', Key, ChecksumMode: 'ENABLED' }));
    expect(found).toMatchObject({
      ContentType: 'video/mp4',
      ContentLength: 6,
      Metadata: { run: 'run-1' },
      CacheControl: 'no-store',
      ETag: sent.ETag,
    });
    expect(found.ChecksumCRC32).toBe(sent.ChecksumCRC32);
    expect(engine.pathOf('media', Key).endsWith('.mp4')).toBe(true);
    expect(readFileSync(engine.pathOf('media', Key), 'utf8')).toBe('hällo');
  });

  it('stream in and out with aws-chunked bodies and trailing checksums', async () => {
    const data = bytesOf(3_000_000);
    for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const) {
      const sent = await client.send(
        new PutObjectCommand({
          Bucket: 'media',
          Key: 'streamed.bin',
          Body: Readable.from([data.subarray(0, 1_000_001), data.subarray(1_000_001)]),
          ContentLength: data.length,
          ChecksumAlgorithm,
        }),
      );
      expect(sent[`Checksum${ChecksumAlgorithm}`]).toMatch(/=$/);
      // With checksum mode enabled the SDK verifies what it reads.
      const answer = await client.send(
        new GetObjectCommand({ Bucket: 'media', Key: 'streamed.bin', ChecksumMode: 'ENABLED' }),
      );
      expect(Buffer.compare(Buffer.from((await answer.Body?.transformToByteArray()) ?? []), data)).toBe(0);
    }
  });

  it('refuse a body that does not match what was sent with it, and keep nothing of it', async () => {
    const files = (): number => readdirSync(dirname(engine.pathOf('media', 'kept'))).length;
    await put('kept', 'x');
    const before = files();
    const wrong = createHash('sha256').update('other').digest('base64');
    await expect(put('wrong', 'x', { ChecksumSHA256: wrong })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(
      put('wrong', 'x', { ContentMD5: createHash('md5').update('y').digest('base64') }),
    ).rejects.toMatchObject({
      name: 'BadDigest',
    });
    await expect(client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'wrong' }))).rejects.toMatchObject(
      {
        name: 'NotFound',
      },
    );
    expect(files()).toBe(before);
  });

  it('give ranges and refuse those outside', async () => {
    await put('range', '0123456789');
    expect(await body('range', { Range: 'bytes=2-4' })).toBe('234');
    expect(await body('range', { Range: 'bytes=7-' })).toBe('789');
    expect(await body('range', { Range: 'bytes=-3' })).toBe('789');
    const part = await client.send(
      new GetObjectCommand({ Bucket: 'media', Key: 'range', Range: 'bytes=8-99' }),
    );
    expect(part).toMatchObject({ ContentRange: 'bytes 8-9/10', ContentLength: 2 });
    await expect(body('range', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('honour If-None-Match and If-Match: of many writers one wins', async () => {
    const writers = Array.from({ length: 8 }, (_, at) => put('once', `writer ${at}`, { IfNoneMatch: '*' }));
    const outcomes = await Promise.allSettled(writers);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(put('once', 'again', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'once' }));
    await put('once', 'second', { IfMatch: ETag });
    await expect(put('once', 'third', { IfMatch: ETag })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await body('once')).toBe('second');
  });

  it('are copied with or without their metadata, and deleted', async () => {
    await put('from/ä b', 'copied', { ContentType: 'text/plain', Metadata: { a: '1' } });
    const CopySource = `media/${encodeURIComponent('from/ä b')}`;
    await client.send(new CopyObjectCommand({ Bucket: 'media', Key: 'to', CopySource }));
    expect(await client.send(new HeadObjectCommand({ Bucket: 'media', Key: 'to' }))).toMatchObject({
      ContentType: 'text/plain',
      Metadata: { a: '1' },
    });
    expect(await body('to')).toBe('copied');
    await client.send(new DeleteObjectCommand({ Bucket: 'media', Key: 'to' }));
    await expect(body('to')).rejects.toMatchObject({ name: 'NoSuchKey' });
    const deleted = await client.send(
      new DeleteObjectsCommand({
        Bucket: 'media',
        Delete: { Objects: [{ Key: 'from/ä b' }, { Key: 'never & was' }] },
      }),
    );
    expect(deleted.Deleted?.map(({ Key }) => Key)).toEqual(['from/ä b', 'never & was']);
    expect(existsSync(engine.pathOf('media', 'once'))).toBe(true);
    expect(() => engine.pathOf('media', 'from/ä b')).toThrow('The specified key does not exist');
  });
});

describe('multipart uploads', () => {
  it('assemble parts in order, with the ETag of parts, and check every part', async () => {
    const target = { Bucket: 'media', Key: 'large.mp4' };
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...target, ContentType: 'video/mp4', ChecksumAlgorithm: 'CRC32' }),
    );
    const parts = [bytesOf(5 * 1024 * 1024, 3), bytesOf(1000, 5)];
    const sent = await Promise.all(
      parts.map((Body, at) =>
        client.send(
          new UploadPartCommand({
            ...target,
            UploadId,
            PartNumber: at + 1,
            Body,
            ChecksumAlgorithm: 'CRC32',
          }),
        ),
      ),
    );
    const listed = await client.send(new ListPartsCommand({ ...target, UploadId }));
    expect(listed.Parts?.map(({ Size }) => Size)).toEqual([5_242_880, 1000]);
    const Parts = sent.map(({ ETag, ChecksumCRC32 }, at) => ({ ETag, ChecksumCRC32, PartNumber: at + 1 }));
    const complete = (MultipartUpload: object): Promise<Json> =>
      client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
    await expect(complete({ Parts: Parts.toReversed() })).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete({ Parts: [{ ...Parts[0], ETag: '"0"' }] })).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    const done = await complete({ Parts });
    const md5s = parts.map((part) => createHash('md5').update(part).digest());
    expect(done.ETag).toBe(`"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-2"`);
    expect(done.ChecksumCRC32).toMatch(/==-2$/);
    expect(Buffer.compare(readFileSync(engine.pathOf('media', 'large.mp4')), Buffer.concat(parts))).toBe(0);
    await expect(complete({ Parts })).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('refuse small parts before the last, and leave no file when aborted', async () => {
    const target = { Bucket: 'media', Key: 'aborted' };
    await put('kept', 'x');
    const files = (): number => readdirSync(dirname(engine.pathOf('media', 'kept'))).length;
    const before = files();
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const { ETag } = await client.send(
        new UploadPartCommand({ ...target, UploadId, PartNumber, Body: 'small' }),
      );
      Parts.push({ ETag, PartNumber });
    }
    await expect(
      client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } })),
    ).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
    expect(files()).toBe(before);
  });
});

describe('listing', () => {
  it('pages through every key once, in byte order, folding prefixes', async () => {
    const key = fc
      .array(fc.constantFrom('a', 'b', '/', 'é', '&', ' '), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 10 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('', '/', 'a'),
        fc.constantFrom('', 'a', 'b/'),
        async (keys, MaxKeys, Delimiter, Prefix) => {
          const own = createS3(createTestContext(createTestClock()));
          const call = (operation: string, input: Json): Promise<Json> =>
            own.call(operation, input, ADMINISTRATOR);
          await call('CreateBucket', { Bucket: 'bucket' });
          for (const Key of keys) await call('PutObject', { Bucket: 'bucket', Key, Body: '' });
          const found: string[] = [];
          const folded: string[] = [];
          let ContinuationToken: string | undefined;
          do {
            const page = await call('ListObjectsV2', {
              Bucket: 'bucket',
              MaxKeys,
              Delimiter,
              Prefix,
              ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
            });
            found.push(...(page.Contents ?? []).map((one: Json) => one.Key));
            folded.push(...(page.CommonPrefixes ?? []).map((one: Json) => one.Prefix));
            ContinuationToken = page.NextContinuationToken;
          } while (ContinuationToken !== undefined);
          own.close();
          const inside = keys.filter((one) => one.startsWith(Prefix));
          const cutOf = (one: string): number =>
            Delimiter === '' ? -1 : one.indexOf(Delimiter, Prefix.length);
          const ordered = (list: string[]): string[] =>
            list.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(found).toEqual(ordered(inside.filter((one) => cutOf(one) < 0)));
          const prefixes = inside
            .filter((one) => cutOf(one) >= 0)
            .map((one) => one.slice(0, cutOf(one) + Delimiter.length));
          expect(folded).toEqual(ordered([...new Set(prefixes)]));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('shows buckets and refuses to delete a full one', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'other' }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['media', 'other']);
    await client.send(new PutObjectCommand({ Bucket: 'other', Key: 'a/<b>&c', Body: 'x' }));
    const listed = await client.send(
      new ListObjectsV2Command({ Bucket: 'other', EncodingType: 'url', Prefix: 'a/' }),
    );
    expect(listed.Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toEqual(['a/<b>&c']);
    await expect(client.send(new DeleteBucketCommand({ Bucket: 'other' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
    await client.send(new DeleteObjectCommand({ Bucket: 'other', Key: 'a/<b>&c' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'other' }));
    await expect(client.send(new HeadBucketCommand({ Bucket: 'other' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect(client.send(new ListObjectsV2Command({ Bucket: 'other' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });
});

describe('presigned URLs', () => {
  const uploadUrl = (own: S3Client, sha256: string, length: number): Promise<string> =>
    getSignedUrl(
      own,
      new PutObjectCommand({
        Bucket: 'media',
        Key: 'signed',
        ContentType: 'video/mp4',
        ContentLength: length,
        ChecksumSHA256: sha256,
      }),
      {
        expiresIn: 3600,
        signingDate: new Date(clock.now()),
        signableHeaders: new Set(['content-type', 'content-length', 'host', 'x-amz-checksum-sha256']),
        unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
      },
    );
  const text = 'the very video';
  const sha256 = createHash('sha256').update(text).digest('base64');
  const send = (url: string, more: Record<string, string> = {}, content = text): Promise<Response> =>
    fetch(url, {
      method: 'PUT',
      body: content,
      headers: { 'content-type': 'video/mp4', 'x-amz-checksum-sha256': sha256, ...more },
    });

  it('accept exactly the upload that was signed', async () => {
    const issued = clientWith('ISSUED', { requestChecksumCalculation: 'WHEN_REQUIRED' });
    const url = await uploadUrl(issued, sha256, text.length);
    expect((await send(url)).status).toBe(200);
    expect(await body('signed')).toBe(text);
    const refused = await send(url, { 'content-type': 'video/webm' });
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
    ]);
    expect((await send(url, {}, `${text}!`)).status).toBe(403);
    expect((await send(url, {}, text.toUpperCase())).status).toBe(400);
    expect((await send(url.replace('/signed?', '/elsewhere?'))).status).toBe(403);
    const unsigned = await fetch(url, {
      method: 'PUT',
      body: text,
      headers: { 'content-type': 'video/mp4' },
    });
    expect([unsigned.status, await unsigned.text()]).toEqual([
      403,
      expect.stringContaining('x-amz-checksum-sha256'),
    ]);
    issued.destroy();
  });

  it('of foreign credentials cannot be verified, but expire and check the body all the same', async () => {
    const url = await uploadUrl(client, sha256, text.length);
    expect((await send(url)).status).toBe(200);
    expect((await send(url, {}, text.toUpperCase())).status).toBe(400);
    await clock.advance(3_600_000);
    expect((await send(url)).status).toBe(200);
    await clock.advance(1000);
    const late = await send(url);
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('Request has expired')]);
  });

  it('download with a plain GET, ranges included', async () => {
    const issued = clientWith('ISSUED');
    await put('signed dir/ü', '0123456789');
    const url = await getSignedUrl(issued, new GetObjectCommand({ Bucket: 'media', Key: 'signed dir/ü' }), {
      expiresIn: 60,
      signingDate: new Date(clock.now()),
    });
    const answer = await fetch(url, { headers: { range: 'bytes=3-5' } });
    expect([answer.status, await answer.text()]).toEqual([206, '345']);
    expect((await fetch(url.replace(/Signature=./, 'Signature=x'))).status).toBe(403);
    issued.destroy();
  });
});

describe('events', () => {
  it('reach the default bus once the bucket has an EventBridge configuration', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'noted' }));
    await client.send(new PutObjectCommand({ Bucket: 'noted', Key: 'silent', Body: 'x' }));
    await client.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'noted',
        NotificationConfiguration: { EventBridgeConfiguration: {} },
      }),
    );
    context.calls.length = 0;
    await client.send(new PutObjectCommand({ Bucket: 'noted', Key: 't1/uploads/run-1', Body: 'hello' }));
    await client.send(new DeleteObjectCommand({ Bucket: 'noted', Key: 't1/uploads/run-1' }));
    await clock.advance(0);
    expect(
      context.calls.map(({ service, operation, context: { principal } }) => [service, operation, principal]),
    ).toEqual(
      Array.from({ length: 2 }, () => [
        'events',
        'PutEvents',
        { kind: 'service', service: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::noted' },
      ]),
    );
    const [created, deleted] = context.calls.map(({ input }) => input.Entries[0]);
    expect(created).toMatchObject({
      Source: 'aws.s3',
      DetailType: 'Object Created',
      Resources: ['arn:aws:s3:::noted'],
    });
    expect(JSON.parse(created.Detail)).toMatchObject({
      bucket: { name: 'noted' },
      object: { key: 't1/uploads/run-1', size: 5, etag: createHash('md5').update('hello').digest('hex') },
      reason: 'PutObject',
    });
    expect(JSON.parse(deleted.Detail)).toMatchObject({
      object: { key: 't1/uploads/run-1' },
      reason: 'DeleteObject',
    });
    expect(JSON.parse(deleted.Detail).object.sequencer > JSON.parse(created.Detail).object.sequencer).toBe(
      true,
    );
  });
});

describe('the directory of bodies', () => {
  it('is emptied when the engine closes', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'impresario-s3-test-'));
    const own = createS3(createTestContext(createTestClock()), { dir });
    await own.call('CreateBucket', { Bucket: 'bucket' }, ADMINISTRATOR);
    await own.call('PutObject', { Bucket: 'bucket', Key: 'a.txt', Body: 'x' }, ADMINISTRATOR);
    expect(readdirSync(dir)).toHaveLength(1);
    const { Body } = await own.call('GetObject', { Bucket: 'bucket', Key: 'a.txt' }, ADMINISTRATOR);
    expect(Buffer.isBuffer(Body)).toBe(true);
    own.close();
    expect(readdirSync(dir)).toEqual([]);
    await rm(dir, { recursive: true });
  });

  it('asks for the right permissions', () => {
    expect(engine.authorization('CopyObject', { Bucket: 'b', Key: 'k', CopySource: '/a/x%20y' })).toEqual([
      { action: 's3:GetObject', resource: 'arn:aws:s3:::a/x y' },
      { action: 's3:PutObject', resource: 'arn:aws:s3:::b/k' },
    ]);
    expect(engine.authorization('HeadObject', { Bucket: 'b', Key: 'k' })).toEqual([
      { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' },
    ]);
    expect(engine.authorization('ListObjectsV2', { Bucket: 'b', Prefix: 'p/' })).toEqual([
      { action: 's3:ListBucket', resource: 'arn:aws:s3:::b', conditions: { 's3:prefix': 'p/' } },
    ]);
  });
});
