// What must become of creative-generation when this step fails in this way?
import { listDebts } from '../../lambdas/runtime/debts.ts';
import { listSteps } from '../../lambdas/runtime/steps.ts';
import { keysOf } from './reference.ts';
import type { Answer, Rig, RunFault, Subject } from './rig.ts';
import type { TaskState } from './states.ts';
import { troubles } from './verify.ts';

/** Steps that run only after another has failed, or after an answer: what to break and to say so that they run. */
const LEADING: Readonly<Record<string, { fail: readonly string[]; answer?: Answer }>> = {
  AskForReview: { fail: ['draft-battle-plan'], answer: 'approve' },
  RecordRejection: { fail: ['draft-battle-plan'], answer: 'reject' },
  // Undone is what was made: the last step that makes something fails.
  UndoQueueGoLive: { fail: ['record-outcome'] },
  UndoPublish: { fail: ['queue-go-live'] },
};

/** The failures that lead to the state; the first Task that hands over to it is enough. */
export function leadingTo(
  state: TaskState,
  all: readonly TaskState[],
): { fail: readonly string[]; answer?: Answer } {
  const known = LEADING[state.name];
  if (known !== undefined) return known;
  const [first] = state.reachedByFailureOf;
  if (first === undefined) return { fail: [] };
  const before = all.find(({ name, machine }) => name === first && machine === state.machine);
  if (before === undefined) return { fail: [] };
  return { fail: [...leadingTo(before, all).fail, before.functionName] };
}

export interface Row {
  /** Each `times` times. */
  faults: readonly RunFault[];
  /** What the state machine sees. */
  error: string;
  /** `FOR_GOOD`: until an operator repairs it and redrives. */
  times: number;
  /** A redrive follows a failed run unless this is false. */
  redrive?: boolean;
}

export const FOR_GOOD = Infinity;

export interface RowResult {
  /** Everything that is not as it must be. */
  troubles: string[];
  /** How often the fault met the run. */
  hits: number;
}

interface Expected {
  status: 'SUCCEEDED' | 'FAILED';
  row: 'succeeded' | 'failed' | 'rejected';
  fallbackScores?: boolean;
  reviewed?: boolean;
  /** Its undo fails for good as well: compensation debt until somebody repairs it. */
  debt?: boolean;
  /** No run could ever use the video: it is deleted, and a redrive cannot help. */
  discarded?: boolean;
}

const PUBLISHED: Expected = { status: 'SUCCEEDED', row: 'succeeded' };
const FAILED: Expected = { status: 'FAILED', row: 'failed' };
/** How a run ends that these steps take part in, when they do their work. */
const ENDINGS: Readonly<Record<string, Expected>> = {
  RecordRejection: { status: 'SUCCEEDED', row: 'rejected' },
  ReportRenderFailure: FAILED,
  UndoQueueGoLive: FAILED,
  UndoPublish: FAILED,
  DiscardVideo: FAILED,
};

function expectedOf(state: TaskState, { error, times, faults }: Row): Expected {
  if (times !== FOR_GOOD && state.retries(error)) return ENDINGS[state.name] ?? PUBLISHED;
  switch (state.name) {
    case 'PredictCtr':
      return { ...PUBLISHED, fallbackScores: true };
    case 'DraftBattlePlan':
    case 'ForecastPerformance':
    case 'ReviewQuality':
      return { ...PUBLISHED, reviewed: true };
    case 'RenderGroup':
      return PUBLISHED;
    case 'RenderSingle':
      // One of five is left out; none is too few.
      return times === FOR_GOOD ? FAILED : PUBLISHED;
    case 'RecordRejection':
      // The answer was written down before the step died: it stands.
      return killedAfter(faults) ? { status: 'FAILED', row: 'rejected' } : FAILED;
    case 'AskForReview':
      // The question was stored and told before the step died: its answer counts.
      return killedAfter(faults) ? PUBLISHED : FAILED;
    case 'CheckVideo':
      return { ...FAILED, discarded: error === 'InvalidInput' };
    case 'RecordOutcome':
      // All was done and only the answer was lost, again and again: the launch stands.
      return killedAfter(faults) ? { status: 'FAILED', row: 'succeeded' } : FAILED;
    case 'UndoQueueGoLive':
    case 'UndoPublish':
      // Killed when the undo was done, nothing is owed.
      return { ...FAILED, debt: times === FOR_GOOD && !killedAfter(faults) };
    default:
      return FAILED;
  }
}

