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

/** Names that no state retries: to the state machine they are one case. */
const FINAL = ['InvalidInput', 'Refused', 'Conflict'];
const DONE = 'a kill after the handler once';
const UNHEARD = 'the replies to its writes are lost';
/** Done twice, these would be seen: in the account, or by the person who is asked. */
const SEEN = ['AskForReview', 'PublishCampaign', 'PublishAds', 'QueueGoLive', 'UndoPublish'];

/**
 * What `npm test` plays of a state, two of six kinds in turn, so that three neighbours play all: what is not retried and killed
 * when the work was done; one retried name and writes without replies; the other and a bug for good. Each state meets a failure
 * that it gets over and each kind a third of the states; what would be seen if it were done twice is done and not heard of
 * whatever its turn.
 * test/long/whole-matrix.test.ts plays every name at every state.
 */
export function fastRows(state: TaskState): NamedRow[] {
  const index = STATES.indexOf(state);
  // The names that are final take turns among the states whose turn they are.
  const final = FINAL[Math.floor(index / 3) % FINAL.length] ?? '';
  const turns = [
    [`${final} once`, DONE],
    ['RateLimited once', UNHEARD],
    ['Unavailable once', 'a bug for good'],
  ];
  const wanted = [...(turns[index % turns.length] ?? [])];
  if (SEEN.includes(state.name)) wanted.push(DONE, UNHEARD);
  const once = invocationRows(state, [1]).map((row) => ({ ...row, redrive: false }));
  return [...once, ...invocationRows(state, [FOR_GOOD]), lostWrites(state)].filter(({ name }) =>
    wanted.includes(name.slice(`${state.name}: `.length)),
  );
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
