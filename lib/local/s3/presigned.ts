// Is this presigned URL still good, and was it signed by us?
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AwsError } from '../types.ts';

const WEEK_SECONDS = 604_800;

export interface Verification {
  now(): number;
  /** The secret of credentials this cloud issued; undefined for any others, whose signature cannot be checked. */
  secretOf(accessKeyId: string): string | undefined;
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

const denied = (message: string, fields: Record<string, unknown> = {}): AwsError =>
  new AwsError('AccessDenied', message, 403, fields);

function dateMs(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null)
    throw new AwsError('AuthorizationQueryParametersError', 'X-Amz-Date must be in the ISO8601 format');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The access key a request was signed with, in its header or its query. */
export function accessKeyOf(request: IncomingMessage): string | undefined {
  const inHeader = /Credential=([^/,\s]+)\//.exec(request.headers.authorization ?? '')?.[1];
  const query = new URLSearchParams((request.url ?? '/').split('?')[1] ?? '');
  return inHeader ?? query.get('X-Amz-Credential')?.split('/')[0];
}

function signatureOf(
  request: IncomingMessage,
  rawPath: string,
  query: URLSearchParams,
  names: readonly string[],
  secret: string,
): string {
  const date = query.get('X-Amz-Date') ?? '';
  const scope = (query.get('X-Amz-Credential') ?? '').split('/').slice(1);
  const path = rawPath
    .split('/')
    .map((segment) => encoded(decodeURIComponent(segment)))
    .join('/');
  const pairs = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
  const headers = names.map((name) => {
    const value = request.headers[name];
    return `${name}:${(Array.isArray(value) ? value.join(',') : (value ?? '')).trim().replaceAll(/\s+/g, ' ')}\n`;
  });
  const payload =
    query.get('X-Amz-Content-Sha256') ?? request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD';
  const canonical = [request.method, path, pairs.join('&'), headers.join(''), names.join(';'), payload].join(
    '\n',
  );
  const digest = createHash('sha256').update(canonical).digest('hex');
  const [day = '', region = '', service = ''] = scope;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), digest].join('\n')).toString('hex');
}

/**
 * Does nothing for requests that are not presigned. Expiry and the presence of every signed header are checked for
 * all; the signature (and with it the values of the signed headers) for credentials whose secret is known.
 * @throws AwsError AccessDenied, SignatureDoesNotMatch, AuthorizationQueryParametersError
 */
export function verifyPresigned(
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  { now, secretOf }: Verification,
): void {
  const signature = query.get('X-Amz-Signature');
  if (signature === null) return;
  const expiresSeconds = Number(query.get('X-Amz-Expires'));
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > WEEK_SECONDS) {
    throw new AwsError(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be between 1 and 604800 seconds',
    );
  }
  const expiryMs = dateMs(query.get('X-Amz-Date') ?? '') + expiresSeconds * 1000;
  if (now() > expiryMs) {
    throw denied('Request has expired', {
      Expires: new Date(expiryMs).toISOString(),
      ServerTime: new Date(now()).toISOString(),
    });
  }
  const names = (query.get('X-Amz-SignedHeaders') ?? '').split(';');
  const missing = names.filter((name) => request.headers[name] === undefined);
  if (!names.includes('host') || missing.length > 0) {
    throw denied('There were headers signed which are not present in the request', {
      HeadersNotPresent: missing.join(', '),
    });
  }
  const secret = secretOf((query.get('X-Amz-Credential') ?? '').split('/')[0] ?? '');
  if (secret === undefined) return;
  const expected = Buffer.from(signatureOf(request, path, query, names, secret));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
    );
  }
}
