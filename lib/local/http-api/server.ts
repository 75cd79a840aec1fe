// How does an HTTP API answer: route, throttle, authorize, invoke, translate?
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { CloudCall, CloudClock, Json } from '../types.ts';
import { ACCOUNT, AwsError, REGION } from '../types.ts';
import { createJwtAuthorizer } from './jwt.ts';
import type { JwtConfiguration } from './jwt.ts';
import { eventOf, responseOf } from './payload.ts';
import { routeTable } from './routes.ts';
import type { RouteMatch } from './routes.ts';
import { tokenBucket } from './throttle.ts';

export interface RouteTarget {
  functionArn: string;
  authorizer?: JwtConfiguration;
  scopes: readonly string[];
  throttle?: Throttle;
}

/** `0` for either refuses everything, as in AWS. */
export interface Throttle {
  ratePerSecond: number;
  burst: number;
}

export interface Cors {
  allowOrigins: readonly string[];
  allowMethods: readonly string[];
  allowHeaders: readonly string[];
  exposeHeaders: readonly string[];
  maxAgeSeconds?: number;
  allowCredentials: boolean;
}

export interface HttpApiDefinition {
  apiId: string;
  stage: string;
  routes: ReadonlyMap<string, RouteTarget>;
  throttle?: Throttle;
  cors?: Cors;
}

/** Hard limits of HTTP APIs: payload 10 MB, integration 30 s, and the account's default rate and burst. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const INTEGRATION_LIMIT_MS = 30_000;
const ACCOUNT_THROTTLE: Throttle = { ratePerSecond: 10_000, burst: 5_000 };

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** `undefined` when the body is over the limit; the rest is read and dropped so that the client sees the answer. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

function gatewayError(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ message: MESSAGES[status] }));
}

function corsHeaders(cors: Cors | undefined, origin: string | undefined): Record<string, string> {
  if (cors === undefined || origin === undefined) return {};
  if (!cors.allowOrigins.includes('*') && !cors.allowOrigins.includes(origin)) return {};
  return {
    'access-control-allow-origin': cors.allowOrigins.includes('*') ? '*' : origin,
    ...(cors.allowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(cors.exposeHeaders.length === 0
      ? {}
      : { 'access-control-expose-headers': cors.exposeHeaders.join(',') }),
  };
}

function preflightHeaders(cors: Cors): Record<string, string> {
  return {
    'access-control-allow-methods': cors.allowMethods.join(','),
    'access-control-allow-headers': cors.allowHeaders.join(','),
    ...(cors.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(cors.maxAgeSeconds) }),
  };
}

/** Resolves 'late' after the integration limit in cloud time or in real time, whichever comes first. */
function integrationLimit(clock: CloudClock): { late: Promise<'late'>; cancel: () => void } {
  let cancel = () => {};
  const late = new Promise<'late'>((resolve) => {
    const timer = clock.at(clock.now() + INTEGRATION_LIMIT_MS, () => resolve('late'));
    const real = setTimeout(() => resolve('late'), INTEGRATION_LIMIT_MS);
    real.unref();
    cancel = () => {
      timer.cancel();
      clearTimeout(real);
    };
  });
  return { late, cancel };
}

