// What must become of a change when a step of its execution fails in this way?
import { expect, it } from 'vitest';
import { isOver } from '../../lambdas/changes/lifecycle.ts';
import { EXECUTOR, HOUR_MS, MINUTE_MS, type ChangeRig, type ChangeSubject } from './change-rig.ts';
import { appliedTroubles, refusedTroubles, waitingTroubles } from './change-verify.ts';
import { CALL_KINDS, INVOCATION_KINDS } from './kinds.ts';
import type { RunFault } from './rig.ts';
import { taskStates, type TaskState } from './states.ts';

export const EXECUTOR_STATES = taskStates().filter(({ machine }) => machine === EXECUTOR);

/** Steps that run only after another has failed. */
const LEADING: Readonly<Record<string, string>> = {
  KeepRecord: 'impresario-dev-record-change',
  ReleaseChange: 'impresario-dev-read-live',
};

/** The fault meets the change this often, for this long, or until somebody repairs it, which nobody does. */
export type Lasting = { times: number } | { forMs: number } | 'for good';

export interface ChangeRow {
  name: string;
  state: TaskState;
  faults: readonly RunFault[];
  lasting: Lasting;
  /** By design the change is given up, with a reason, after some attempts. */
  givenUp?: boolean;
}

/** What a step reports as somebody being out of reach; it says nothing about the change, however often it happens. */
const OUT_OF_REACH = ['RateLimited', 'Unavailable', 'Lambda.TooManyRequestsException'];
/** Before the intent is recorded a change that fails by itself again and again is given up. */
const GIVES_UP = ['ReadLive', 'CheckPolicy', 'ReserveLimits'];

/** Where the sweep writes what an execution could not, that execution has failed all the same. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = { KeepRecord: ['succeeded', 'failed'] };

const OUTAGE_MS = 12 * MINUTE_MS;

/** Every way in which a whole invocation of the state ends badly: once, and for twelve minutes. */
export function invocationRows(state: TaskState): ChangeRow[] {
  return INVOCATION_KINDS.flatMap(({ name, error, of }): ChangeRow[] => {
    const faults = [of(state.functionName)];
    const forGood =
      GIVES_UP.includes(state.name) && !OUT_OF_REACH.includes(error)
        ? [
            {
              name: `${state.name}: ${name} for good`,
              state,
              faults,
              lasting: 'for good',
              givenUp: true,
            } as const,
          ]
        : [];
    return [
      { name: `${state.name}: ${name} once`, state, faults, lasting: { times: 1 } },
      { name: `${state.name}: ${name} for twelve minutes`, state, faults, lasting: { forMs: OUTAGE_MS } },
      ...forGood,
    ];
  });
}

const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems'] as const;

/** The first of each kind of write that the state makes happens, and it never hears of it. */
export function lostWrites(state: TaskState): ChangeRow {
  const lost = (service: 'dynamodb' | 's3' | 'events', operation: string): RunFault => ({
    function: state.functionName,
    service,
    operation,
    when: 'after',
    effect: { kind: 'lost-reply' },
  });
  return {
    name: `${state.name}: the replies to its writes are lost`,
    state,
    faults: [
      ...WRITES.map((operation) => lost('dynamodb', operation)),
      lost('s3', 'PutObject'),
      lost('events', 'PutEvents'),
    ],
    lasting: { times: 1 },
  };
}

/** DynamoDB answers nothing to this state for twelve minutes. */
export function tableRows(state: TaskState): ChangeRow[] {
  const kinds = {
    refused: { kind: 'error', code: 'InternalServerError', status: 500 },
    throttled: { kind: 'throttle' },
    'too slow': { kind: 'timeout' },
  } as const;
  return Object.entries(kinds).map(([name, effect]) => ({
    name: `${state.name}: DynamoDB ${name}`,
    state,
    faults: [{ function: state.functionName, service: 'dynamodb', when: 'before', effect }],
    lasting: { forMs: OUTAGE_MS },
  }));
}

