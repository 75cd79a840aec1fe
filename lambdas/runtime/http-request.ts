// What happens between the gateway's event and a route, and back?
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { hashOf, sha256 } from './canonical.ts';
import { systemClock, type Clock } from './clock.ts';
import type { AnyRoute, Caller, GatewayAnswer, RouteAnswer } from './define-routes.ts';
import { InvalidInput } from './errors.ts';
import { once, type StoredAnswer } from './idempotency.ts';
import { openLog } from './log.ts';
import { emitMetric } from './metrics.ts';
import { parseAs } from './parse.ts';
import { HttpProblem, problemOf } from './problem.ts';
import { TenantId } from './run-id.ts';
import type { Table } from './table.ts';

const GatewayEvent = z.object({
  routeKey: z.string(),
  rawQueryString: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  pathParameters: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    requestId: z.string().default(''),
    authorizer: z
      .object({ jwt: z.object({ claims: z.record(z.string(), z.unknown()) }).optional() })
      .optional(),
  }),
});
type GatewayEvent = z.output<typeof GatewayEvent>;

const Claims = z.object({
  'custom:tenant': TenantId,
  role: z.enum(['viewer', 'operator', 'approver', 'admin']),
  sub: z.string().min(1),
});

const JSON_TYPE = 'application/json';
const CORRELATION = 'x-correlation-id';

/** Every failure becomes problem+json; only what Lambda itself does (timeout, crash) reaches the gateway. */
export async function answerRequest(
  name: string,
  routes: readonly AnyRoute[],
  rawEvent: unknown,
  open: () => Record<string, unknown>,
): Promise<GatewayAnswer> {
  const event = GatewayEvent.parse(rawEvent);
  const given = event.headers[CORRELATION];
  const correlationId = given !== undefined && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
  const startedMs = Date.now();
  const log = openLog(process.env, {
    function: name,
    correlationId,
    requestId: event.requestContext.requestId,
  });
  let answer: StoredAnswer;
  let status: 'succeeded' | 'failed' = 'succeeded';
  try {
    answer = await dispatch(routes, event, correlationId, { log, ...open() });
  } catch (error) {
    const problem = problemOf(error, correlationId);
    if (problem.status >= 500) status = 'failed';
    const fields = {
      route: event.routeKey,
      status: problem.status,
      error: error instanceof Error ? error.name : 'unknown',
      reason: String(error),
    };
    if (problem.status === 500)
      log.error('request failed by our mistake', {
        ...fields,
        stack: error instanceof Error ? error.stack : undefined,
      });
    else log.info('request refused', fields);
    answer = {
      status: problem.status,
      headers: { 'content-type': 'application/problem+json' },
      body: JSON.stringify(problem),
    };
  }
  emitMetric('activity_executions_total', 1, { activity: name, status });
  log.info('request answered', {
    route: event.routeKey,
    status: answer.status,
    durationMs: Date.now() - startedMs,
  });
  return {
    statusCode: answer.status,
    headers: { ...answer.headers, [CORRELATION]: correlationId },
    body: answer.body,
  };
}

async function dispatch(
  routes: readonly AnyRoute[],
  event: GatewayEvent,
  correlationId: string,
  context: Record<string, unknown>,
): Promise<StoredAnswer> {
  const route = routes.find(({ method, path }) => `${method} ${path}` === event.routeKey);
  if (route === undefined) throw new HttpProblem(404, `There is nothing at ${event.routeKey}.`);
  const caller = route.access === 'public' ? undefined : callerOf(event);
  if (caller !== undefined && route.access !== 'public' && !route.access.includes(caller.role)) {
    throw new HttpProblem(
      403,
      `The role ${caller.role} may not do this; it takes ${route.access.join(' or ')}.`,
    );
  }
  const rawBody = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const request = {
    params: route.params && parseAs(route.params, event.pathParameters, 'The path'),
    query: route.query && parseAs(route.query, queryOf(event), 'The query'),
    body: route.body && parseAs(route.body, jsonOf(rawBody), 'The body'),
    caller,
    headers: event.headers,
    rawBody,
    correlationId,
  };
  const run = async (): Promise<StoredAnswer> =>
    written(route, await route.run(request, { clock: systemClock, ...context }));
  const key = event.headers['idempotency-key'];
  if (!route.idempotent || key === undefined) return run();
  if (caller === undefined || key.length === 0 || key.length > 255) {
    throw new InvalidInput('Idempotency-Key must have 1 to 255 characters.', { path: 'Idempotency-Key' });
  }
  const clock = (context['clock'] as Clock | undefined) ?? systemClock;
  const fingerprint = hashOf({
    params: event.pathParameters,
    query: event.rawQueryString,
    body: sha256(rawBody),
    subject: caller.subject,
  });
  const identity = { tenant: caller.tenant, route: event.routeKey, key, fingerprint };
  const { replayed, ...answer } = await once(context['idempotency'] as Table, clock, identity, run);
  return replayed ? { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } } : answer;
}

/** @throws HttpProblem 403 for a token that is valid but says no tenant or role that we know. */
function callerOf(event: GatewayEvent): Caller {
  const claims = Claims.safeParse(event.requestContext.authorizer?.jwt?.claims ?? {});
  if (!claims.success) throw new HttpProblem(403, 'The token names no tenant and role.');
  return { tenant: claims.data['custom:tenant'], role: claims.data.role, subject: claims.data.sub };
}

/** Checked against the route's schema for its status: an answer we did not document is our mistake. */
function written(route: AnyRoute, answer: RouteAnswer): StoredAnswer {
  const schema = route.responses[answer.status];
  if (schema === undefined)
    throw new Error(`${route.method} ${route.path} answered ${answer.status}, which it does not document.`);
  const checked = schema.safeParse(answer.body);
  if (!checked.success) {
    throw new Error(
      `${route.method} ${route.path} answered ${answer.status} in a shape it does not document: ${checked.error.message}`,
    );
  }
  return {
    status: answer.status,
    headers: { ...(answer.body === undefined ? {} : { 'content-type': JSON_TYPE }), ...answer.headers },
    body: answer.body === undefined ? '' : JSON.stringify(checked.data),
  };
}

function queryOf(event: GatewayEvent): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(event.rawQueryString)) {
    if (name in query) throw new InvalidInput(`The query says ${name} twice.`, { path: name });
    query[name] = value;
  }
  return query;
}

function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new InvalidInput('The body is not JSON.', { path: '', cause: error });
  }
}
