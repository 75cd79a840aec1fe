// How does an HTTP request become a Lambda event (payload format 2.0), and a Lambda result a response?
import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from '../types.ts';
import { ACCOUNT, REGION } from '../types.ts';

export interface GatewayRequest {
  apiId: string;
  stage: string;
  routeKey: string;
  method: string;
  rawPath: string;
  rawQueryString: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  pathParameters: Record<string, string>;
  requestId: string;
  timeMs: number;
  sourceIp: string;
  authorizer?: Json;
}

export interface GatewayResponse {
  status: number;
  headers: Record<string, string>;
  cookies: readonly string[];
  body: Buffer;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const two = (value: number) => String(value).padStart(2, '0');

/** `12/Mar/2026:19:03:58 +0000`, as access logs write it. */
function logTime(timeMs: number): string {
  const at = new Date(timeMs);
  const day = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}

/** Media types that arrive as text; everything else is base64. */
const isText = (contentType: string | undefined) =>
  contentType === undefined ||
  /^(text\/|application\/(json|javascript|xml)\b|application\/[^;]+\+json\b)/i.test(contentType);

function joinRepeated(pairs: Iterable<[string, string]>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of pairs) joined[name] = name in joined ? `${joined[name]},${value}` : value;
  return joined;
}

/** The event of payload format version 2.0. */
export function eventOf(request: GatewayRequest): Json {
  const { headers, body, routeKey } = request;
  const query = joinRepeated(new URLSearchParams(request.rawQueryString));
  const plainHeaders = Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => name !== 'cookie' && value !== undefined)
      .map(([name, value]) => [name, [value].flat().join(',')]),
  );
  const text = isText(headers['content-type']);
  const domainName = `${request.apiId}.execute-api.${REGION}.amazonaws.com`;
  return {
    version: '2.0',
    routeKey,
    rawPath: request.rawPath,
    rawQueryString: request.rawQueryString,
    ...(headers.cookie === undefined ? {} : { cookies: headers.cookie.split(/;\s*/) }),
    headers: plainHeaders,
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: request.apiId,
      ...(request.authorizer === undefined ? {} : { authorizer: request.authorizer }),
      domainName,
      domainPrefix: request.apiId,
      http: {
        method: request.method,
        path: request.rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey,
      stage: request.stage,
      time: logTime(request.timeMs),
      timeEpoch: request.timeMs,
    },
    ...(Object.keys(request.pathParameters).length === 0 ? {} : { pathParameters: request.pathParameters }),
    ...(body.length === 0 ? {} : { body: body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !text,
  };
}

const JSON_HEADERS = { 'content-type': 'application/json' };

/**
 * A function's result as the gateway reads it: with `statusCode` it is the response, anything else is a 200 body.
 * @returns undefined for a result the gateway cannot read (500).
 */
export function responseOf(result: Json): GatewayResponse | undefined {
  if (typeof result !== 'object' || result === null || result.statusCode === undefined) {
    const body = Buffer.from(typeof result === 'string' ? result : (JSON.stringify(result) ?? ''));
    return { status: 200, headers: JSON_HEADERS, cookies: [], body };
  }
  const status = Number(result.statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (result.body !== undefined && result.body !== null && typeof result.body !== 'string') return undefined;
  const named = Object.entries((result.headers ?? {}) as Record<string, Json>);
  const headers = Object.fromEntries(named.map(([name, value]) => [name.toLowerCase(), String(value)]));
  return {
    status,
    headers: { ...JSON_HEADERS, ...headers },
    cookies: (result.cookies ?? []).map(String),
    body: Buffer.from(result.body ?? '', result.isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}
