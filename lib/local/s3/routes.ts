// Which S3 operation is this REST request, and what is its input?
import { AwsError, type Json } from '../types.ts';
import { CHECKSUM_ALGORITHMS } from './checksums.ts';
import { elements, text } from './xml.ts';

export interface S3Request {
  method: string;
  bucket: string;
  key: string;
  query: URLSearchParams;
  /** A header, or the query parameter that a presigned URL carries in its place. */
  header(name: string): string | undefined;
  /** User metadata, names without `x-amz-meta-`. */
  metadata(): Record<string, string>;
  /** `Body` and what is known of its digests, for operations that store it. */
  stream(): Json;
  /** The decoded body as text, for operations that take XML. */
  xml(): Promise<string>;
}

export interface S3Route {
  operation: string;
  input: Json;
}

/** Subresources we do not have; without this list `?acl` would be taken for the object itself. */
const UNSUPPORTED = [
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'encryption',
  'inventory',
  'legal-hold',
  'lifecycle',
  'logging',
  'metrics',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'tagging',
  'torrent',
  'versioning',
  'versions',
  'website',
  'attributes',
];

const OBJECT_HEADERS: Readonly<Record<string, string>> = {
  ContentType: 'content-type',
  CacheControl: 'cache-control',
  ContentDisposition: 'content-disposition',
  ContentLanguage: 'content-language',
  Expires: 'expires',
  ContentMD5: 'content-md5',
  IfMatch: 'if-match',
  IfNoneMatch: 'if-none-match',
  Range: 'range',
  ChecksumMode: 'x-amz-checksum-mode',
  ChecksumType: 'x-amz-checksum-type',
  ChecksumAlgorithm: 'x-amz-checksum-algorithm',
  CopySource: 'x-amz-copy-source',
  MetadataDirective: 'x-amz-metadata-directive',
};

function fromHeaders(request: S3Request, names: readonly string[]): Json {
  const input: Json = { Bucket: request.bucket, Key: request.key };
  for (const name of names) {
    const value = request.header(OBJECT_HEADERS[name] ?? name);
    if (value !== undefined) input[name] = value;
  }
  return input;
}

function checksumHeaders(request: S3Request): Json {
  const input: Json = {};
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = request.header(`x-amz-checksum-${algorithm.toLowerCase()}`);
    if (value !== undefined) input[`Checksum${algorithm}`] = value;
  }
  return input;
}

const DESCRIPTION = ['ContentType', 'CacheControl', 'ContentDisposition', 'ContentLanguage', 'Expires'];

function described(request: S3Request): Json {
  const encoding = request
    .header('content-encoding')
    ?.replace(/(?:^|,\s*)aws-chunked/, '')
    .replace(/^,\s*/, '');
  return {
    ...fromHeaders(request, DESCRIPTION),
    ...(encoding === undefined || encoding === '' ? {} : { ContentEncoding: encoding }),
  };
}

async function onBucket(request: S3Request): Promise<S3Route> {
  const { method, bucket: Bucket, query } = request;
  if (method === 'PUT' && query.has('notification')) {
    const xml = await request.xml();
    const wanted = elements(xml, 'EventBridgeConfiguration').length > 0;
    if (/<(?:Topic|Queue|CloudFunction)Configuration[\s>]/.test(xml)) {
      throw new AwsError('NotImplemented', 'Only the EventBridge configuration is supported.', 501);
    }
    const NotificationConfiguration = wanted ? { EventBridgeConfiguration: {} } : {};
    return { operation: 'PutBucketNotificationConfiguration', input: { Bucket, NotificationConfiguration } };
  }
  if (method === 'GET' && query.has('notification')) {
    return { operation: 'GetBucketNotificationConfiguration', input: { Bucket } };
  }
  if (method === 'GET' && query.has('location')) return { operation: 'GetBucketLocation', input: { Bucket } };
  if (method === 'GET' && query.get('list-type') === '2') {
    const input: Json = { Bucket };
    const names = {
      Prefix: 'prefix',
      Delimiter: 'delimiter',
      MaxKeys: 'max-keys',
      StartAfter: 'start-after',
      ContinuationToken: 'continuation-token',
    };
    for (const [name, parameter] of Object.entries(names)) {
      const value = query.get(parameter);
      if (value !== null && value !== '') input[name] = value;
    }
    return { operation: 'ListObjectsV2', input };
  }
  if (method === 'POST' && query.has('delete')) {
    const xml = await request.xml();
    const Objects = elements(xml, 'Object').map((one) => ({ Key: text(one, 'Key') }));
    return {
      operation: 'DeleteObjects',
      input: { Bucket, Delete: { Objects, Quiet: text(xml, 'Quiet') === 'true' } },
    };
  }
  const operation = { PUT: 'CreateBucket', HEAD: 'HeadBucket', DELETE: 'DeleteBucket' }[method];
  if (operation === undefined) throw new AwsError('NotImplemented', 'Use ListObjectsV2 (list-type=2).', 501);
  return { operation, input: { Bucket } };
}

