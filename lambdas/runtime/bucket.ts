// How are media and large payloads kept in the media bucket?
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { Unavailable } from './errors.ts';
import { variable, type Env, type Grant, type Need } from './need.ts';

export interface ObjectHead {
  sizeBytes: number;
  contentType: string;
  etag: string;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
  /** Base 64, when the object was put with one. */
  sha256?: string;
}

export interface PutOptions {
  contentType?: string;
  /** Put only when nothing is there: answers false instead of replacing (content-addressed keys). */
  ifAbsent?: boolean;
}

export interface UploadTerms {
  sizeBytes: number;
  contentType: string;
  /** SHA-256 of the bytes, base 64. */
  sha256: string;
  expiresSeconds: number;
}

/** Called with bytes so far and in all. */
export type TransferProgress = (bytesDone: number, bytesTotal: number) => void;

/** Keys start with the tenant, `<tenant>/sources/<sha256>`, but for those in shared folders: `uploads/<tenant>/<run id>`. */
export interface Bucket {
  readonly name: string;
  /** Undefined when there is no such object. `range` is inclusive, in bytes. */
  get(key: string, range?: { from: number; to: number }): Promise<Buffer | undefined>;
  getJson(key: string): Promise<unknown>;
  put(key: string, body: string | Uint8Array, options?: PutOptions): Promise<boolean>;
  putJson(key: string, value: unknown, options?: Pick<PutOptions, 'ifAbsent'>): Promise<boolean>;
  head(key: string): Promise<ObjectHead | undefined>;
  delete(key: string): Promise<void>;
  /** Every key below the prefix, in order. */
  list(prefix: string): Promise<{ key: string; sizeBytes: number }[]>;
  /** Streams to a file. False when there is no such object. */
  download(key: string, path: string, progress?: TransferProgress): Promise<boolean>;
  /** Streams from a file. */
  upload(path: string, key: string, options?: PutOptions & { progress?: TransferProgress }): Promise<boolean>;
  presignGet(key: string, expiresSeconds: number): Promise<string>;
  /** The client must send exactly these headers with the PUT: S3 refuses any other length, type or checksum. */
  presignPut(key: string, terms: UploadTerms): Promise<{ url: string; headers: Record<string, string> }>;
}

const ACTIONS = {
  // Without the right to list, S3 answers 403 instead of 404 for what is not there, and "absent" could not be told from "forbidden".
  read: [['s3:GetObject'], ['s3:ListBucket']],
  readExisting: [['s3:GetObject']],
  write: [['s3:PutObject']],
  delete: [['s3:DeleteObject']],
  list: [['s3:ListBucket']],
} as const;

export interface BucketAccess {
  /** What follows the tenant, `sources/`; in a shared folder the key from its start, `uploads/`. */
  prefix: string;
  /** `read` may ask for what is not there; `readExisting` fails with AccessDenied then. */
  access: keyof typeof ACTIONS;
}

export function bucketNeed(access: readonly BucketAccess[]): Need<Bucket> {
  const grants: Grant[] = access.flatMap(({ prefix, access: kind }) =>
    ACTIONS[kind].map((actions) => ({ actions, on: { kind: 'bucket' as const, prefix } })),
  );
  return {
    grants,
    env: { BUCKET_MEDIA: { of: { kind: 'bucket', prefix: '' }, attribute: 'name' } },
    open: (env) => openBucket(env, variable(env, 'BUCKET_MEDIA')),
  };
}

