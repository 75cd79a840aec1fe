// What can happen next to one change, in any state of it and of those who work on it?
//
// Two assumptions about time, both the product's own (release.ts): a request that nobody waits for any more is over within a minute,
// and so is the function that sent it; whoever comes next starts later than that, and whoever takes back is slower than that.
import { isOver, MOVES, type MoveName, type Position } from '../../../lambdas/changes/lifecycle.ts';
import type { ChangeStatus } from '../../../lambdas/changes/change.ts';

export type Rule = (name: MoveName, at: Position, lease?: number) => boolean;

/** Steps of an execution: started, has the lease, was told to go ahead, recorded the intent, asked, and knows how it ended. */
type Step = 'started' | 'claimed' | 'judged' | 'begun' | 'asked' | Ending;
type Ending = 'complete' | 'fail' | 'block' | 'defer' | 'defer-unseen' | 'ask' | 'lapse' | 'reclaim';

interface Execution {
  lease: number;
  step: Step;
  /** Stopped: its function goes on for a while. */
  stopped: boolean;
}

export interface State {
  status: ChangeStatus;
  lease: number;
  touched: boolean;
  expired: boolean;
  killed: boolean;
  rival: boolean;
  /** The object has what is wanted. */
  applied: boolean;
  effects: number;
  /** Requests on their way. */
  air: number;
  takenBack: boolean;
  executions: Execution[];
  /** The lease that each dispatcher has read; -1: none. */
  dispatchers: [number, number];
  /** What went wrong on the way here. */
  wrong: string;
}

export const MOST_LEASES = 2;
export const FIRST: State = {
  status: 'PENDING',
  lease: 0,
  touched: false,
  expired: false,
  killed: false,
  rival: false,
  applied: false,
  effects: 0,
  air: 0,
  takenBack: false,
  executions: [],
  dispatchers: [-1, -1],
  wrong: '',
};
const ENDINGS: readonly string[] = [
  'complete',
  'fail',
  'block',
  'defer',
  'defer-unseen',
  'ask',
  'lapse',
  'reclaim',
];

export const keyOf = (state: State): string => {
  const executions = state.executions.map(
    ({ lease, step, stopped }) => `${lease}${step}${stopped ? '!' : ''}`,
  );
  const { status, lease, touched, expired, killed, rival, applied, effects, air, takenBack, wrong } = state;
  const flags = [touched, expired, killed, rival, applied, takenBack].map(Number).join('');
  // Dispatchers are alike.
  return [
    status,
    lease,
    flags,
    effects,
    air,
    executions.join(),
    state.dispatchers.toSorted().join(),
    wrong,
  ].join('|');
};

