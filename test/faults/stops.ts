// Where can a run be stopped or run out of time, and what must then become of it?
import { expect, it } from 'vitest';
import { STATES } from './matrix.ts';
import { MACHINE, MACHINE_ARN, type Answer, type Rig, type Subject } from './rig.ts';
import { leadingTo, redriveTroubles, type RowResult } from './rows.ts';
import { everyState, type AnyState, type TaskState } from './states.ts';
import { troubles } from './verify.ts';

/** Before the n-th request of the state's function is received, or when its reply arrives: the function goes on. */
export interface AtRequest {
  index: number;
  when: 'before' | 'after';
}

/** `entry`: before the state does anything. `question`: while a person is asked. */
export type Moment = 'entry' | 'question' | AtRequest;

/** States that are no Task and that a run without failures never enters: the functions that must fail. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  'Anything approved?': ['draft-battle-plan'],
  RenderSingles: ['render-group'],
  'Not reported': ['render-group', 'render-single', 'report-render-failure'],
  'Too few rendered': ['render-group', 'render-single'],
  Failed: ['queue-go-live'],
};

/** What the step wrote down before it was stopped stands: a person's answer, or a launch that is whole. */
const STANDS: Readonly<Record<string, string>> = { RecordRejection: 'rejected', RecordOutcome: 'succeeded' };

/** Seconds after the start of a run by which a state has been entered; one that hangs has tries left, a Wait is not over. */
const LIMIT_SECONDS: Readonly<Record<string, number>> = {
  WaitForTranscript: 10,
  WaitForVideos: 35,
  // Both waits come before them.
  PublishAds: 100,
  QueueGoLive: 100,
  RecordOutcome: 100,
  UndoQueueGoLive: 100,
  UndoPublish: 100,
};
const USUAL_LIMIT_SECONDS = 60;

export const STOPPABLE = everyState().filter(({ machine }) => machine === MACHINE);

/** Time passes in them; every other state is over in the moment that it begins. */
export const TAKES_TIME = STOPPABLE.filter(({ type }) => type === 'Task' || type === 'Wait');

interface Play {
  subject: Subject;
  executionArn: string;
  task: TaskState | undefined;
  answer: Answer;
}

async function prepare(rig: Rig, state: AnyState): Promise<Play> {
  const subject = await rig.subject();
  const task = STATES.find(({ name, machine }) => name === state.name && machine === state.machine);
  const { fail, answer = 'approve' } =
    task === undefined ? { fail: WAYS[state.name] ?? [] } : leadingTo(task, STATES);
  for (const name of fail) rig.break(subject, { function: name, invocation: 'error', errorType: 'Refused' });
  const executionArn = `${MACHINE_ARN.replace(':stateMachine:', ':execution:')}:${subject.runId}`;
  return { subject, executionArn, task, answer };
}

/** Plays a run, stops it once at that moment, and says what is not as it must be; a redrive must then publish. */
export async function playStop(
  rig: Rig,
  state: AnyState,
  moment: Moment,
  redrive: boolean,
): Promise<RowResult> {
  const { cloud } = rig.world;
  const { subject, executionArn, task, answer } = await prepare(rig, state);
  let stopped: Promise<unknown> | undefined;
  // Asked of the engine itself: a call through the cloud would arrive a little later.
  const stop = (): void => {
    const input = { executionArn, error: 'Stopped', cause: 'by a test' };
    stopped ??= cloud.states.call('StopExecution', input, { principal: { kind: 'administrator' } });
  };
  const off = cloud.onTransition(({ type, stateName, executionArn: arn }) => {
    if (moment === 'entry' && type === 'entered' && stateName === state.name && arn === executionArn) stop();
  });
  if (typeof moment === 'object' && task !== undefined)
    rig.break(subject, {
      function: task.functionName,
      callIndex: moment.index,
      when: moment.when,
      effect: { kind: 'meanwhile', run: stop },
    });
  try {
    await rig.start(subject);
    if (moment === 'question') {
      await cloud.until(async () => (await rig.review(subject))?.status === 'open');
      stop();
    }
    await rig.ended(subject, answer);
    if (stopped === undefined) {
      // What this run was made to fail of is nobody else's letter.
      await rig.take('creative-dead-letters');
      return { troubles: [], hits: 0 };
    }
    await stopped;
    cloud.faults.clear();
    const expected = { status: 'ABORTED', rows: ['stopped', STANDS[state.name]], letters: 0 };
    const found = await endTroubles(rig, subject, expected);
    if (redrive) found.push(...(await redriveTroubles(rig, subject)));
    return { troubles: found, hits: 1 };
  } finally {
    off();
    cloud.faults.clear();
    await rig.retire(subject);
  }
}

