// How does an HTTP request to S3 become a call, and its outcome a response?
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { AwsError, type Json } from '../types.ts';
import { CHECKSUM_ALGORITHMS } from './checksums.ts';
import { decodeChunked } from './chunked.ts';
import { verifyPresigned, type Verification } from './presigned.ts';
import { routeS3, type S3Request } from './routes.ts';
import { xmlOf } from './xml.ts';

const META = 'x-amz-meta-';
/** The largest XML document taken: DeleteObjects with 1,000 long keys. */
const MAX_XML_BYTES = 2 * 1024 * 1024;

const RESPONSE_HEADERS: Readonly<Record<string, string>> = {
  ETag: 'etag',
  AcceptRanges: 'accept-ranges',
  ContentLength: 'content-length',
  ContentRange: 'content-range',
  ContentType: 'content-type',
  CacheControl: 'cache-control',
  ContentDisposition: 'content-disposition',
  ContentEncoding: 'content-encoding',
  ContentLanguage: 'content-language',
  Expires: 'expires',
  ChecksumType: 'x-amz-checksum-type',
  BucketRegion: 'x-amz-bucket-region',
  Location: 'location',
};

const XML_ROOTS: Readonly<Record<string, string>> = {
  ListBuckets: 'ListAllMyBucketsResult',
  ListObjectsV2: 'ListBucketResult',
  DeleteObjects: 'DeleteResult',
  CopyObject: 'CopyObjectResult',
  CreateMultipartUpload: 'InitiateMultipartUploadResult',
  CompleteMultipartUpload: 'CompleteMultipartUploadResult',
  ListParts: 'ListPartsResult',
  GetBucketLocation: 'LocationConstraint',
  GetBucketNotificationConfiguration: 'NotificationConfiguration',
};

function bodyOf(request: IncomingMessage): {
  source: AsyncIterable<Uint8Array>;
  trailers: Map<string, string>;
} {
  const trailers = new Map<string, string>();
  const chunked =
    String(request.headers['x-amz-content-sha256']).startsWith('STREAMING-') ||
    (request.headers['content-encoding'] ?? '').includes('aws-chunked');
  return { source: chunked ? decodeChunked(request, trailers) : request, trailers };
}

function requestOf(request: IncomingMessage, path: string, query: URLSearchParams): S3Request {
  const [bucket = '', ...rest] = path.slice(1).split('/').map(decodeURIComponent);
  const inQuery = new Map([...query].map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return (
      (Array.isArray(value) ? value.join(',') : value) ??
      (name.startsWith('x-amz-') ? inQuery.get(name) : undefined)
    );
  };
  const stream = (): Json => {
    const { source, trailers } = bodyOf(request);
    const sha256 = request.headers['x-amz-content-sha256'];
    const announced =
      header('x-amz-trailer')?.replace('x-amz-checksum-', '') ?? header('x-amz-sdk-checksum-algorithm');
    return {
      Body: source,
      ...(announced === undefined ? {} : { ChecksumAlgorithm: announced }),
      ...(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? { ContentSHA256: sha256 } : {}),
      TrailingChecksums: () =>
        Object.fromEntries(
          CHECKSUM_ALGORITHMS.map((name) => [
            `Checksum${name}`,
            trailers.get(`x-amz-checksum-${name.toLowerCase()}`),
          ]),
        ),
    };
  };
  return {
    method: request.method ?? 'GET',
    bucket,
    key: rest.join('/'),
    query,
    header,
    metadata: () =>
      Object.fromEntries(
        [...inQuery, ...Object.entries(request.headers)]
          .filter(([name]) => name.startsWith(META))
          .map(([name, value]) => [name.slice(META.length), String(value)]),
      ),
    stream,
    async xml() {
      const parts: Uint8Array[] = [];
      let bytes = 0;
      for await (const part of bodyOf(request).source) {
        bytes += part.length;
        if (bytes > MAX_XML_BYTES)
          throw new AwsError('MaxMessageLengthExceeded', 'Your request was too large.');
        parts.push(part);
      }
      return Buffer.concat(parts).toString();
    },
  };
}

