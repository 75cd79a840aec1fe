// How do plain functions become an area's HTTP API?
import middy from '@middy/core';
import type * as z from 'zod';
import { systemClock, type Clock } from './clock.ts';
import type { LambdaHandler } from './define-task.ts';
import { answerRequest } from './http-request.ts';
import type { Log } from './log.ts';
import type { Need, Needs, Opened } from './need.ts';
import type { Role, RouteSpec, RoutesSpec } from './specs.ts';
import { tableNeed, type Table } from './table.ts';

/** Who calls, from the authorizer's claims and nothing else. */
export interface Caller {
  tenant: string;
  role: Role;
  /** `sub` of the token. */
  subject: string;
}

export interface RouteRequest<P, Q, B, A> {
  params: P;
  query: Q;
  body: B;
  /** Undefined on public routes. */
  caller: A extends 'public' ? undefined : Caller;
  headers: Readonly<Record<string, string | undefined>>;
  /** As it came, for signatures. */
  rawBody: Buffer;
  correlationId: string;
}

export interface RouteAnswer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface RouteContext {
  clock: Clock;
  log: Log;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteDefinition<A extends readonly Role[] | 'public', P, Q, B, N extends Needs> extends Omit<
  RouteSpec,
  'access' | 'params' | 'query' | 'body'
> {
  access: A;
  params?: P & z.ZodType;
  query?: Q & z.ZodType;
  body?: B & z.ZodType;
  /** Honour `Idempotency-Key`: the same request under the same key is answered from memory for 24 hours. */
  idempotent?: boolean;
  run(
    request: RouteRequest<Parsed<P>, Parsed<Q>, Parsed<B>, A>,
    context: Opened<N> & RouteContext,
  ): Promise<RouteAnswer>;
}

/** A route whose request type is forgotten. */
export interface AnyRoute extends RouteSpec {
  idempotent: boolean;
  run(
    request: RouteRequest<unknown, unknown, unknown, readonly Role[] | 'public'>,
    context: Record<string, unknown>,
  ): Promise<RouteAnswer>;
}

export type RouteMaker<N extends Needs> = <
  A extends readonly Role[] | 'public',
  P = undefined,
  Q = undefined,
  B = undefined,
>(
  definition: RouteDefinition<A, P, Q, B, N>,
) => AnyRoute;

export interface RoutesDefinition<N extends Needs> {
  name: string;
  needs: N;
  timeoutSeconds?: number;
  memoryMb?: number;
  /** `route` carries the types of the needs into each route's context. */
  routes(route: RouteMaker<N>): readonly AnyRoute[];
}

export interface Routes<N extends Needs> extends RoutesSpec {
  routes: readonly AnyRoute[];
  /** One event of payload format 2.0 without Lambda; `idempotency` is the table runs where a route is idempotent. */
  answer(
    event: unknown,
    opened: Opened<N> & Partial<RouteContext> & { idempotency?: Table },
  ): Promise<GatewayAnswer>;
}

export interface GatewayAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/** Below the gateway's 30 seconds. */
const TIMEOUT_SECONDS = 29;

export function defineRoutes<const N extends Needs>(
  definition: RoutesDefinition<N>,
): { handler: LambdaHandler; routes: Routes<N> } {
  const table = definition.routes((route): AnyRoute => ({ ...route, idempotent: route.idempotent ?? false }));
  const memory: Record<string, Need<Table>> = table.some((route) => route.idempotent)
    ? { idempotency: tableNeed('runs', ['GetItem', 'PutItem', 'DeleteItem']) }
    : {};
  const needs: Record<string, Need<unknown>> = { ...definition.needs, ...memory };
  const keys = table.map(({ method, path }) => `${method} ${path}`);
  const repeated = keys.find((key, index) => keys.indexOf(key) !== index);
  if (repeated !== undefined) throw new Error(`${definition.name} has two routes ${repeated}.`);
  let opened: Record<string, unknown> | undefined;

  const routes: Routes<N> = {
    kind: 'routes',
    name: definition.name,
    needs,
    timeoutSeconds: definition.timeoutSeconds ?? TIMEOUT_SECONDS,
    memoryMb: definition.memoryMb ?? 256,
    ephemeralStorageMb: 512,
    architecture: 'arm64',
    routes: table,
    answer: (event, given) => answerRequest(definition.name, table, event, () => given),
  };
  const handler = middy(
    (event: unknown) =>
      answerRequest(definition.name, table, event, () => {
        opened ??= Object.fromEntries(
          Object.entries(needs).map(([name, need]) => [name, need.open(process.env, { clock: systemClock })]),
        );
        return opened;
      }),
    { timeoutEarlyInMillis: 0 },
  );
  return { handler: handler as unknown as LambdaHandler, routes };
}