/** Plays a run whose step hangs until the execution's own time is over. */
export async function playTimeout(rig: Rig, state: AnyState, redrive: boolean): Promise<RowResult> {
  const { cloud } = rig.world;
  const { subject, executionArn, task, answer } = await prepare(rig, state);
  const inside = new Set<string | undefined>();
  let last: readonly (string | undefined)[] = [];
  const hanging = task && rig.break(subject, { function: task.functionName, invocation: 'timeout' });
  const off = cloud.onTransition(({ type, status, stateName, executionArn: arn }) => {
    if (arn !== executionArn) return;
    if (type === 'entered') inside.add(stateName);
    if (type === 'exited' || (type === 'failed' && status !== 'RUNNING')) inside.delete(stateName);
    if (type !== 'execution' || status === 'RUNNING') return;
    last = [...inside];
    // What settles the run may call the very same function.
    hanging?.remove();
  });
  const { definition } = await cloud.call('states', 'DescribeStateMachine', {
    stateMachineArn: MACHINE_ARN,
  });
  const limit = async (text: string): Promise<void> => {
    await cloud.call('states', 'UpdateStateMachine', { stateMachineArn: MACHINE_ARN, definition: text });
  };
  const TimeoutSeconds = LIMIT_SECONDS[state.name] ?? USUAL_LIMIT_SECONDS;
  await limit(JSON.stringify({ ...JSON.parse(definition), TimeoutSeconds }));
  try {
    await rig.start(subject);
    await limit(definition);
    // Time passes in this state while a person thinks.
    await rig.ended(subject, state.name === 'AskForReview' ? undefined : answer);
    cloud.faults.clear();
    const found = await endTroubles(rig, subject, { status: 'TIMED_OUT', rows: ['failed'], letters: 1 });
    if (!last.includes(state.name)) found.push(`its time was over in ${last.join(', ')}`);
    if (redrive) found.push(...(await redriveTroubles(rig, subject)));
    return { troubles: found, hits: hanging?.hits ?? 1 };
  } finally {
    off();
    await limit(definition);
    cloud.faults.clear();
    await rig.retire(subject);
  }
}

async function endTroubles(
  rig: Rig,
  subject: Subject,
  expected: { status: string; rows: readonly (string | undefined)[]; letters: number },
): Promise<string[]> {
  const { status, error } = await rig.describe(subject);
  const row = await rig.runs.get(subject.tenant, subject.runId);
  const letters = (await rig.take('creative-dead-letters')).filter(({ kind }) => kind === 'run');
  const found: string[] = [];
  if (status !== expected.status) found.push(`the execution ${status} (${error}), not ${expected.status}`);
  if (!expected.rows.includes(row?.status)) found.push(`the history row says ${row?.status}`);
  // What somebody stopped needs no operator.
  if (letters.length !== expected.letters) found.push(`${letters.length} dead letters`);
  const ending = row?.status === 'succeeded' ? 'published' : 'nothing';
  return [...found, ...(await troubles(rig, subject, ending))];
}

/** One test per moment, with its redrive where asked for. */
export function stopAll(
  stops: readonly { state: AnyState; moment: Moment }[],
  redrive: boolean,
  rig: () => Rig,
): void {
  const named = stops.map(({ state, moment }) => ({
    state,
    moment,
    name: `${state.name}${typeof moment === 'object' ? `, ${moment.when} request ${moment.index}` : ''}`,
  }));
  it.each(named)('stopped in $name is taken back', async ({ state, moment }) => {
    const { troubles: found, hits } = await playStop(rig(), state, moment, redrive);
    expect(found).toEqual([]);
    expect(hits, 'the run never came there').toBe(1);
  });
}

/** One test per state: the execution's time is over while the run is in it. */
export function timeOutAll(states: readonly AnyState[], redrive: boolean, rig: () => Rig): void {
  it.each(states)('out of time in $name is taken back', async (state) => {
    const { troubles: found, hits } = await playTimeout(rig(), state, redrive);
    expect(found).toEqual([]);
    expect(hits, 'the run never came there').toBeGreaterThan(0);
  });
}