function killedAfter(faults: readonly RunFault[]): boolean {
  return faults.some(
    (fault) => 'invocation' in fault && fault.invocation === 'kill' && fault.when === 'after',
  );
}

/** Plays the run with the fault, and once more without it when that run failed. */
export async function playRow(
  rig: Rig,
  all: readonly TaskState[],
  state: TaskState,
  row: Row,
): Promise<RowResult> {
  const subject = await rig.subject();
  const { fail, answer = 'approve' } = leadingTo(state, all);
  const leading = fail.map((functionName) =>
    rig.break(subject, { function: functionName, invocation: 'error', errorType: 'Refused' }),
  );
  const handles = row.faults.map((fault) => rig.break(subject, { ...fault, times: row.times }));
  const hitsOf = (): number => handles.reduce((sum, { hits }) => sum + hits, 0);
  const expected = expectedOf(state, row);
  const found: string[] = [];
  try {
    await rig.start(subject);
    if (expected.debt === true) {
      await rig.failed(subject, answer);
      if (hitsOf() > 0) found.push(...(await debtTroubles(rig, subject)));
      for (const handle of handles) handle.remove();
    }
    await rig.ended(subject, answer);
    const hits = hitsOf();
    for (const fault of [...leading, ...handles]) fault.remove();
    if (hits === 0) return { troubles: found, hits };
    found.push(...(await endingTroubles(rig, subject, expected)));
    if (expected.row === 'failed' && expected.discarded !== true && row.redrive !== false)
      found.push(...(await redriveTroubles(rig, subject)));
    return { troubles: found, hits };
  } finally {
    rig.world.cloud.faults.clear();
    await rig.retire(subject);
  }
}

async function endingTroubles(rig: Rig, subject: Subject, expected: Expected): Promise<string[]> {
  const { status, error, cause, output } = await rig.describe(subject);
  const row = await rig.runs.get(subject.tenant, subject.runId);
  const letters = (await rig.take('creative-dead-letters')).filter(({ kind }) => kind === 'run');
  const wanted = expected.row === 'failed' ? 1 : 0;
  const found: string[] = [];
  if (status !== expected.status)
    found.push(`the execution ${status} (${error}: ${String(cause).slice(0, 500)}), not ${expected.status}`);
  if (row?.status !== expected.row) found.push(`the history row says ${row?.status}, not ${expected.row}`);
  if (letters.length !== wanted) found.push(`${letters.length} dead letters, not ${wanted}`);
  if (letters.some(({ run }) => run.id !== subject.runId)) found.push('the dead letter is of another run');
  if (expected.fallbackScores === true && JSON.parse(output ?? '{}').usedFallbackScores !== true)
    found.push('the fallback scores are not labelled at the end');
  if (expected.reviewed === true && (await rig.review(subject)) === undefined)
    found.push('nobody was asked to review');
  if (expected.discarded === true)
    for (const key of await keysOf(rig.world, subject.tenant))
      if (/^(?:sources|uploads)\//.test(key)) found.push(`the useless video ${key} was left`);
  const ending = expected.row === 'succeeded' ? 'published' : 'nothing';
  return [...found, ...(await troubles(rig, subject, ending))];
}

async function debtTroubles(rig: Rig, { runId }: Subject): Promise<string[]> {
  const debts = await listDebts(rig.world.table('runs'));
  return debts.some((debt) => debt.runId === runId) ? [] : ['an undo failed for good and is no debt'];
}

/** A redrive finishes the work, and what was remembered is not done again. */
export async function redriveTroubles(rig: Rig, subject: Subject): Promise<string[]> {
  const before = await rig.remembered(subject);
  await rig.redrive(subject);
  await rig.ended(subject, 'approve');
  const found = (await endingTroubles(rig, subject, PUBLISHED)).map(
    (trouble) => `after the redrive: ${trouble}`,
  );
  const steps = await listSteps(rig.world.table('runs'), subject.tenant, subject.runId);
  const after = await rig.remembered(subject);
  for (const { state, remembered, attempt } of steps) {
    // Another input (the plan is another one now) is another output; the same one must be recalled.
    const known = before.get(state) !== undefined && before.get(state) === after.get(state);
    if (known && attempt === 2 && remembered !== true) found.push(`the redrive repeated ${state}`);
  }
  return found;
}
