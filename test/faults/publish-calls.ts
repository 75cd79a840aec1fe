// What does publishing ask of the vendor, and what must become of the run when one of its calls goes wrong?
import type { Failure } from '../../lib/sandbox/switches.ts';
import type { Rig } from './rig.ts';
import type { RowResult } from './rows.ts';
import { troubles } from './verify.ts';

/** Failures that a repeat of the step heals; the run must publish. */
const PASSING: readonly Failure[] = [
  'throttle',
  'server-error',
  'nonsense',
  'disconnect',
  'apply-and-lose-reply',
];
/** The vendor's no: the run must take back what it made. */
const FINAL: readonly Failure[] = ['refuse', 'permission', 'policy', 'expired-token'];
const FAILURES = [...PASSING, ...FINAL];

interface Call {
  what: string;
  method: string;
  path: (accountId: string) => RegExp;
  /** So many calls like it go well before. */
  after?: number;
}

const CALLS: readonly Call[] = [
  { what: 'reading the account', method: 'GET', path: (id) => new RegExp(`/act_${id}$`) },
  { what: 'creating the campaign', method: 'POST', path: (id) => new RegExp(`/act_${id}/campaigns$`) },
  { what: 'creating the ad set', method: 'POST', path: (id) => new RegExp(`/act_${id}/adsets$`) },
  { what: 'starting an upload', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`) },
  { what: 'sending bytes', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`), after: 1 },
  { what: 'finishing an upload', method: 'POST', path: (id) => new RegExp(`/act_${id}/advideos$`), after: 2 },
  { what: 'reading a video', method: 'GET', path: () => /^\/v\d+\.0\/\d+$/ },
  { what: 'creating a creative', method: 'POST', path: (id) => new RegExp(`/act_${id}/adcreatives$`) },
  { what: 'creating the third ad', method: 'POST', path: (id) => new RegExp(`/act_${id}/ads$`), after: 2 },
];

export interface CallFailure extends Call {
  failure: Failure;
  /** Each call and each failure is in turn once: what `npm test` plays; the long tests play all. */
  inTurn: boolean;
}

export const CALL_FAILURES: readonly CallFailure[] = CALLS.flatMap((call, index) =>
  FAILURES.map((failure) => ({ ...call, failure, inTurn: FAILURES[index % FAILURES.length] === failure })),
);

/** Publishes, or leaves the account exactly as it was. */
export async function playCall(
  rig: Rig,
  { method, path, after = 0, failure }: CallFailure,
): Promise<RowResult> {
  const subject = await rig.subject();
  const { meta } = rig.world.sandbox;
  const before = meta.snapshot(subject.account.id);
  const broken = meta.fail({ match: { method, path: path(subject.account.id) }, with: failure, after });
  await rig.start(subject);
  const { status } = await rig.ended(subject);
  await rig.take('creative-dead-letters');
  const hits = broken.hits();
  broken.off();
  const wanted = PASSING.includes(failure) ? 'SUCCEEDED' : 'FAILED';
  const found = await troubles(rig, subject, wanted === 'SUCCEEDED' ? 'published' : 'nothing');
  if (status !== wanted) found.push(`the execution ${status}, not ${wanted}`);
  if ((meta.snapshot(subject.account.id) === before) !== (wanted === 'FAILED'))
    found.push(wanted === 'FAILED' ? 'the account is another one' : 'nothing was published');
  await rig.retire(subject);
  return { troubles: found, hits };
}

export interface Silence {
  edge: string;
  when: 'before' | 'after';
  /** Played by `npm test`: where it was applied, and once where it was not. */
  fast: boolean;
}

/** Calls that are never answered, before or after they were applied. */
export const SILENCES: readonly Silence[] = ['advideos', 'campaigns', 'adsets', 'adcreatives', 'ads'].flatMap(
  (edge) =>
    (['before', 'after'] as const).map((when) => ({
      edge,
      when,
      fast: when === 'after' || edge === 'adcreatives',
    })),
);

/** Publishes, with every object once. */
export async function playSilence(rig: Rig, { edge, when }: Silence): Promise<RowResult> {
  const subject = await rig.subject();
  const broken = rig.break(subject, {
    host: `act_${subject.account.id}/${edge}`,
    when,
    effect: { kind: 'timeout' },
    times: 1,
  });
  await rig.start(subject);
  const { status } = await rig.ended(subject);
  const found = await troubles(rig, subject, 'published');
  if (status !== 'SUCCEEDED') found.push(`the execution ${status}, not SUCCEEDED`);
  await rig.retire(subject);
  return { troubles: found, hits: broken.hits };
}

export interface Deletion {
  /** So many deletions go well before. */
  after: number;
  failure: Failure;
  /** Played by `npm test`: each failure once. */
  fast: boolean;
}

// The fourth deletion is an ad's; the ninth a creative's: then all ads are deleted and the undo begins again with them.
export const DELETIONS: readonly Deletion[] = [3, 8].flatMap((after) =>
  (['throttle', 'server-error', 'apply-and-lose-reply'] as const).map((failure) => ({
    after,
    failure,
    fast: (after === 3) === (failure === 'throttle'),
  })),
);

/** Undoes all that was published. */
export async function playDeletion(rig: Rig, { after, failure }: Deletion): Promise<RowResult> {
  const subject = await rig.subject();
  const { meta } = rig.world.sandbox;
  rig.break(subject, { function: 'queue-go-live', invocation: 'error', errorType: 'Refused' });
  const broken = meta.fail({ match: { method: 'DELETE' }, with: failure, after });
  await rig.start(subject);
  const { status } = await rig.ended(subject);
  await rig.take('creative-dead-letters');
  const hits = broken.hits();
  broken.off();
  const found = await troubles(rig, subject, 'nothing');
  if (status !== 'FAILED') found.push(`the execution ${status}, not FAILED`);
  await rig.retire(subject);
  return { troubles: found, hits };
}
