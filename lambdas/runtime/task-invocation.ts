// What happens around one invocation of a task?
import { checkIn, checkOut, type ClaimStore } from './claims.ts';
import { systemClock, type Clock } from './clock.ts';
import { Envelope, workflowOf } from './envelope.ts';
import { InvalidInput } from './errors.ts';
import { surfaced } from './failure.ts';
import { openEffects } from './intents.ts';
import { openLog, type Log } from './log.ts';
import { openMemo } from './memo.ts';
import { emitMetric } from './metrics.ts';
import type { Env } from './need.ts';
import { parseAs } from './parse.ts';
import { progressReporter } from './progress.ts';
import { retainedUntil } from './run-keys.ts';
import type { TaskSpec } from './specs.ts';
import { openSteps, type StepRef, type Steps } from './steps.ts';
import type { Table } from './table.ts';

export interface TaskRuntime {
  spec: TaskSpec;
  percentRange(input: unknown): readonly [from: number, to: number] | undefined;
  subject(input: unknown): string;
  openNeeds(env: Env, clock: Clock): Record<string, unknown>;
  openRuntime(env: Env, clock: Clock): { history: Table; claims: ClaimStore };
  everyAttempt(run: Envelope['run'], opened: () => Record<string, unknown>): Promise<void>;
  execute(envelope: Envelope, input: unknown, opened: Record<string, unknown>): Promise<unknown>;
}

interface Warm {
  needs?: Record<string, unknown>;
  runtime: { history: Table; claims: ClaimStore };
}

const warmed = new WeakMap<TaskRuntime, Warm>();

/** Parse, open, tell the history, take claims out, recall or run, put claims in, count, log. Throws what `surfaced` says. */
export async function runTask(
  runtime: TaskRuntime,
  event: unknown,
  lambdaContext: unknown,
): Promise<unknown> {
  const { spec } = runtime;
  const clock = systemClock;
  const startedMs = clock.now();
  let workflow = 'none';
  let state = spec.name;
  let log: Log = openLog(process.env, { function: spec.name });
  try {
    const envelope = parseAs(Envelope, event, `The envelope of ${spec.name}`);
    workflow = workflowOf(envelope);
    state = envelope.state;
    log = openLog(process.env, {
      function: spec.name,
      runId: envelope.run.id,
      tenant: envelope.run.tenant,
      workflow,
      state,
      correlationId: envelope.run.correlationId ?? envelope.run.id,
      ...requestId(lambdaContext),
    });
    const { output, remembered } = await runStep(runtime, envelope, workflow, clock, log);
    count(spec.name, workflow, state, clock.now() - startedMs, remembered ? 'remembered' : 'succeeded');
    return output;
  } catch (error) {
    const failure = surfaced(error);
    count(spec.name, workflow, state, clock.now() - startedMs, 'failed');
    log.error('step failed', {
      error: failure.name,
      reason: failure.message,
      cause: causeOf(error),
      durationMs: clock.now() - startedMs,
    });
    throw failure;
  }
}

