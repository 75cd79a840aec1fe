// How does an execution walk from state to state, and what happens when a state fails?
import { runBranches, runInlineMap } from './branches.ts';
import type { Exit, Retrier, Scope, State } from './definition.ts';
import { runDistributedMap } from './distributed-map.ts';
import { asFailure, covers, payloadJson, StateFailure } from './failure.ts';
import type { Bindings } from './fast-path.ts';
import type { Halt } from './halt.ts';
import type { Thread } from './history.ts';
import { numberFrom, pause, tell, type Frame, type Run } from './run.ts';
import { runTask } from './task.ts';

/** `$states.context` while a state runs. */
export interface StateContext {
  Execution: Record<string, unknown>;
  StateMachine: Record<string, unknown>;
  State: { EnteredTime: string; Name: string; RetryCount: number };
  Map?: { Item: { Index: number; Value: unknown } };
  Task?: { Token: string };
}

/** One visit of one state. */
export interface Visit {
  run: Run;
  frame: Frame;
  thread: Thread;
  halt: Halt;
  context: StateContext;
  bindings: Bindings;
  /** Only on the first attempt after a redrive: the branches, iterations or map run to continue. */
  resumed: Pick<Frame, 'children' | 'mapRun'>;
}

export interface Outcome {
  value: unknown;
  json: string;
}

export type Walk = typeof walk;

/**
 * Runs a scope from where its frame stands to its end; the output is in the frame.
 * @throws StateFailure when a state fails uncaught, or the halt's reason.
 */
export async function walk(
  run: Run,
  scope: Scope,
  frame: Frame,
  thread: Thread,
  halt: Halt,
  item?: StateContext['Map'],
): Promise<void> {
  while (frame.state !== undefined) {
    halt.check();
    await enter(run, scope.states.get(frame.state)!, frame, thread, halt, item);
  }
}

async function enter(
  run: Run,
  state: State,
  frame: Frame,
  thread: Thread,
  halt: Halt,
  item: StateContext['Map'],
): Promise<void> {
  const { clock } = run.world.context;
  const { history } = run.execution;
  const nowMs = clock.now();
  history.append(state.entered, thread, nowMs, state.name, frame.json);
  tell(run, 'entered', state.name, 'RUNNING', 1);
  const context: StateContext = {
    Execution: run.execution.context.Execution,
    StateMachine: run.execution.context.StateMachine,
    State: { EnteredTime: new Date(nowMs).toISOString(), Name: state.name, RetryCount: 0 },
    ...(item === undefined ? undefined : { Map: item }),
  };
  const bindings: Bindings = { variables: frame.variables, states: { input: frame.value, context } };
  let resumed: Visit['resumed'] = { children: frame.children, mapRun: frame.mapRun };
  const attempts = new Map<Retrier, number>();
  for (;;) {
    frame.children = undefined;
    frame.mapRun = undefined;
    const current: Visit = { run, frame, thread, halt, context, bindings, resumed };
    resumed = { children: undefined, mapRun: undefined };
    try {
      return await act(state, current);
    } catch (thrown) {
      halt.check();
      const failure = asFailure(thrown);
      noteEvaluation(state, current, failure);
      const attempt = context.State.RetryCount + 1;
      const waitMs = retryDelayMs(state.retry, attempts, failure, run.world.context.random);
      if (waitMs !== undefined) {
        tell(run, 'retried', state.name, 'RETRYING', attempt, failure.error);
        await pause(run, clock.now() + waitMs, halt, () => aborted(state, current));
        context.State.RetryCount += 1;
        continue;
      }
      const catcher = state.catch.find((rule) => covers(rule.errorEquals, failure.error));
      tell(run, 'failed', state.name, catcher ? 'CAUGHT' : 'FAILED', attempt, failure.error);
      if (catcher === undefined) throw failure;
      const errorOutput = { Error: failure.error, Cause: failure.explanation };
      current.bindings = { variables: frame.variables, states: { ...bindings.states, errorOutput } };
      try {
        return await leave(state, catcher, current, errorOutput);
      } catch (again) {
        halt.check();
        noteEvaluation(state, current, asFailure(again));
        throw again;
      }
    }
  }
}

function noteEvaluation({ name }: State, { run, thread }: Visit, failure: StateFailure): void {
  const { error, explanation, location } = failure;
  if (location === undefined) return;
  const nowMs = run.world.context.clock.now();
  run.execution.history.append('EvaluationFailed', thread, nowMs, error, explanation, location, name);
}

/** Milliseconds until the next attempt, undefined when no retrier has one left. Counts the attempt. */
function retryDelayMs(
  retriers: readonly Retrier[],
  attempts: Map<Retrier, number>,
  failure: StateFailure,
  random: () => number,
): number | undefined {
  const retrier = retriers.find((rule) => covers(rule.errorEquals, failure.error));
  if (retrier === undefined) return undefined;
  const used = attempts.get(retrier) ?? 0;
  if (used >= retrier.maxAttempts) return undefined;
  attempts.set(retrier, used + 1);
  const seconds = Math.min(retrier.intervalSeconds * retrier.backoffRate ** used, retrier.maxDelaySeconds);
  return (retrier.fullJitter ? seconds * random() : seconds) * 1000;
}