/** Every state that one step leads to; what the table of moves refuses leads nowhere. */
export function next(state: State, may: Rule): State[] {
  const found: State[] = [];
  const go = (change: Partial<State>): void => void found.push({ ...state, ...change });
  const position: Position = { status: state.status, lease: state.lease, touched: state.touched };
  const moved = (name: MoveName, change: Partial<State> = {}, lease?: number): Partial<State> | undefined => {
    if (!may(name, position, lease)) return undefined;
    const wrong = isOver(state.status) ? `${name} left ${state.status}` : state.wrong;
    return { status: MOVES[name].to, wrong, ...change };
  };
  const attempt = (name: MoveName, change: Partial<State> = {}, lease?: number): void => {
    const after = moved(name, change, lease);
    if (after !== undefined) go(after);
  };

  // The clock, people, the platform's people and other changes.
  if (!state.expired) go({ expired: true });
  if (!state.rival) go({ rival: true });
  go({ killed: !state.killed });
  for (const name of ['hold', 'release', 'approve', 'reject', 'cancel'] as const) attempt(name);
  if (state.rival) attempt('supersede');
  if (state.expired) attempt('expire');
  attempt('orphan');
  if (state.applied && state.air === 0 && isOver(state.status) && !state.takenBack)
    go({ applied: false, takenBack: true });

  // Requests arrive or are lost.
  if (state.air > 0) {
    go({ air: state.air - 1, applied: true, effects: state.effects + (state.applied ? 0 : 1) });
    go({ air: state.air - 1 });
  }

  // Dispatchers read, and write later what they decided; they crash before the start, or start.
  const underway = state.air > 0 || state.executions.some(({ step }) => step === 'begun' || step === 'asked');
  state.dispatchers.forEach((read, i) => {
    const remember = (lease: number): [number, number] =>
      state.dispatchers.with(i, lease) as [number, number];
    if (read < 0 && state.status === 'PENDING' && state.lease < MOST_LEASES)
      go({ dispatchers: remember(state.lease) });
    if (read < 0) return;
    go({ dispatchers: remember(-1) });
    if (read !== state.lease || (state.touched && underway)) return;
    const lease = state.lease + 1;
    const started: Execution = { lease, step: 'started', stopped: false };
    attempt('dispatch', { lease, dispatchers: remember(-1) });
    attempt('dispatch', { lease, dispatchers: remember(-1), executions: [...state.executions, started] });
  });

  // The sweep: an execution that is over, was stopped or is unknown loses its lease.
  const holder = state.executions.find(({ lease, stopped }) => lease === state.lease && !stopped);
  if (holder === undefined) attempt('reclaim', {}, state.lease);

  state.executions.forEach((execution, i) => {
    const { lease, step, stopped } = execution;
    const at = (to: Step): Execution[] => state.executions.with(i, { ...execution, step: to });
    const gone = state.executions.toSpliced(i, 1);
    const to = (one: Step, change: Partial<State> = {}): void => go({ ...change, executions: at(one) });
    go({ executions: gone });
    if (!stopped) go({ executions: state.executions.with(i, { ...execution, stopped: true }) });
    if (step === 'started') {
      const after = moved('claim', { executions: at('claimed') }, lease);
      if (after !== undefined) go(after);
      else if (state.status === 'CLAIMED' && state.lease === lease) to('claimed');
      else go({ executions: gone });
    }
    if (step === 'claimed') {
      if (state.applied) to('complete');
      else if (state.expired) to('lapse');
      else if (state.killed) to('defer');
      else for (const one of ['judged', 'block', 'ask', 'defer'] as const) to(one);
      // Nobody could look.
      to(state.touched ? 'defer-unseen' : 'defer');
      to('reclaim');
    }
    if (step === 'judged') {
      if (state.applied) to('complete');
      // What was asked less than a minute ago may still arrive: nothing is asked again before that.
      else if (state.touched && state.air > 0) to('defer-unseen');
      else {
        // The place in the limits was too old, or a switch is on.
        to('defer');
        const begun = moved('begin', { touched: true, executions: at('begun') }, lease);
        if (begun === undefined) to('reclaim');
        else if (!state.killed) go(begun);
      }
    }
    if (step === 'begun') {
      const isFenced = lease === state.lease || stopped;
      to('asked', {
        air: state.air + 1,
        ...(isFenced ? {} : { wrong: 'somebody without the lease asked the platform' }),
      });
    }
    if (step === 'asked') {
      if (state.applied) to('complete');
      // A refusal is an answer: that request is over.
      if (state.air > 0)
        for (const one of ['fail', 'block', 'defer'] as const) to(one, { air: state.air - 1 });
      // No answer, or killed: tried again by its state, which looks first, or released.
      to('judged');
      to('reclaim');
    }
    if (ENDINGS.includes(step)) {
      const name = (step === 'defer-unseen' ? 'defer' : step) as MoveName;
      const keeps = step === 'defer-unseen' || step === 'reclaim' || step === 'complete';
      const after = moved(name, { executions: gone, ...(keeps ? {} : { touched: false }) }, lease);
      go(after ?? { executions: gone });
    }
  });
  return found;
}

/** A sentence when the state breaks a promise. */
export function faultOf({
  status,
  effects,
  executions,
  lease,
  air,
  takenBack,
  wrong,
  applied,
}: State): string | undefined {
  if (wrong !== '') return wrong;
  if (effects > 1) return 'it was applied twice';
  const unapplied: readonly ChangeStatus[] = ['CANCELLED', 'SUPERSEDED', 'EXPIRED', 'FAILED', 'BLOCKED'];
  if (unapplied.includes(status) && effects > 0) return `it is ${status} and was applied`;
  if (['CANCELLED', 'SUPERSEDED'].includes(status) && air > 0)
    return `it is ${status} and a request is on its way`;
  if (status === 'COMPLETED' && effects === 0 && !applied && !takenBack)
    return 'it is COMPLETED and was never applied';
  const holders = executions.filter((one) => one.lease === lease && one.step !== 'started' && !one.stopped);
  return holders.length > 1 ? 'two executions hold one lease' : undefined;
}
