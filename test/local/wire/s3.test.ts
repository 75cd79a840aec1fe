import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCloud } from '../../../lib/local/cloud.ts';
import type { Cloud } from '../../../lib/local/cloud.ts';
import { ROLE_SECRET } from '../../../lib/local/iam.ts';

const ROLE = 'arn:aws:iam::000000000000:role/uploader';
let cloud: Cloud;
beforeEach(async () => {
  cloud = await createCloud({ time: 'real' });
  await cloud.call('s3', 'CreateBucket', { Bucket: 'media' });
  cloud.iam.putRole(ROLE, { Statement: [] });
  cloud.iam.putRolePolicy(ROLE, 'p', {
    Statement: { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::media/uploads/*' },
  });
});
afterEach(() => cloud.close());

const client = (accessKeyId: string, secretAccessKey: string) =>
  new S3Client({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    // Or a presigned URL would sign the checksum of an empty body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });

it('stores and reads objects, streams included', async () => {
  const s3 = client('any', 'thing');
  await s3.send(new PutObjectCommand({ Bucket: 'media', Key: 'a b/c', Body: 'hello' }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: 'a b/c' }));
  expect(await Body?.transformToString()).toBe('hello');
});

it('a presigned URL may do what its signer may, and only as it was signed', async () => {
  const uploader = client(cloud.iam.accessKey(ROLE), ROLE_SECRET);
  const sign = (Key: string) => getSignedUrl(uploader, new PutObjectCommand({ Bucket: 'media', Key }));
  const put = async (url: string) => {
    const response = await fetch(url, { method: 'PUT', body: 'x' });
    return { status: response.status, text: await response.text() };
  };
  const good = await sign('uploads/1');
  expect(await put(good)).toMatchObject({ status: 200 });
  expect(await put(good.replace('uploads/1', 'uploads/2'))).toMatchObject({
    status: 403,
    text: expect.stringContaining('SignatureDoesNotMatch'),
  });
  expect(await put(await sign('sources/1'))).toMatchObject({
    status: 403,
    text: expect.stringContaining('assumed-role/uploader/session is not authorized to perform: s3:PutObject'),
  });
});

it('faults reach single objects of S3, and a lost reply comes after the effect', async () => {
  const s3 = client('any', 'thing');
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: 'x' }));
  cloud.faults.add({
    service: 's3',
    operation: 'PutObject',
    resource: 'slow',
    when: 'before',
    effect: { kind: 'throttle' },
  });
  cloud.faults.add({
    service: 's3',
    operation: 'PutObject',
    resource: 'lost',
    when: 'after',
    effect: { kind: 'lost-reply' },
  });
  await put('fine');
  await expect(put('slow')).rejects.toMatchObject({ name: 'SlowDown' });
  await expect(put('lost')).rejects.toThrow();
  const { Contents } = await cloud.call('s3', 'ListObjectsV2', { Bucket: 'media' });
  expect(Contents.map(({ Key }: { Key: string }) => Key)).toEqual(['fine', 'lost']);
});

it('old signatures are refused in the words of S3', async () => {
  const url = `${cloud.endpoint}/media/a?AWSAccessKeyId=k&Signature=s&Expires=1`;
  expect(await (await fetch(url)).json()).toMatchObject({
    message: expect.stringContaining('AWS4-HMAC-SHA256'),
  });
});