function openBucket(env: Env, name: string): Bucket {
  const config = awsClientConfig(env, 'S3', 0);
  const client = sharedClient(
    env,
    's3',
    () =>
      new S3Client({
        ...config,
        forcePathStyle: config.endpoint !== undefined,
        // Presigned URLs must not carry a checksum that the client never computed.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      }),
  );

  async function open(
    key: string,
    range?: { from: number; to: number },
  ): Promise<{ body: Readable; sizeBytes: number } | undefined> {
    const command = new GetObjectCommand({
      Bucket: name,
      Key: key,
      ...(range === undefined ? {} : { Range: `bytes=${range.from}-${range.to}` }),
    });
    const answer = await orAbsent(`GetObject of ${key}`, () => client.send(command));
    if (answer === undefined) return undefined;
    return { body: answer.Body as Readable, sizeBytes: answer.ContentLength ?? 0 };
  }

  async function put(
    key: string,
    body: string | Uint8Array | Readable,
    sizeBytes: number,
    options: PutOptions,
  ): Promise<boolean> {
    const command = new PutObjectCommand({
      Bucket: name,
      Key: key,
      Body: body,
      ContentLength: sizeBytes,
      ContentType: options.contentType ?? 'application/octet-stream',
      ...(options.ifAbsent === true ? { IfNoneMatch: '*' } : {}),
    });
    try {
      await awsCall(`PutObject of ${key}`, () => client.send(command));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === 'PreconditionFailed' && options.ifAbsent === true)
        return false;
      // S3's advice is to try again: then it is there, or it is not.
      if (error instanceof Error && error.name === 'ConditionalRequestConflict') {
        throw new Unavailable(`Another upload of ${key} is under way.`, { cause: error });
      }
      throw error;
    }
  }

  const bucket: Bucket = {
    name,
    async get(key, range) {
      const found = await open(key, range);
      if (found === undefined) return undefined;
      const chunks: Buffer[] = [];
      await awsCall(`GetObject of ${key}`, async () => {
        for await (const chunk of found.body) chunks.push(chunk as Buffer);
      });
      return Buffer.concat(chunks);
    },
    async getJson(key) {
      const body = await bucket.get(key);
      return body === undefined ? undefined : (JSON.parse(body.toString('utf8')) as unknown);
    },
    put: (key, body, options = {}) => put(key, body, Buffer.byteLength(body), options),
    async putJson(key, value, options = {}) {
      return bucket.put(key, JSON.stringify(value), { ...options, contentType: 'application/json' });
    },
    async head(key) {
      const command = new HeadObjectCommand({ Bucket: name, Key: key, ChecksumMode: 'ENABLED' });
      const found = await orAbsent(`HeadObject of ${key}`, () => client.send(command));
      if (found === undefined) return undefined;
      return {
        sizeBytes: found.ContentLength ?? 0,
        contentType: found.ContentType ?? '',
        etag: found.ETag ?? '',
        modifiedAt: found.LastModified?.getTime() ?? 0,
        ...(found.ChecksumSHA256 === undefined ? {} : { sha256: found.ChecksumSHA256 }),
      };
    },
    async delete(key) {
      await awsCall(`DeleteObject of ${key}`, () =>
        client.send(new DeleteObjectCommand({ Bucket: name, Key: key })),
      );
    },
    async list(prefix) {
      const found: { key: string; sizeBytes: number }[] = [];
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: name,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const page = await awsCall(`ListObjectsV2 of ${prefix}`, () => client.send(command));
        for (const item of page.Contents ?? [])
          found.push({ key: item.Key ?? '', sizeBytes: item.Size ?? 0 });
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return found;
    },
    async download(key, path, progress) {
      const found = await open(key);
      if (found === undefined) return false;
      const counter = counting(found.sizeBytes, progress);
      await awsCall(`GetObject of ${key}`, () => pipeline(found.body, counter, createWriteStream(path)));
      return true;
    },
    async upload(path, key, { progress, ...options } = {}) {
      const { size } = await stat(path);
      const file = createReadStream(path);
      const body = counting(size, progress);
      file.once('error', (error) => body.destroy(error));
      return put(key, file.pipe(body), size, options);
    },
    async presignGet(key, expiresSeconds) {
      return getSignedUrl(client, new GetObjectCommand({ Bucket: name, Key: key }), {
        expiresIn: expiresSeconds,
      });
    },
    async presignPut(key, terms) {
      const command = new PutObjectCommand({
        Bucket: name,
        Key: key,
        ContentLength: terms.sizeBytes,
        ContentType: terms.contentType,
        ChecksumSHA256: terms.sha256,
      });
      const headers = {
        'content-length': String(terms.sizeBytes),
        'content-type': terms.contentType,
        'x-amz-checksum-sha256': terms.sha256,
      };
      const url = await getSignedUrl(client, command, {
        expiresIn: terms.expiresSeconds,
        signableHeaders: new Set(Object.keys(headers)),
        unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
      });
      return { url, headers };
    },
  };
  return bucket;
}

async function orAbsent<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await awsCall(what, call);
  } catch (error) {
    if (error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound')) return undefined;
    throw error;
  }
}

function counting(totalBytes: number, progress: TransferProgress = () => undefined): Transform {
  let done = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      progress(done, totalBytes);
      next(null, chunk);
    },
  });
}