async function onObject(request: S3Request): Promise<S3Route> {
  const { method, query } = request;
  const UploadId = query.get('uploadId');
  if (method === 'GET' || method === 'HEAD') {
    if (UploadId !== null)
      return { operation: 'ListParts', input: { ...fromHeaders(request, []), UploadId } };
    const input = fromHeaders(request, ['IfMatch', 'IfNoneMatch', 'Range', 'ChecksumMode']);
    return method === 'GET'
      ? { operation: 'GetObject', input: { ...input, BodyAs: 'stream' } }
      : { operation: 'HeadObject', input };
  }
  if (method === 'DELETE') {
    if (UploadId !== null)
      return { operation: 'AbortMultipartUpload', input: { ...fromHeaders(request, []), UploadId } };
    return { operation: 'DeleteObject', input: fromHeaders(request, []) };
  }
  if (method === 'POST' && query.has('uploads')) {
    return {
      operation: 'CreateMultipartUpload',
      input: {
        ...described(request),
        ...fromHeaders(request, ['ChecksumAlgorithm', 'ChecksumType']),
        Metadata: request.metadata(),
      },
    };
  }
  if (method === 'POST' && UploadId !== null) {
    const Parts = elements(await request.xml(), 'Part').map((part) => ({
      PartNumber: Number(text(part, 'PartNumber')),
      ETag: text(part, 'ETag') ?? '',
    }));
    const input = {
      ...fromHeaders(request, ['IfMatch', 'IfNoneMatch']),
      UploadId,
      MultipartUpload: { Parts },
    };
    return { operation: 'CompleteMultipartUpload', input };
  }
  if (method !== 'PUT') throw new AwsError('MethodNotAllowed', 'The specified method is not allowed.', 405);
  if (request.header('x-amz-copy-source') !== undefined) {
    if (UploadId !== null) throw new AwsError('NotImplemented', 'UploadPartCopy is not supported.', 501);
    const input = {
      ...described(request),
      ...fromHeaders(request, ['CopySource', 'MetadataDirective', 'IfMatch', 'IfNoneMatch']),
    };
    return { operation: 'CopyObject', input: { ...input, Metadata: request.metadata() } };
  }
  const body = { ...fromHeaders(request, ['ContentMD5']), ...checksumHeaders(request), ...request.stream() };
  if (UploadId !== null) {
    return {
      operation: 'UploadPart',
      input: { ...body, UploadId, PartNumber: Number(query.get('partNumber')) },
    };
  }
  const input = { ...described(request), ...fromHeaders(request, ['IfMatch', 'IfNoneMatch']), ...body };
  return { operation: 'PutObject', input: { ...input, Metadata: request.metadata() } };
}

/** @throws AwsError NotImplemented, MethodNotAllowed, MalformedXML */
export function routeS3(request: S3Request): Promise<S3Route> {
  const unsupported = UNSUPPORTED.find((name) => request.query.has(name));
  if (unsupported !== undefined) {
    throw new AwsError('NotImplemented', `The embedded S3 has no subresource ${unsupported}.`, 501);
  }
  if (request.bucket === '') return Promise.resolve({ operation: 'ListBuckets', input: {} });
  return request.key === '' ? onBucket(request) : onObject(request);
}
