// Does an API answer callers by their claims, in documented shapes, and failures as problem+json?
import * as z from 'zod';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineRoutes } from '../../lambdas/runtime/define-routes.ts';
import { Conflict, InvalidInput, RateLimited, Refused, Unavailable } from '../../lambdas/runtime/errors.ts';
import { IDEMPOTENCY_MS } from '../../lambdas/runtime/idempotency.ts';
import type { Need } from '../../lambdas/runtime/need.ts';
import { openApi } from '../../lambdas/runtime/openapi.ts';
import { notFound } from '../../lambdas/runtime/problem.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let plane: DataPlane;
let idempotency: Table;
let output: OutputLines;
beforeAll(async () => {
  plane = await startDataPlane();
  idempotency = plane.open(tableNeed('runs', 'write'));
});
afterAll(() => plane.cloud.close());
beforeEach(() => {
  output = captureOutput();
  made = 0;
});
afterEach(() => output.stop());

let made = 0;
const store: Need<{ name: string }> = { grants: [], env: {}, open: () => ({ name: 'store' }) };
const FAILURES: Record<string, () => Error> = {
  invalid: () => new InvalidInput('The brief has no offer.', { path: 'brief.offer' }),
  refused: () => new Refused('The vendor said no.'),
  slow: () => new RateLimited('Too fast.'),
  throttled: () => new RateLimited('Slow down.', { vendorCode: 'ThrottlingException' }),
  down: () => new Unavailable('Down.'),
  moved: () => new Conflict('Changed.'),
  absent: () => notFound('run run-1'),
  bug: () => new TypeError('secret detail'),
};

const { routes } = defineRoutes({
  name: 'ThingsApi',
  needs: { store },
  routes: (route) => [
    route({
      method: 'GET',
      path: '/v1/things/{id}',
      summary: 'One thing',
      access: ['viewer', 'operator'],
      params: z.object({ id: z.string().min(2) }),
      query: z.object({ limit: z.coerce.number().int().max(100).default(10).describe('At most this many.') }),
      responses: {
        200: z.object({ id: z.string(), limit: z.number(), tenant: z.string(), store: z.string() }),
      },
      run: async ({ params, query, caller }, { store: { name } }) => ({
        status: 200,
        body: { id: params.id, limit: query.limit, tenant: caller.tenant, store: name },
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/things',
      summary: 'Make a thing',
      access: ['operator'],
      body: z.object({ name: z.string().min(1), fail: z.string().optional() }),
      responses: { 202: z.object({ number: z.number() }).describe('Being made') },
      idempotent: true,
      async run({ body }) {
        const failure = body.fail === undefined ? undefined : FAILURES[body.fail]?.();
        if (failure !== undefined) throw failure;
        made += 1;
        return { status: 202, body: { number: made } };
      },
    }),
    route({
      method: 'POST',
      path: '/webhook',
      summary: 'Signed by its sender',
      access: 'public',
      responses: { 204: z.undefined(), 200: z.object({ hex: z.string() }) },
      run: async ({ rawBody, caller }) =>
        caller === undefined && rawBody.length > 0
          ? { status: 200, body: { hex: rawBody.toString('hex') } }
          : { status: 204 },
    }),
    route({
      method: 'GET',
      path: '/undocumented',
      summary: 'Answers what it does not document',
      access: 'public',
      responses: { 200: z.object({ n: z.number() }) },
      run: async () => ({ status: 200, body: { n: 'text' } }),
    }),
  ],
});

const OPERATOR = { 'custom:tenant': 'acme', role: 'operator', sub: 'ada' };

interface Call {
  route: string;
  claims?: Record<string, unknown>;
  params?: Record<string, string>;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
  base64?: boolean;
}

async function call({ route, claims = OPERATOR, params = {}, query = '', body, headers = {}, base64 }: Call) {
  const event = {
    version: '2.0',
    routeKey: route,
    rawQueryString: query,
    headers,
    pathParameters: params,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: base64 ?? false,
    requestContext: { requestId: 'r-1', authorizer: { jwt: { claims, scopes: null } } },
  };
  const answer = await routes.answer(event, { store: { name: 'store' }, clock: plane.clock, idempotency });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.body === '' ? undefined : (JSON.parse(answer.body) as Record<string, unknown>),
  };
}

describe('dispatch', () => {
  it('parses path, query and claims, and answers the documented shape', async () => {
    const answer = await call({
      route: 'GET /v1/things/{id}',
      params: { id: 't-1' },
      query: 'limit=5',
      headers: { 'x-correlation-id': 'abc-1' },
    });
    expect(answer).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', 'x-correlation-id': 'abc-1' },
      body: { id: 't-1', limit: 5, tenant: 'acme', store: 'store' },
    });
    expect(output.metrics()).toMatchObject([
      { name: 'activity_executions_total', dimensions: { activity: 'ThingsApi', status: 'succeeded' } },
    ]);
  });

  it.each([
    ['the role is not allowed', { ...OPERATOR, role: 'viewer' }],
    ['the role is unknown', { ...OPERATOR, role: 'root' }],
    ['there is no tenant', { role: 'operator', sub: 'ada' }],
    ['the tenant would escape its keys', { ...OPERATOR, 'custom:tenant': 'acme#run' }],
    ['the tenant is ours', { ...OPERATOR, 'custom:tenant': 'platform' }],
  ])('refuses with 403 when %s, whatever the body says', async (_why, claims) => {
    const answer = await call({
      route: 'POST /v1/things',
      claims,
      body: { name: 'x', tenant: 'acme', role: 'operator' },
    });
    expect(answer).toMatchObject({ status: 403, headers: { 'content-type': 'application/problem+json' } });
    expect(made).toBe(0);
  });

  it('hands public routes the raw body, also when it came as base64', async () => {
    expect(
      await call({
        route: 'POST /webhook',
        claims: {},
        body: Buffer.from([0, 255]).toString('base64'),
        base64: true,
      }),
    ).toMatchObject({ status: 200, body: { hex: '00ff' } });
    expect(await call({ route: 'POST /webhook', claims: {} })).toMatchObject({
      status: 204,
      body: undefined,
    });
  });

  it('answers 500 without details for an undocumented answer, which is our mistake', async () => {
    const answer = await call({ route: 'GET /undocumented', claims: {} });
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Our mistake',
      status: 500,
      correlationId: expect.any(String),
    });
    expect(output.logs().some((line) => String(line['reason']).includes('does not document'))).toBe(true);
  });
});