function responseHeaders(output: Json): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [member, name] of Object.entries(RESPONSE_HEADERS)) {
    if (output[member] !== undefined) headers[name] = String(output[member]);
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value: unknown = output[`Checksum${algorithm}`];
    if (typeof value === 'string') headers[`x-amz-checksum-${algorithm.toLowerCase()}`] = value;
  }
  for (const [name, value] of Object.entries((output.Metadata ?? {}) as Record<string, string>)) {
    headers[META + name] = value;
  }
  if (output.LastModified !== undefined) {
    headers['last-modified'] = new Date(Number(output.LastModified) * 1000).toUTCString();
  }
  return headers;
}

const isoTimes = (value: Json): Json =>
  JSON.parse(
    JSON.stringify(value, (name, member: unknown) =>
      (name === 'LastModified' || name === 'CreationDate') && typeof member === 'number'
        ? new Date(member * 1000).toISOString()
        : member,
    ),
  );

function document(operation: string, output: Json, query: URLSearchParams): string | undefined {
  const root = XML_ROOTS[operation];
  if (root === undefined) return undefined;
  if (operation === 'ListBuckets')
    return xmlOf(root, isoTimes({ Owner: { ID: '000000000000' }, Buckets: { Bucket: output.Buckets } }));
  if (operation === 'CopyObject') return xmlOf(root, isoTimes(output.CopyObjectResult));
  if (operation === 'GetBucketLocation') return xmlOf(root, output.LocationConstraint);
  if (operation === 'ListParts') {
    const { Parts, ...rest } = output;
    return xmlOf(root, isoTimes({ ...rest, Part: Parts }));
  }
  const times = isoTimes(output);
  if (operation !== 'ListObjectsV2' || query.get('encoding-type') !== 'url') return xmlOf(root, times);
  const url = (key: string): string => encodeURIComponent(key).replaceAll('%2F', '/');
  return xmlOf(root, {
    ...times,
    EncodingType: 'url',
    Prefix: url(times.Prefix),
    ...(times.Delimiter === undefined ? {} : { Delimiter: url(times.Delimiter) }),
    ...(times.StartAfter === undefined ? {} : { StartAfter: url(times.StartAfter) }),
    Contents: times.Contents?.map((one: Json) => ({ ...one, Key: url(one.Key) })),
    CommonPrefixes: times.CommonPrefixes?.map((one: Json) => ({ Prefix: url(one.Prefix) })),
  });
}

function answerError(request: IncomingMessage, response: ServerResponse, error: unknown, path: string): void {
  const known =
    error instanceof AwsError
      ? error
      : new AwsError('InternalError', error instanceof Error ? error.message : String(error), 500);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // The rest of the body is read and dropped, or the client would see a broken pipe instead of the answer.
  if (!request.complete) request.resume();
  if (request.method === 'HEAD' || known.status === 304) {
    response.writeHead(known.status).end();
    return;
  }
  const requestId = randomUUID();
  const body = xmlOf('Error', {
    Code: known.code,
    Message: known.message,
    ...known.fields,
    Resource: path,
    RequestId: requestId,
  });
  response
    .writeHead(known.status, { 'content-type': 'application/xml', 'x-amz-request-id': requestId })
    .end(body);
}

/**
 * Answers one path-style S3 REST request.
 * @param call evaluates permissions and faults and calls the engine
 */
export async function handleS3(
  request: IncomingMessage,
  response: ServerResponse,
  call: (operation: string, input: Json) => Promise<Json>,
  verification: Verification,
): Promise<void> {
  // Not a URL object: it would resolve `..` and `//`, which are part of a key.
  const [path = '/', search = ''] = (request.url ?? '/').split('?');
  const query = new URLSearchParams(search);
  try {
    verifyPresigned(request, path, query, verification);
    const { operation, input } = await routeS3(requestOf(request, path, query));
    const output = await call(operation, input);
    const headers = { ...responseHeaders(output), 'x-amz-request-id': randomUUID() };
    const { Body: body } = output;
    if (operation === 'GetObject') {
      response.writeHead(output.ContentRange === undefined ? 200 : 206, headers);
      await pipeline(body, response);
      return;
    }
    const xml = document(operation, output, query);
    if (xml !== undefined) {
      response
        .writeHead(200, {
          'x-amz-request-id': headers['x-amz-request-id'],
          'content-type': 'application/xml',
        })
        .end(xml);
      return;
    }
    const empty =
      operation === 'DeleteObject' || operation === 'AbortMultipartUpload' || operation === 'DeleteBucket';
    response.writeHead(empty ? 204 : 200, headers).end();
  } catch (error) {
    answerError(request, response, error, path);
  }
}
