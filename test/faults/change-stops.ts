// What must become of a change whose execution is stopped or runs out of time, in whatever state?
import type { Json } from '../../lib/local/types.ts';
import { EXECUTOR, EXECUTOR_ARN, type ChangeRig, type ChangeSubject } from './change-rig.ts';
import { EXECUTOR_STATES, settled } from './change-rows.ts';
import { appliedTroubles } from './change-verify.ts';
import { everyState, type AnyState } from './states.ts';
import type { AtRequest } from './stops.ts';

/** What must fail once so that an execution comes into the state. */
const WAYS: Readonly<Record<string, string>> = {
  KeepRecord: 'impresario-dev-record-change',
  ReleaseChange: 'impresario-dev-read-live',
  Failed: 'impresario-dev-read-live',
};
/** Its execution never had the change. */
const NEVER_OURS = 'Not ours';

export const STOPPABLE = everyState().filter(
  ({ machine, name }) => machine === EXECUTOR && name !== NEVER_OURS,
);

export interface Played {
  troubles: string[];
  /** How often its execution was stopped or ran out of time. */
  hits: number;
}

/** Stops the first execution once: as the state is entered, or at one of its function's requests, and the function goes on. */
export async function playStop(
  rig: ChangeRig,
  state: AnyState,
  moment: 'entry' | AtRequest,
): Promise<Played> {
  const { cloud } = rig.world;
  const subject = await led(rig, state);
  const executionArn = `${EXECUTOR_ARN.replace(':stateMachine:', ':execution:')}:${subject.id}-1`;
  let stopped: Promise<Json> | undefined;
  // Asked of the engine itself: a call through the cloud would arrive a little later.
  const stop = (): void => {
    const input = { executionArn, error: 'Stopped', cause: 'by a test' };
    stopped ??= cloud.states.call('StopExecution', input, { principal: { kind: 'administrator' } });
  };
  const off = cloud.onTransition(({ type, stateName, executionArn: arn }) => {
    if (moment === 'entry' && type === 'entered' && stateName === state.name && arn === executionArn) stop();
  });
  const task = EXECUTOR_STATES.find(({ name }) => name === state.name);
  if (moment !== 'entry' && task !== undefined)
    rig.break(subject, {
      function: task.functionName,
      callIndex: moment.index,
      when: moment.when,
      effect: { kind: 'meanwhile', run: stop },
    });
  try {
    await rig.queue(subject);
    await rig.over(subject);
    cloud.faults.clear();
    if (stopped === undefined) return { troubles: [], hits: 0 };
    await settled(rig, subject);
    const [first, second] = await rig.executions(subject);
    const aborted = first?.status === 'ABORTED' ? [] : [`its first execution ended as ${first?.status}`];
    // Where its function went on and wrote everything down, nothing was left to another execution.
    const rows = second === undefined ? ['succeeded', 'stopped'] : ['succeeded'];
    return { troubles: [...aborted, ...(await appliedTroubles(rig, subject, rows))], hits: 1 };
  } finally {
    off();
    cloud.faults.clear();
    await rig.retire(subject);
  }
}

/** Its step hangs until the execution's own time is over. */
export async function playTimeout(rig: ChangeRig, state: AnyState): Promise<Played> {
  const { cloud } = rig.world;
  const subject = await led(rig, state);
  const task = EXECUTOR_STATES.find(({ name }) => name === state.name);
  if (task === undefined) throw new Error(`Nothing hangs in ${state.name}.`);
  const hanging = rig.break(subject, { function: task.functionName, invocation: 'timeout' });
  const { definition } = await cloud.call('states', 'DescribeStateMachine', {
    stateMachineArn: EXECUTOR_ARN,
  });
  const limit = async (text: string): Promise<void> => {
    await cloud.call('states', 'UpdateStateMachine', { stateMachineArn: EXECUTOR_ARN, definition: text });
  };
  await limit(JSON.stringify({ ...JSON.parse(definition), TimeoutSeconds: 30 }));
  try {
    await rig.queue(subject);
    await cloud.until(async () =>
      (await rig.executions(subject)).some(({ status }) => status === 'TIMED_OUT'),
    );
    hanging.remove();
    await limit(definition);
    await rig.over(subject);
    cloud.faults.clear();
    await settled(rig, subject);
    return { troubles: await appliedTroubles(rig, subject), hits: hanging.hits };
  } finally {
    await limit(definition);
    cloud.faults.clear();
    await rig.retire(subject);
  }
}

/** A change whose first execution will come into the state. */
async function led(rig: ChangeRig, { name }: AnyState): Promise<ChangeSubject> {
  const subject = await rig.subject();
  const way = WAYS[name];
  if (way !== undefined)
    rig.break(subject, { function: way, invocation: 'error', errorType: 'TypeError', times: 1 });
  return subject;
}
