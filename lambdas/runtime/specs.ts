// What does the cloud need to know about a task, a trigger or a set of routes, without running them?
import type * as z from 'zod';
import type { Needs } from './need.ts';

export interface FunctionSpec {
  /** Unique in the tree. */
  name: string;
  needs: Needs;
  memoryMb: number;
  /** /tmp, megabytes. */
  ephemeralStorageMb: number;
  architecture: 'arm64' | 'x86_64';
}

/** A state: `lambdas/<area>/<kebab-name>.task.ts` exports `{ handler, task }`. Its timeout is the state's TimeoutSeconds minus 2 s. */
export interface TaskSpec extends FunctionSpec {
  kind: 'task';
  input: z.ZodType;
  output: z.ZodType;
  /** Store the output under (run, state, input hash) and return it when the run is started again. */
  memoised: boolean;
  /** Works also while the history cannot be written, which is then only logged. */
  withoutHistory: boolean;
  /** Names of effects this task creates (recorded as intents before the call). */
  effects: readonly string[];
  /** Name of the task that undoes its effects; present exactly when there are any. */
  undoneBy?: string;
  /** Names of effects this task undoes; settle-run invokes it for runs that ended unseen. */
  undoes: readonly string[];
}

export type TriggerSource =
  /** EventBridge rule → queue with dead letters → function, partial batch failures. */
  | { kind: 'rule'; bus: 'default' | 'platform'; pattern: Record<string, unknown> }
  /**
   * EventBridge Scheduler → function, with dead letters. Event: { scheduledTime: ISO string }. `lateAfterMinutes` without a success
   * /health says so: four intervals of a rate, unless told.
   */
  | { kind: 'schedule'; expression: string; lateAfterMinutes?: number }
  /** A queue other code sends to by its name → function, partial batch failures. */
  | { kind: 'queue'; queue: string; fifo?: boolean }
  /** DynamoDB stream → function, with dead letters. */
  | { kind: 'stream'; table: string };

/** An entry: `lambdas/<area>/<kebab-name>.trigger.ts` exports `{ handler, trigger }`. */
export interface TriggerSpec extends FunctionSpec {
  kind: 'trigger';
  source: TriggerSource;
  timeoutSeconds: number;
  batchSize: number;
  /** Receives of one message before it goes to the dead-letter queue. */
  maxReceives: number;
}

export type Role = 'viewer' | 'operator' | 'approver' | 'admin';

export interface RouteSpec {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** HTTP API syntax: `/v1/executions/{id}`. */
  path: string;
  summary: string;
  /** Who may call it; `public` has no authorizer. */
  access: readonly Role[] | 'public';
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Success and other documented answers, by status. problem+json errors are added. */
  responses: Readonly<Record<number, z.ZodType>>;
}

/** An area's HTTP entry: `lambdas/<area>/<area>.routes.ts` exports `{ handler, routes }`. */
export interface RoutesSpec extends FunctionSpec {
  kind: 'routes';
  timeoutSeconds: number;
  routes: readonly RouteSpec[];
}
