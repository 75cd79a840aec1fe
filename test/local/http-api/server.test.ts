import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClock } from '../../../lib/local/clock.ts';
import type { LocalClock } from '../../../lib/local/clock.ts';
import { createHttpApi } from '../../../lib/local/http-api/server.ts';
import type { HttpApiDefinition, RouteTarget } from '../../../lib/local/http-api/server.ts';
import { createIssuer } from '../../../lib/local/issuer.ts';
import type { Issuer } from '../../../lib/local/issuer.ts';
import { AwsError } from '../../../lib/local/types.ts';
import type { CallContext, Json } from '../../../lib/local/types.ts';

const START = Date.UTC(2026, 5, 1);
let clock: LocalClock;
let issuer: Issuer;
let closing: (() => void)[] = [];

beforeEach(async () => {
  clock = createClock({ mode: 'virtual', startAt: START });
  issuer = await createIssuer({ now: () => clock.now() });
});
afterEach(async () => {
  for (const close of closing) close();
  closing = [];
  clock.close();
  await issuer.close();
});

/** An API whose functions are the values of `functions`, by ARN. */
async function serve(
  functions: Record<string, (event: Json, context: CallContext) => Json>,
  routes: Record<string, Partial<RouteTarget> & { functionArn: string }>,
  more: Partial<HttpApiDefinition> = {},
) {
  const server = createServer(
    createHttpApi(
      {
        apiId: 'api1',
        stage: '$default',
        routes: new Map(Object.entries(routes).map(([key, target]) => [key, { scopes: [], ...target }])),
        ...more,
      },
      {
        clock,
        call: async (context, _service, _operation, input) => {
          const result = await functions[input.FunctionName]!(JSON.parse(input.Payload.toString()), context);
          return result?.fails === true
            ? { StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from('{}') }
            : { StatusCode: 200, Payload: Buffer.from(JSON.stringify(result)) };
        },
      },
    ),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async (path: string, init: RequestInit = {}) => {
    const response = await fetch(base + path, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

describe('createHttpApi', () => {
  it('hands path parameters to the function, in the name of the route', async () => {
    let seen: CallContext | undefined;
    const get = await serve(
      {
        f: (event, context) => {
          seen = context;
          return { statusCode: 201, body: event.pathParameters.id, cookies: ['a=b', 'c=d'] };
        },
      },
      { 'GET /runs/{id}': { functionArn: 'f' } },
    );
    const response = await get('/runs/a%20b');
    expect(response).toMatchObject({ status: 201, text: 'a b' });
    expect(response.headers.getSetCookie()).toEqual(['a=b', 'c=d']);
    expect(seen?.principal).toEqual({
      kind: 'service',
      service: 'apigateway.amazonaws.com',
      sourceArn: 'arn:aws:execute-api:us-east-1:000000000000:api1/$default/GET/runs/{id}',
    });
  });

  it('answers its own errors in its own words', async () => {
    const get = await serve(
      {
        fails: () => ({ fails: true }),
        odd: () => ({ statusCode: 'x' }),
        busy: () => {
          throw new AwsError('TooManyRequestsException', 'Rate exceeded', 429);
        },
        denied: () => {
          throw new AwsError('AccessDeniedException', 'no', 403);
        },
      },
      {
        'GET /fails': { functionArn: 'fails' },
        'GET /odd': { functionArn: 'odd' },
        'GET /busy': { functionArn: 'busy' },
        'POST /denied': { functionArn: 'denied' },
      },
    );
    expect(await get('/nothing')).toMatchObject({ status: 404, text: '{"message":"Not Found"}' });
    expect(await get('/fails')).toMatchObject({ status: 500, text: '{"message":"Internal Server Error"}' });
    expect(await get('/odd')).toMatchObject({ status: 500 });
    expect(await get('/busy')).toMatchObject({ status: 503, text: '{"message":"Service Unavailable"}' });
    expect(await get('/denied', { method: 'POST' })).toMatchObject({ status: 500 });
    const big = Buffer.alloc(10 * 1024 * 1024 + 1);
    expect(await get('/denied', { method: 'POST', body: big })).toMatchObject({ status: 413 });
  });

  it('gives up on a function after 30 s of cloud time', async () => {
    const get = await serve({ hangs: () => new Promise(() => {}) }, { 'GET /': { functionArn: 'hangs' } });
    let response: { status: number } | undefined;
    const pending = get('/').then((got) => {
      response = got;
    });
    await clock.until(() => response !== undefined);
    await pending;
    expect(response).toMatchObject({ status: 503, text: '{"message":"Service Unavailable"}' });
    expect(clock.now() - START).toBe(30_000);
  });

  it('throttles by the stage and lets requests in again when time has passed', async () => {
    const get = await serve(
      { f: () => 'ok' },
      { 'GET /': { functionArn: 'f' } },
      { throttle: { ratePerSecond: 1, burst: 2 } },
    );
    const statuses = [await get('/'), await get('/'), await get('/')].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 429]);
    await clock.advance(1000);
    expect(await get('/')).toMatchObject({ status: 200 });
    expect(await get('/')).toMatchObject({ status: 429, text: '{"message":"Too Many Requests"}' });
  });

  it('answers preflight requests itself and marks answers for allowed origins only', async () => {
    const get = await serve(
      { f: () => 'ok' },
      { 'GET /': { functionArn: 'f' } },
      {
        cors: {
          allowOrigins: ['https://a.example'],
          allowMethods: ['GET'],
          allowHeaders: ['authorization'],
          exposeHeaders: [],
          maxAgeSeconds: 60,
          allowCredentials: false,
        },
      },
    );
    const origin = 'https://a.example';
    const preflight = await get('/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
    expect((await get('/', { headers: { origin } })).headers.get('access-control-allow-origin')).toBe(origin);
    const other = await get('/', { headers: { origin: 'https://b.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the JWT authorizer', () => {
  const claimsOf = (event: Json) => event.requestContext.authorizer.jwt;
  const api = (scopes: string[] = []) =>
    serve(
      { f: claimsOf },
      {
        'GET /': {
          functionArn: 'f',
          authorizer: { issuer: issuer.issuer, audience: [issuer.audience] },
          scopes,
        },
      },
    );
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const grant = { tenant: 'acme', role: 'operator' };

  it('passes verified claims on as strings', async () => {
    const get = await api();
    const token = await issuer.sign({ ...grant, claims: { groups: ['a', 'b'], flag: true } });
    const { status, text } = await get('/', bearer(token));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      claims: { 'custom:tenant': 'acme', groups: '[a b]', flag: 'true', exp: String(START / 1000 + 3600) },
      scopes: null,
    });
  });

  it('refuses missing, foreign, expired, early and misdirected tokens with 401', async () => {
    const get = await api();
    expect(await get('/')).toMatchObject({ status: 401, text: '{"message":"Unauthorized"}' });
    const { privateKey } = await generateKeyPair('RS256');
    const foreign = await new SignJWT({ iss: issuer.issuer, aud: issuer.audience, exp: START / 1000 + 60 })
      .setProtectedHeader({ alg: 'RS256', kid: 'development' })
      .sign(privateKey);
    const nowSeconds = START / 1000;
    const tokens = {
      foreign,
      garbage: 'x.y.z',
      withoutKey: await new SignJWT({}).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
      expired: await issuer.sign({ ...grant, expiresInSeconds: -1 }),
      notYet: await issuer.sign({ ...grant, claims: { nbf: nowSeconds + 60 } }),
      fromTheFuture: await issuer.sign({ ...grant, claims: { iat: nowSeconds + 60 } }),
      otherAudience: await issuer.sign({ ...grant, claims: { aud: 'other' } }),
      otherIssuer: await issuer.sign({ ...grant, claims: { iss: 'http://other' } }),
      endless: await issuer.sign({ ...grant, claims: { exp: undefined } }),
    };
    for (const [name, token] of Object.entries(tokens)) {
      expect.soft((await get('/', bearer(token))).status, name).toBe(401);
    }
    const byClientId = await issuer.sign({ ...grant, claims: { aud: undefined } });
    expect((await get('/', bearer(byClientId))).status).toBe(200);
  });

  it('asks for one of the route’s scopes', async () => {
    const get = await api(['ads:write', 'ads:admin']);
    const without = await issuer.sign({ ...grant, claims: { scope: 'ads:read' } });
    expect(await get('/', bearer(without))).toMatchObject({ status: 403, text: '{"message":"Forbidden"}' });
    const having = await issuer.sign({ ...grant, claims: { scope: 'ads:read ads:write' } });
    expect(JSON.parse((await get('/', bearer(having))).text).scopes).toEqual(['ads:read', 'ads:write']);
  });

  it('stops accepting a token when cloud time passes its end', async () => {
    const get = await api();
    const token = await issuer.sign({ ...grant, expiresInSeconds: 60 });
    expect((await get('/', bearer(token))).status).toBe(200);
    await clock.advance(61_000);
    expect((await get('/', bearer(token))).status).toBe(401);
  });
});
