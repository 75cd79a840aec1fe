// Which rows does the fast part of the matrix play for each state?
import { expect, it } from 'vitest';
import { CALL_KINDS, INVOCATION_KINDS } from './kinds.ts';
import { MACHINE, type Rig } from './rig.ts';
import { FOR_GOOD, playRow, type Row } from './rows.ts';
import { taskStates, type TaskState } from './states.ts';

/** Of the machine that the rig plays. */
export const STATES = taskStates().filter(({ machine }) => machine === MACHINE);

export interface NamedRow extends Row {
  name: string;
  state: TaskState;
}

/** The whole invocation fails: once, and for good. */
export function invocationRows(state: TaskState, times: readonly number[]): NamedRow[] {
  return INVOCATION_KINDS.flatMap(({ name, error, of }) =>
    times.map((count) => ({
      name: `${state.name}: ${name} ${count === FOR_GOOD ? 'for good' : 'once'}`,
      state,
      faults: [of(state.functionName)],
      error,
      times: count,
    })),
  );
}

const WRITES = [
  ['dynamodb', 'PutItem'],
  ['dynamodb', 'UpdateItem'],
  ['dynamodb', 'DeleteItem'],
  ['dynamodb', 'TransactWriteItems'],
  ['s3', 'PutObject'],
  ['s3', 'DeleteObject'],
  ['sqs', 'SendMessage'],
  ['events', 'PutEvents'],
] as const;

/** The first of each kind of write that the step makes happens, and the step never hears of it. */
export function lostWrites(state: TaskState): NamedRow {
  return {
    name: `${state.name}: the replies to its writes are lost`,
    state,
    faults: WRITES.map(([service, operation]) => ({
      function: state.functionName,
      service,
      operation,
      when: 'after' as const,
      effect: { kind: 'lost-reply' as const },
    })),
    error: 'Unavailable',
    times: 1,
  };
}

/** Names that no state retries: to the state machine they are one case, so that each state is played one of them in turn. */
const FINAL = ['InvalidInput', 'Refused', 'Conflict'];

/**
 * What `npm test` plays of a state: what is retried once, one of what is not, a bug for good, killed when the work was done,
 * writes without replies. `FAULTS=all` and the long tests play every name.
 */
export function fastRows(state: TaskState): NamedRow[] {
  const turn = FINAL[STATES.indexOf(state) % FINAL.length];
  const skipped = process.env['FAULTS'] === 'all' ? [] : FINAL.filter((name) => name !== turn);
  const once = invocationRows(state, [1]).filter(
    ({ name, error }) => !/a bug|a timeout|a throttle|a kill before/.test(name) && !skipped.includes(error),
  );
  const forGood = invocationRows(state, [FOR_GOOD]).filter(({ name }) => name.includes('a bug'));
  return [...once.map((row) => ({ ...row, redrive: false })), ...forGood, lostWrites(state)];
}

/** One request of the function goes wrong once. */
export function callRows(state: TaskState, kind: string, callIndex: number): NamedRow {
  const found = CALL_KINDS.find(({ name }) => name === kind);
  if (found === undefined) throw new Error(`There is no kind of call fault "${kind}".`);
  // A killed function is retried; every other failure of a call is one of ours and so is its retry.
  const error = kind.startsWith('a kill') ? 'Runtime.ExitError' : 'Unavailable';
  return {
    name: `${state.name}: ${kind} of request ${callIndex}`,
    state,
    faults: [found.of(state.functionName, callIndex)],
    error,
    times: 1,
  };
}

/** One test per row. */
export function playAll(rows: readonly NamedRow[], rig: () => Rig): void {
  it.each(rows)('$name', async (row) => {
    const { troubles, hits } = await playRow(rig(), STATES, row.state, row);
    expect(troubles).toEqual([]);
    expect(hits, 'the fault never met the run').toBeGreaterThan(0);
  });
}