async function runStep(
  runtime: TaskRuntime,
  envelope: Envelope,
  workflow: string,
  clock: Clock,
  log: Log,
): Promise<{ output: unknown; remembered: boolean }> {
  const { spec } = runtime;
  const warm = warmed.get(runtime) ?? { runtime: runtime.openRuntime(process.env, clock) };
  warmed.set(runtime, warm);
  const { history, claims } = warm.runtime;
  const { run, state } = envelope;
  const owner = { tenant: run.tenant, runId: run.id };
  const startedMs = clock.now();

  const input = await checkOut(envelope.input, claims, owner);
  const step: StepRef = {
    tenant: run.tenant,
    runId: run.id,
    attempt: run.attempt,
    state,
    subject: runtime.subject(input),
    workflow,
  };
  const steps = spec.withoutHistory ? forgiving(openSteps(history), log) : openSteps(history);
  const range = runtime.percentRange(input);
  const runPercentAt = (percent: number): number | undefined =>
    range && range[0] + ((range[1] - range[0]) * percent) / 100;
  const tries = await steps.started(step, startedMs, runPercentAt(0));
  log.info('step started', { attempt: run.attempt });

  const reporter = progressReporter(clock, log, (percent, message) =>
    steps.progress(step, percent, message, clock.now(), runPercentAt(percent)),
  );
  try {
    const needs = (): Record<string, unknown> => (warm.needs ??= runtime.openNeeds(process.env, clock));
    await runtime.everyAttempt(run, needs);
    const memo = spec.memoised ? openMemo(history, run) : undefined;
    const remembered = await recall(runtime, memo, envelope, input, claims, log);
    let carried: unknown;
    if (remembered === undefined) {
      const declared = [...spec.effects, ...spec.undoes];
      const output = await runtime.execute(envelope, input, {
        ...needs(),
        clock,
        log,
        tries,
        progress: reporter.report,
        ...(declared.length === 0
          ? {}
          : { effects: openEffects(history, run, clock.now, declared, spec.undoneBy) }),
      });
      carried = await checkIn(output, claims, owner);
      await memo?.remember(state, input, carried, retainedUntil(clock.now()));
    } else {
      carried = remembered.output;
    }
    await reporter.settle();
    const durationMs = clock.now() - startedMs;
    const end = { status: 'succeeded', durationMs, remembered: remembered !== undefined } as const;
    await steps.ended(step, end, clock.now(), runPercentAt(100));
    log.info('step succeeded', { durationMs, remembered: end.remembered });
    return { output: carried ?? null, remembered: end.remembered };
  } catch (error) {
    await reporter.settle();
    const { name, message } = surfaced(error);
    const end = {
      status: 'failed',
      durationMs: clock.now() - startedMs,
      error: { name, message: message.slice(0, 1_000) },
    } as const;
    // The step's own failure is what the state machine must see, even when the history cannot be written either.
    await steps
      .ended(step, end, clock.now())
      .catch((second: unknown) => log.warn('history was not written', { error: String(second) }));
    throw error;
  }
}

/** What cannot be written is logged. */
function forgiving(steps: Steps, log: Log): Steps {
  const missed = (error: unknown): void => log.warn('history was not written', { error: String(error) });
  return {
    started: (...told) =>
      steps.started(...told).catch((error: unknown) => {
        missed(error);
        return 1;
      }),
    progress: (...told) => steps.progress(...told).catch(missed),
    ended: (...told) => steps.ended(...told).catch(missed),
  };
}

/** An output from an earlier attempt, if it still has the shape that today's definition promises. */
async function recall(
  runtime: TaskRuntime,
  memo: ReturnType<typeof openMemo> | undefined,
  envelope: Envelope,
  input: unknown,
  claims: ClaimStore,
  log: Log,
): Promise<{ output: unknown } | undefined> {
  const found = await memo?.recall(envelope.state, input);
  if (found === undefined) return undefined;
  try {
    const whole = await checkOut(found.output, claims, {
      tenant: envelope.run.tenant,
      runId: envelope.run.id,
    });
    if (runtime.spec.output.safeParse(whole).success) return found;
    log.warn('a remembered output no longer fits and is made again');
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    log.warn('a remembered output is gone and is made again', { reason: error.message });
  }
  return undefined;
}

function count(
  activity: string,
  workflow: string,
  state: string,
  durationMs: number,
  status: 'succeeded' | 'failed' | 'remembered',
): void {
  emitMetric('activity_executions_total', 1, { activity, status });
  emitMetric('job_duration_seconds', durationMs / 1_000, { workflow, state });
  if (status === 'failed') emitMetric('job_failures_total', 1, { workflow, state });
}

function causeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined;
}

function requestId(context: unknown): { requestId?: string } {
  const id = (context as { awsRequestId?: unknown } | undefined)?.awsRequestId;
  return typeof id === 'string' ? { requestId: id } : {};
}
