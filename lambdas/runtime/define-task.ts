// How does a plain function become a state of a state machine?
import middy from '@middy/core';
import type * as z from 'zod';
import { systemClock, type Clock } from './clock.ts';
import { Envelope, type EnvelopeInput } from './envelope.ts';
import type { Effects } from './intents.ts';
import { silentLog, type Log } from './log.ts';
import type { Env, Need, Needs, Opened } from './need.ts';
import { parseAs } from './parse.ts';
import { randomFor, type Random } from './random.ts';
import type { TaskSpec } from './specs.ts';
import { runTask, type TaskRuntime } from './task-invocation.ts';
import { taskRuntimeNeeds } from './task-needs.ts';

/** What every task gets beside its needs. */
export interface TaskContext {
  run: Envelope['run'];
  clock: Clock;
  /** Seeded by run id, state and subject: a retry draws the same numbers. */
  random: Random;
  /** Which try of this step it is, over all retries and attempts of the run: 1 at first. For what a retry must do differently. */
  tries: number;
  /** 0..100 of this step; written at most once a second. */
  progress(percent: number, message?: string): void;
  log: Log;
  correlationId: string;
}

export type PercentRange = readonly [from: number, to: number];

type EffectNames = readonly string[];
type WithEffects<E extends EffectNames, U extends EffectNames> = [...E, ...U] extends []
  ? unknown
  : { effects: Effects };

export interface TaskDefinition<
  I extends z.ZodType,
  O extends z.ZodType,
  N extends Needs,
  E extends EffectNames,
  U extends EffectNames,
> {
  /** Verb-noun, the state's name: `CheckVelocity`. */
  name: string;
  input: I;
  output: O;
  needs: N;
  /** The output is stored under (run, state, input) and returned when the run is started again. For dear, effect-free steps. */
  memoised?: boolean;
  /** For what is done because the tables do not answer: a history that cannot be written is logged and stops nothing. */
  withoutHistory?: boolean;
  /** Effects that this task creates, recorded through `effects` before each external write. */
  effects?: E;
  /** Task that undoes them, `UndoPublish`: kept in each intent, so that settle-run finds it. */
  undoneBy?: `Undo${string}`;
  /** Effects that this task undoes. */
  undoes?: U;
  /** 256 by default. */
  memoryMb?: number;
  /** 512 by default. */
  ephemeralStorageMb?: number;
  /** arm64, or x86_64 when a need carries the ffmpeg layer. */
  architecture?: 'arm64' | 'x86_64';
  /** Which Map item this is (a variation id): its own row in the history and its own random numbers. */
  subject?(input: z.output<I>): string;
  /**
   * Percentages of the whole run at which this step begins and ends. An item of a Map says them by its input: its end is its
   * share of the Map's range, or the first item to end would end them all.
   */
  runPercent?: PercentRange | ((input: z.output<I>) => PercentRange);
  /** Done before the work of every attempt of the run, also when a memoised output is found; a retry does it again. */
  everyAttempt?(context: Opened<N> & Pick<TaskContext, 'run'>): Promise<void>;
  run(input: z.output<I>, context: Opened<N> & TaskContext & WithEffects<E, U>): Promise<z.input<O>>;
}

/** For tests: what the task needs, opened; clock, log and so on have defaults. */
export type TaskDoubles<N extends Needs, E extends EffectNames, U extends EffectNames> = Opened<N> &
  WithEffects<E, U> &
  Partial<TaskContext>;

export interface Task<
  I extends z.ZodType,
  O extends z.ZodType,
  N extends Needs,
  E extends EffectNames,
  U extends EffectNames,
> extends TaskSpec {
  input: I;
  output: O;
  /** The task without Lambda, history, claims or memo: parses, runs, parses. */
  run(envelope: EnvelopeInput, opened: TaskDoubles<N, E, U>): Promise<z.output<O>>;
}

export type LambdaHandler = (event: unknown, context: unknown) => Promise<unknown>;

/**
 * `handler` is what Lambda calls, `task` what the stacks and tests read. Importing reads no environment and builds no client.
 * The handler throws only the five names of errors.ts, or a bug under its own name.
 */
export function defineTask<
  const I extends z.ZodType,
  const O extends z.ZodType,
  const N extends Needs,
  const E extends EffectNames = [],
  const U extends EffectNames = [],
