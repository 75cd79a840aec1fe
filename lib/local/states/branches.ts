// How do Parallel branches and inline Map iterations run side by side and fail together?
import type { MapState, State } from './definition.ts';
import { asFailure, payloadJson, StateFailure } from './failure.ts';
import { Halt } from './halt.ts';
import type { Thread } from './history.ts';
import type { Outcome, Visit, Walk } from './interpreter.ts';
import { newFrame, numberFrom, type Frame } from './run.ts';

/** Iterations an inline Map runs at once at most (Step Functions quota). */
const INLINE_CONCURRENCY = 40;

/** An outcome made of parts; the value is the array of the parts' outputs. */
function join(frames: readonly Frame[], what: string): Outcome {
  const value = frames.map((frame) => frame.value);
  return { value, json: payloadJson(value, what) };
}

function mark({ run, thread }: Visit, type: string, a?: unknown, b?: unknown): void {
  run.execution.history.append(type, thread, run.world.context.clock.now(), a, b);
}

/**
 * Runs jobs with bounded concurrency under one halt. The first failure halts the others and, once they have stopped,
 * is thrown; `onAbort` is called when the parent is halted.
 */
async function together(
  count: number,
  concurrency: number,
  visit: Visit,
  job: (index: number, thread: Thread, halt: Halt) => Promise<void>,
  onAbort: () => void,
): Promise<void> {
  const stopListening = visit.halt.onHalt(onAbort);
  const group = new Halt(visit.halt);
  const startedAt = visit.thread.last;
  let next = 0;
  let failure: StateFailure | undefined;
  async function worker(): Promise<void> {
    while (next < count && group.reason === undefined) {
      const thread: Thread = { last: startedAt };
      try {
        await job(next++, thread, group);
      } catch (thrown) {
        failure ??= asFailure(thrown);
        group.halt(failure);
      }
      visit.thread.last = Math.max(visit.thread.last, thread.last);
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, worker));
  stopListening();
  group.release();
  visit.halt.check();
  if (failure !== undefined) throw failure;
}

/** Parallel: every branch gets Arguments, or the state's input. */
export async function runBranches(
  state: Extract<State, { type: 'Parallel' }>,
  visit: Visit,
  walk: Walk,
): Promise<Outcome> {
  const { run, frame, resumed, bindings } = visit;
  const given = state.arguments === undefined ? frame.value : await state.arguments(bindings);
  const json = state.arguments === undefined ? frame.json : payloadJson(given, 'The Arguments of the state');
  visit.halt.check();
  const { history } = run.execution;
  const { clock } = run.world.context;
  mark(visit, 'ParallelStateStarted');
  frame.children =
    resumed.children ?? state.branches.map((branch) => newFrame(branch, given, json, frame.variables));
  const children = frame.children;
  try {
    await together(
      children.length,
      children.length,
      visit,
      (i, thread, halt) => walk(run, state.branches[i]!, children[i]!, thread, halt, visit.context.Map),
      () => history.appendIfRoom('ParallelStateAborted', visit.thread, clock.now()),
    );
  } catch (thrown) {
    visit.halt.check();
    mark(visit, 'ParallelStateFailed');
    throw thrown;
  }
  const outcome = join(children, `The state '${state.name}' returned a result which`);
  mark(visit, 'ParallelStateSucceeded');
  return outcome;
}

/** The array a Map runs over. @throws StateFailure when it is something else. */
export async function mapItems(state: MapState, { frame, bindings }: Visit): Promise<unknown[]> {
  const items = state.items === undefined ? frame.value : await state.items(bindings);
  if (Array.isArray(items)) return items;
  throw new StateFailure(
    'States.QueryEvaluationError',
    `The field 'Items' must evaluate to an array, but was ${JSON.stringify(items)?.slice(0, 200)}.`,
    { location: 'Items' },
  );
}

/** MaxConcurrency, where 0 or nothing means as many as AWS allows. */
export async function concurrencyOf(state: MapState, visit: Visit, most: number): Promise<number> {
  if (state.maxConcurrency === undefined) return most;
  const asked = numberFrom(await state.maxConcurrency(visit.bindings), 'MaxConcurrency', 0);
  return asked === 0 ? most : Math.min(asked, most);
}

/** What one item becomes: itself, or what ItemSelector makes of it with `$states.context.Map.Item`. */
export async function selectItem(
  state: MapState,
  visit: Visit,
  index: number,
  value: unknown,
): Promise<unknown> {
  if (state.itemSelector === undefined) return value;
  const { variables, states } = visit.bindings;
  const context = { ...visit.context, Map: { Item: { Index: index, Value: value } } };
  return state.itemSelector({ variables, states: { ...states, context } });
}

export async function runInlineMap(state: MapState, visit: Visit, walk: Walk): Promise<Outcome> {
  const { run, frame, resumed } = visit;
  const items = await mapItems(state, visit);
  const concurrency = await concurrencyOf(state, visit, INLINE_CONCURRENCY);
  visit.halt.check();
  const { history } = run.execution;
  const { clock } = run.world.context;
  mark(visit, 'MapStateStarted', items.length);
  frame.children = resumed.children ?? [];
  const children = frame.children;

  async function iterate(index: number, thread: Thread, parent: Halt): Promise<void> {
    const earlier = children[index];
    if (earlier !== undefined && earlier.state === undefined) return;
    const item = { Item: { Index: index, Value: items[index] } };
    if (earlier === undefined) {
      const input = await selectItem(state, visit, index, items[index]);
      parent.check();
      const json = payloadJson(input, `The item ${index} of the state '${state.name}'`);
      children[index] = newFrame(state.processor, input, json, frame.variables);
    }
    const write = (type: string) => history.append(type, thread, clock.now(), state.name, index);
    write('MapIterationStarted');
    // Listeners run last in, first out: the iteration's own event comes after those of its states.
    const stopListening = parent.onHalt(() =>
      history.appendIfRoom('MapIterationAborted', thread, clock.now(), state.name, index),
    );
    const halt = new Halt(parent);
    try {
      await walk(run, state.processor, children[index]!, thread, halt, item);
      write('MapIterationSucceeded');
    } catch (thrown) {
      parent.check();
      write('MapIterationFailed');
      throw thrown;
    } finally {
      stopListening();
      halt.release();
    }
  }

  try {
    await together(items.length, concurrency, visit, iterate, () =>
      history.appendIfRoom('MapStateAborted', visit.thread, clock.now()),
    );
  } catch (thrown) {
    visit.halt.check();
    mark(visit, 'MapStateFailed');
    throw thrown;
  }
  const outcome = join(children, `The state '${state.name}' returned a result which`);
  mark(visit, 'MapStateSucceeded');
  return outcome;
}