/** Answers requests as the API would. */
export function createHttpApi(
  api: HttpApiDefinition,
  context: { clock: CloudClock; call: CloudCall },
): RequestListener {
  const { clock, call } = context;
  const match = routeTable(api.routes);
  const bucket = ({ ratePerSecond, burst }: Throttle) => tokenBucket(ratePerSecond, burst, () => clock.now());
  const stageBucket = bucket(api.throttle ?? ACCOUNT_THROTTLE);
  const routeBuckets = new Map(
    [...api.routes].flatMap(([key, { throttle }]) =>
      throttle === undefined ? [] : [[key, bucket(throttle)]],
    ),
  );
  const authorizers = new Map(
    [...api.routes].flatMap(([key, { authorizer }]) =>
      authorizer === undefined ? [] : [[key, createJwtAuthorizer(authorizer, () => clock.now())]],
    ),
  );

  /** The function's result, or the status the gateway answers by itself. */
  const invoke = async (
    { routeKey, target }: RouteMatch<RouteTarget>,
    event: Json,
  ): Promise<{ status: number } | { result: Json }> => {
    const sourceArn = `arn:aws:execute-api:${REGION}:${ACCOUNT}:${api.apiId}/${api.stage}/${routeKey.replace(' /', '/')}`;
    const limit = integrationLimit(clock);
    try {
      const outcome = await Promise.race([
        call(
          { principal: { kind: 'service', service: 'apigateway.amazonaws.com', sourceArn } },
          'lambda',
          'Invoke',
          {
            FunctionName: target.functionArn,
            InvocationType: 'RequestResponse',
            Payload: Buffer.from(JSON.stringify(event)),
          },
        ),
        limit.late,
      ]);
      if (outcome === 'late') return { status: 503 };
      if (outcome.FunctionError !== undefined) return { status: 500 };
      const text = Buffer.from(outcome.Payload ?? '').toString('utf8');
      return { result: text === '' ? undefined : JSON.parse(text) };
    } catch (error) {
      // A throttled function is 503; a missing permission or function is the gateway's 500.
      const throttled = error instanceof AwsError && error.code === 'TooManyRequestsException';
      return { status: throttled ? 503 : 500 };
    } finally {
      limit.cancel();
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let release = clock.work(`HTTP ${request.method} ${request.url}`);
    try {
      const body = await readBody(request);
      const { headers, method = 'GET' } = request;
      const [rawPath = '/', rawQueryString = ''] = (request.url ?? '/').split(/\?(.*)/s);
      const origin = corsHeaders(api.cors, headers.origin);
      for (const [name, value] of Object.entries(origin)) response.setHeader(name, value);
      if (
        api.cors !== undefined &&
        method === 'OPTIONS' &&
        headers['access-control-request-method'] !== undefined
      ) {
        response.writeHead(204, preflightHeaders(api.cors));
        response.end();
        return;
      }
      if (body === undefined) return gatewayError(response, 413);
      const found = match(method, rawPath);
      if (found === undefined) return gatewayError(response, 404);
      const allowed = (routeBuckets.get(found.routeKey) ?? stageBucket)();
      if (!allowed) return gatewayError(response, 429);

      const authorize = authorizers.get(found.routeKey);
      const verdict = await authorize?.(headers.authorization, found.target.scopes);
      if (verdict?.allowed === false) {
        const detail = verdict.status === 403 ? 'insufficient_scope' : 'invalid_token';
        const challenge = headers.authorization === undefined ? 'Bearer' : `Bearer error="${detail}"`;
        return gatewayError(response, verdict.status, { 'www-authenticate': challenge });
      }
      const event = eventOf({
        apiId: api.apiId,
        stage: api.stage,
        routeKey: found.routeKey,
        method,
        rawPath,
        rawQueryString,
        headers,
        body,
        pathParameters: found.pathParameters,
        requestId: randomUUID(),
        timeMs: clock.now(),
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        ...(verdict === undefined
          ? {}
          : { authorizer: { jwt: { claims: verdict.claims, scopes: verdict.scopes } } }),
      });
      // The function counts as work itself; while it hangs, cloud time must be able to pass.
      const pending = invoke(found, event);
      release();
      const outcome = await pending;
      release = clock.work(`HTTP response of ${found.routeKey}`);
      if ('status' in outcome) return gatewayError(response, outcome.status);
      const result = responseOf(outcome.result);
      if (result === undefined) return gatewayError(response, 500);
      response.writeHead(result.status, {
        ...result.headers,
        ...(result.cookies.length === 0 ? {} : { 'set-cookie': [...result.cookies] }),
      });
      response.end(result.body);
    } finally {
      release();
    }
  };

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // The client went away or our own code failed: the gateway would say 500 and log it.
      console.error('HTTP API failed:', error);
      if (!response.headersSent) gatewayError(response, 500);
      else response.destroy();
    });
  };
}