>(definition: TaskDefinition<I, O, N, E, U>): { handler: LambdaHandler; task: Task<I, O, N, E, U> } {
  const needs: Record<string, Need<unknown>> = { ...definition.needs };
  const hasEffects = (definition.effects?.length ?? 0) + (definition.undoes?.length ?? 0) > 0;
  if (hasEffects && definition.memoised === true) {
    throw new Error(
      `${definition.name} has effects: a remembered output would outlive their undo. Effects are recognised by their intents.`,
    );
  }
  if ((definition.effects?.length ?? 0) > 0 !== (definition.undoneBy !== undefined)) {
    throw new Error(
      `${definition.name}: a task with effects, and only such a task, says by undoneBy what undoes them.`,
    );
  }
  const runtimeNeeds = taskRuntimeNeeds({
    effects: (definition.effects?.length ?? 0) > 0,
    undoes: (definition.undoes?.length ?? 0) > 0,
    memoised: definition.memoised ?? false,
  });
  const taken = Object.keys(runtimeNeeds).filter((name) => name in needs);
  if (taken.length > 0)
    throw new Error(
      `${definition.name}: a need may not be called ${taken.join(' or ')}; every task has that.`,
    );
  const layered = Object.values(needs).some((need) => need.layers?.includes('ffmpeg') === true);

  async function execute(
    envelope: Envelope,
    input: unknown,
    opened: Partial<TaskContext> & Record<string, unknown>,
  ): Promise<z.output<O>> {
    const parsed = parseAs(definition.input, input, `The input of ${definition.name}`);
    const subject = definition.subject?.(parsed) ?? '';
    const context = {
      run: envelope.run,
      clock: systemClock,
      random: randomFor(envelope.run.id, envelope.state, subject),
      tries: 1,
      progress: () => undefined,
      log: silentLog,
      correlationId: envelope.run.correlationId ?? envelope.run.id,
      ...opened,
    };
    const output = await definition.run(parsed, context as unknown as Parameters<typeof definition.run>[1]);
    return parseAs(definition.output, output, `The output of ${definition.name}`);
  }

  async function everyAttempt(run: Envelope['run'], opened: () => Record<string, unknown>): Promise<void> {
    if (definition.everyAttempt === undefined) return;
    await definition.everyAttempt({ ...opened(), run } as unknown as Opened<N> & { run: Envelope['run'] });
  }

  const task: Task<I, O, N, E, U> = {
    kind: 'task',
    name: definition.name,
    input: definition.input,
    output: definition.output,
    needs: { ...needs, ...runtimeNeeds },
    memoised: definition.memoised ?? false,
    withoutHistory: definition.withoutHistory ?? false,
    effects: definition.effects ?? [],
    ...(definition.undoneBy === undefined ? {} : { undoneBy: definition.undoneBy }),
    undoes: definition.undoes ?? [],
    memoryMb: definition.memoryMb ?? 256,
    ephemeralStorageMb: definition.ephemeralStorageMb ?? 512,
    architecture: definition.architecture ?? (layered ? 'x86_64' : 'arm64'),
    async run(envelope, opened) {
      const parsed = parseAs(Envelope, envelope, `The envelope of ${definition.name}`);
      await everyAttempt(parsed.run, () => opened);
      return execute(parsed, parsed.input, opened);
    },
  };

  const runtime: TaskRuntime = {
    spec: task,
    percentRange(input) {
      if (typeof definition.runPercent !== 'function') return definition.runPercent;
      const parsed = definition.input.safeParse(input);
      return parsed.success ? definition.runPercent(parsed.data) : undefined;
    },
    subject: (input) => {
      const parsed = definition.input.safeParse(input);
      return parsed.success ? (definition.subject?.(parsed.data) ?? '') : '';
    },
    openNeeds(env: Env, clock: Clock) {
      return Object.fromEntries(
        Object.entries(needs).map(([name, need]) => [name, need.open(env, { clock })]),
      );
    },
    openRuntime: (env: Env, clock: Clock) => ({
      history: runtimeNeeds.history.open(env, { clock }),
      claims: runtimeNeeds.claims.open(env, { clock }),
    }),
    execute,
    everyAttempt,
  };
  // Lambda ends an invocation that is too long, and the state machine counts the time; middy must not race them.
  const handler = middy((event: unknown, context: unknown) => runTask(runtime, event, context), {
    timeoutEarlyInMillis: 0,
  });
  return { handler, task };
}