describe('problems', () => {
  it('name every field that is wrong', async () => {
    const answer = await call({ route: 'GET /v1/things/{id}', params: { id: 't-1' }, query: 'limit=5000' });
    expect(answer).toMatchObject({
      status: 400,
      body: { status: 400, path: 'limit', errors: [{ path: 'limit', message: expect.any(String) }] },
    });
    expect((await call({ route: 'POST /v1/things', body: {} })).body).toMatchObject({
      path: 'name',
      errors: [{ path: 'name', message: 'is missing' }],
    });
    expect((await call({ route: 'POST /v1/things', body: '{' })).body).toMatchObject({
      status: 400,
      detail: 'The body is not JSON.',
    });
    expect(
      (await call({ route: 'GET /v1/things/{id}', params: { id: 't-1' }, query: 'limit=1&limit=2' })).body,
    ).toMatchObject({ path: 'limit' });
  });

  it.each([
    ['invalid', 400],
    ['refused', 422],
    ['slow', 429],
    ['throttled', 503],
    ['down', 503],
    ['moved', 409],
    ['absent', 404],
    ['bug', 500],
  ])('%s is %i', async (fail, status) => {
    const answer = await call({ route: 'POST /v1/things', body: { name: 'x', fail } });
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: { status },
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
  });
});

describe('a problem found by a route itself', () => {
  it('keeps its path and sentence', async () => {
    const { body } = await call({ route: 'POST /v1/things', body: { name: 'x', fail: 'invalid' } });
    expect(body).toMatchObject({ path: 'brief.offer', detail: 'The brief has no offer.' });
  });
});

describe('Idempotency-Key', () => {
  const post = (key: string, body: unknown = { name: 'x' }, claims: Record<string, unknown> = OPERATOR) =>
    call({ route: 'POST /v1/things', body, claims, headers: { 'idempotency-key': key } });

  it('answers the same request from memory for a day', async () => {
    expect(await post('k1')).toMatchObject({ status: 202, body: { number: 1 } });
    expect(await post('k1')).toMatchObject({
      status: 202,
      body: { number: 1 },
      headers: { 'idempotency-replayed': 'true' },
    });
    expect(await post('k2')).toMatchObject({ body: { number: 2 } });
    expect(await post('k1', { name: 'x' }, { ...OPERATOR, 'custom:tenant': 'other' })).toMatchObject({
      body: { number: 3 },
    });
    plane.clock.advance(IDEMPOTENCY_MS);
    expect(await post('k1')).toMatchObject({ body: { number: 4 } });
  });

  it('refuses another request under the same key with 422', async () => {
    await post('k3');
    expect(await post('k3', { name: 'y' })).toMatchObject({ status: 422, body: { path: 'Idempotency-Key' } });
    expect(made).toBe(1);
  });

  it('runs once for simultaneous requests', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post('k4')));
    expect(made).toBe(1);
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(1);
    for (const { status } of answers) expect([202, 409]).toContain(status);
  });

  it('forgets failures, so that they may be tried again', async () => {
    expect(await post('k5', { name: 'x', fail: 'down' })).toMatchObject({ status: 503 });
    expect(await post('k5', { name: 'x' })).toMatchObject({ status: 202 });
  });
});

describe('openApi', () => {
  const document = openApi([routes], { title: 'Things', version: '1' }) as {
    paths: Record<
      string,
      Record<
        string,
        {
          parameters: unknown[];
          security: unknown[];
          requestBody?: unknown;
          responses: Record<string, { content?: unknown }>;
        }
      >
    >;
    components: { schemas: { Problem: { properties: Record<string, unknown> } } };
  };

  it('describes every route with its parameters, body, answers and security', () => {
    expect(Object.keys(document.paths)).toEqual([
      '/undocumented',
      '/v1/things',
      '/v1/things/{id}',
      '/webhook',
    ]);
    const get = document.paths['/v1/things/{id}']?.['get'];
    expect(get?.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string', minLength: 2 } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'At most this many.',
        schema: expect.objectContaining({ type: 'integer', maximum: 100, default: 10 }),
      },
    ]);
    expect(get?.security).toEqual([{ token: [] }]);
    const post = document.paths['/v1/things']?.['post'];
    expect(post?.requestBody).toMatchObject({
      content: { 'application/json': { schema: { required: ['name'] } } },
    });
    expect(post?.responses).toMatchObject({
      202: { description: 'Being made' },
      default: { content: { 'application/problem+json': {} } },
    });
    const webhook = document.paths['/webhook']?.['post'];
    expect(webhook?.security).toEqual([]);
    expect(webhook?.responses['204']).not.toHaveProperty('content');
    expect(Object.keys(document.components.schemas.Problem.properties)).toContain('errors');
  });
});
