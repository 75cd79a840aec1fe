// What do a request's signature and body say, and how is an answer or an error written?
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CloudService, Json } from '../types.ts';
import { AwsError } from '../types.ts';
import { errorHeaders } from './target.ts';

/** Access key id and service of a SigV4 signature, in the header or (presigned) in the query. */
export function signature(
  request: IncomingMessage,
  query: URLSearchParams,
): { key: string; service: string } | undefined {
  const scope =
    /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1] ?? query.get('X-Amz-Credential');
  const [key, , , service] = (scope ?? '').split('/');
  return key === undefined || service === undefined ? undefined : { key, service };
}

/** AWS answers nobody without credentials, and S3 no signature of version 2; any other credentials are good here. */
export function unsigned(query: URLSearchParams): AwsError {
  return query.has('AWSAccessKeyId')
    ? new AwsError(
        'InvalidRequest',
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      )
    : new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Buffer | string,
): void {
  response.writeHead(status, {
    'x-amzn-requestid': randomUUID(),
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  });
  response.end(body);
}

export function sendError(
  response: ServerResponse,
  service: CloudService,
  contentType: string,
  error: AwsError,
): void {
  const body = { __type: error.code, message: error.message, ...error.fields };
  const headers = { 'content-type': contentType, ...errorHeaders(service, error) };
  send(response, error.status, headers, JSON.stringify(body));
}

/** @throws AwsError SerializationException */
export function parse(body: Buffer): Json {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new AwsError('SerializationException', `The body is not JSON: ${String(error)}`, 400);
  }
}
