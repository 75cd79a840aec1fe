// What may a function touch, and how does it open it?
import type { Clock } from './clock.ts';
import type { TableName } from './tables.ts';

/** A thing in the account, by our name for it. The stacks turn it into an ARN, a name or a URL. */
export type ResourceRef =
  | { kind: 'table'; name: TableName }
  /** Objects under one prefix of the media bucket, e.g. `sources/`. */
  | { kind: 'bucket'; prefix: string }
  /** A queue by our name: `creative-dead-letters`, `changes-dead-letters`, … */
  | { kind: 'queue'; name: string }
  | { kind: 'bus' }
  | { kind: 'topic'; name: 'operations' }
  | { kind: 'stateMachine'; name: string }
  /** All executions of one state machine (StopExecution, DescribeExecution, GetExecutionHistory). */
  | { kind: 'execution'; stateMachine: string }
  | { kind: 'scheduleGroup' }
  /** Secrets below `impresario/<prefix>`; vendor credentials are `impresario/tenants/<tenant>/<vendor>`. */
  | { kind: 'secret'; prefix: string }
  /** A task's function, by task name. */
  | { kind: 'function'; task: string }
  /** Actions for which AWS defines no resource (rekognition:DetectLabels). */
  | { kind: 'any'; reason: string };

export interface Grant {
  /** IAM actions, `dynamodb:UpdateItem`. */
  actions: readonly string[];
  on: ResourceRef;
}

/** A literal, something about a resource, or a field of the stage's configuration (lib/aws/stages.ts `functionConfig`). */
export type EnvValue = string | { of: ResourceRef; attribute: 'name' | 'arn' | 'url' } | { config: string };

export type Env = Readonly<Record<string, string | undefined>>;

export interface OpenContext {
  clock: Clock;
}

/**
 * An imported value that says what it may touch and how to open it. Types flow from it, the bundler drops
 * what is not imported, and the stacks read `grants` and `env` off the same object.
 */
export interface Need<T> {
  grants: readonly Grant[];
  env: Readonly<Record<string, EnvValue>>;
  /** Lambda layers the function must carry. */
  layers?: readonly 'ffmpeg'[];
  /** Called once per cold start, on first use. Throws InvalidInput naming the variable that is missing. */
  open(env: Env, context: OpenContext): T;
}

// The one place where a need's own type does not matter.
// oxlint-disable-next-line typescript/no-explicit-any
export type Needs = Readonly<Record<string, Need<any>>>;

export type Opened<N extends Needs> = { [K in keyof N]: N[K] extends Need<infer T> ? T : never };

/** One need made of several: with the rights of all, opened together. */
export function composedNeed<const N extends Needs, T>(
  parts: N,
  open: (opened: Opened<N>, context: OpenContext) => T,
): Need<T> {
  const entries: [string, Need<unknown>][] = Object.entries(parts);
  return {
    // A part that is only named, as in a transaction it may be left out of, grants nothing.
    grants: entries.flatMap(([, { grants }]) => grants.filter(({ actions }) => actions.length > 0)),
    env: Object.fromEntries(entries.flatMap(([, { env }]) => Object.entries(env))),
    open: (env, context) =>
      open(
        Object.fromEntries(entries.map(([name, part]) => [name, part.open(env, context)])) as Opened<N>,
        context,
      ),
  };
}

/** @throws InvalidInput naming the variable. */
export function variable(env: Env, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new Error(
      `The environment variable ${name} is not set: the function was deployed without the need that declares it.`,
    );
  }
  return value;
}