function aborted(state: State, { run, thread }: Visit): void {
  run.execution.history.appendIfRoom(`${state.type}StateAborted`, thread, run.world.context.clock.now());
}

async function act(state: State, visit: Visit): Promise<void> {
  const { bindings, frame, run } = visit;
  switch (state.type) {
    case 'Pass':
    case 'Succeed':
      return leave(state, state, visit, frame.value, frame.json);
    case 'Task':
      return leaveWith(state, visit, await runTask(state, visit));
    case 'Choice':
      for (const choice of state.choices) {
        const met = await choice.condition(bindings);
        visit.halt.check();
        if (typeof met !== 'boolean')
          throw new StateFailure(
            'States.QueryEvaluationError',
            `The field 'Condition' must evaluate to a boolean, but was ${JSON.stringify(met)}.`,
            { location: 'Condition' },
          );
        if (met) return leave(state, choice, visit, frame.value, frame.json);
      }
      if (state.next === undefined)
        throw new StateFailure('States.NoChoiceMatched', `No choice rule of '${state.name}' matched.`);
      return leave(state, state, visit, frame.value, frame.json);
    case 'Wait': {
      await pause(run, await wakeUpMs(state, visit), visit.halt, () => aborted(state, visit));
      return leave(state, state, visit, frame.value, frame.json);
    }
    case 'Fail': {
      const error = await state.error?.(bindings);
      const cause = await state.cause?.(bindings);
      throw new StateFailure(textOf(error, 'Error'), textOf(cause, 'Cause'));
    }
    case 'Parallel':
      return leaveWith(state, visit, await runBranches(state, visit, walk));
    case 'Map':
      return leaveWith(
        state,
        visit,
        state.distributed === undefined
          ? await runInlineMap(state, visit, walk)
          : await runDistributedMap(state, state.distributed, visit),
      );
  }
}

function textOf(value: unknown, field: string): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw new StateFailure(
    'States.QueryEvaluationError',
    `The field '${field}' must evaluate to a string, but was ${JSON.stringify(value)}.`,
    { location: field },
  );
}

async function wakeUpMs(state: Extract<State, { type: 'Wait' }>, visit: Visit): Promise<number> {
  const nowMs = visit.run.world.context.clock.now();
  if (state.seconds !== undefined) {
    const seconds = numberFrom(await state.seconds(visit.bindings), 'Seconds', 0);
    visit.halt.check();
    return nowMs + seconds * 1000;
  }
  const timestamp = await state.timestamp!(visit.bindings);
  visit.halt.check();
  const timeMs =
    typeof timestamp === 'string' && timestamp.includes('T') ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(timeMs))
    throw new StateFailure(
      'States.QueryEvaluationError',
      `The field 'Timestamp' must be an ISO 8601 time, but was ${JSON.stringify(timestamp)}.`,
      { location: 'Timestamp' },
    );
  return Math.max(timeMs, nowMs);
}

function leaveWith(state: State, visit: Visit, outcome: Outcome): Promise<void> {
  const { variables, states } = visit.bindings;
  visit.bindings = { variables, states: { ...states, result: outcome.value } };
  return leave(state, state, visit, outcome.value, outcome.json);
}

/** Evaluates Assign and Output on what was known before, then moves the frame on. */
async function leave(state: State, exit: Exit, visit: Visit, value: unknown, json?: string): Promise<void> {
  const { run, frame, thread, halt, bindings } = visit;
  let assigned = exit.assign?.(bindings);
  if (assigned instanceof Promise) assigned = await assigned;
  let output = exit.output === undefined ? value : exit.output(bindings);
  if (output instanceof Promise) output = await output;
  halt.check();
  const what = `The state '${state.name}' returned an output which`;
  const outputJson = exit.output === undefined && json !== undefined ? json : payloadJson(output, what);
  const variables = assigned === undefined ? undefined : assignedJson(assigned as Record<string, unknown>);
  if (assigned !== undefined) Object.assign(frame.variables, assigned);
  run.execution.history.append(
    state.exited,
    thread,
    run.world.context.clock.now(),
    state.name,
    outputJson,
    variables,
  );
  frame.state = exit.next;
  frame.value = output;
  frame.json = outputJson;
  frame.children = undefined;
  frame.mapRun = undefined;
  tell(run, 'exited', state.name, 'SUCCEEDED', visit.context.State.RetryCount + 1);
}

function assignedJson(assigned: Record<string, unknown>): Record<string, string> {
  const json: Record<string, string> = {};
  for (const name in assigned) json[name] = payloadJson(assigned[name], `The variable '${name}'`);
  return json;
}