/** One request of the function goes wrong once. */
export function callRow(state: TaskState, kind: string, callIndex: number): ChangeRow {
  const found = CALL_KINDS.find(({ name }) => name === kind);
  if (found === undefined) throw new Error(`There is no kind of call fault "${kind}".`);
  return {
    name: `${state.name}: ${kind} of request ${callIndex}`,
    state,
    faults: [found.of(state.functionName, callIndex)],
    lasting: { times: 1 },
  };
}

/** Plays one change with the fault; `hits`: how often the fault met it. */
export async function playChangeRow(
  rig: ChangeRig,
  row: ChangeRow,
): Promise<{ troubles: string[]; hits: number }> {
  const { cloud } = rig.world;
  const subject = await rig.subject();
  const { lasting } = row;
  const times = typeof lasting === 'object' && 'times' in lasting ? { times: lasting.times } : {};
  const leading = LEADING[row.state.name];
  const led =
    leading === undefined
      ? undefined
      : rig.break(subject, { function: leading, invocation: 'error', errorType: 'TypeError', times: 1 });
  const handles = row.faults.map((fault) => rig.break(subject, { ...fault, ...times }));
  const found: string[] = [];
  try {
    await rig.queue(subject);
    if (typeof lasting === 'object' && 'forMs' in lasting) {
      await cloud.advance(lasting.forMs);
      found.push(...(await waitingTroubles(rig, subject)));
      for (const handle of handles) handle.remove();
    }
    await rig.over(subject);
    const hits = handles.reduce((sum, handle) => sum + handle.hits, 0);
    led?.remove();
    for (const handle of handles) handle.remove();
    await settled(rig, subject);
    found.push(
      ...(row.givenUp === true
        ? await refusedTroubles(rig, subject, { status: 'FAILED', move: 'fail', row: 'failed' })
        : await appliedTroubles(rig, subject, ENDINGS[row.state.name])),
    );
    return { troubles: found, hits };
  } finally {
    cloud.faults.clear();
    await rig.retire(subject);
  }
}

/** Until no execution of it runs, its history row is closed and no record waits; an hour at most, then it is as it is. */
export async function settled(rig: ChangeRig, subject: ChangeSubject): Promise<void> {
  const { tenant, id } = subject;
  const closed = async (): Promise<boolean> => {
    const row = await rig.world.table('runs').get({ pk: `${tenant}#run#${id}`, sk: 'run' });
    const all = await rig.executions(subject);
    const kept = await rig.records(subject);
    return (
      row?.['openPk'] === undefined && all.every(({ status }) => status !== 'RUNNING') && kept.length === 0
    );
  };
  if (!isOver((await rig.change(subject)).status) || (await closed())) return;
  await rig.world.cloud.until(closed, { withinMs: HOUR_MS }).catch(() => undefined);
}

/** One test per row. */
export function playAll(rows: readonly ChangeRow[], rig: () => ChangeRig): void {
  it.each(rows)('$name', async (row) => {
    const { troubles, hits } = await playChangeRow(rig(), row);
    expect(troubles).toEqual([]);
    expect(hits, 'the fault never met the change').toBeGreaterThan(0);
  });
}

/** Kinds of which `npm test` plays one per state, in turn; the long tests play all. */
const IN_TURN = ['Unavailable', 'a kill before the handler', 'a timeout', 'a bug', 'Conflict'];
/** What is done and not known to be done. */
const DONE = 'a kill after the handler';

/** What `npm test` plays of a state: a failure, an invocation and writes whose ends nobody hears of. */
export function fastRows(state: TaskState): ChangeRow[] {
  const kinds = [IN_TURN[EXECUTOR_STATES.indexOf(state) % IN_TURN.length], DONE];
  const names = kinds.map((kind) => `${state.name}: ${kind} once`);
  return [...invocationRows(state).filter(({ name }) => names.includes(name)), lostWrites(state)];
}
