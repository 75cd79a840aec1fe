// What is asked of the platform, and what does its answer or silence mean?
import type { LiveObject, LivePatch } from '../ports/ads/live-ads.ts';
import { refusalOf, throttleOf } from '../ports/ads/refusals.ts';
import { isTaskError } from '../runtime/errors.ts';
import { entityName, slotOf, type Change, type ConfiguredStatus, type Intent } from './change.ts';
import { sayValue, valueOf } from './precondition.ts';
import { block, defer, type Value, type Verdict } from './verdict.ts';

/** When the platform throttles and names no time. */
const THROTTLE_WAIT_MS = 5 * 60_000;
/** A stopped account is looked at again after a person reconnected it; the switch wakes its changes before that. */
const STOPPED_WAIT_MS = 15 * 60_000;

export function patchOf({ kind, currency }: Pick<Change, 'kind' | 'currency'>, value: Value): LivePatch {
  const slot = slotOf(kind);
  if (slot === 'status') return { status: value as ConfiguredStatus };
  const money = { amountMinor: value as number, currency };
  return slot === 'budget' ? { dailyBudget: money } : { bid: money };
}

export type Reading = 'write' | 'done' | 'moved';

/** Is there anything left to write? `done` when the object has the value: an earlier try reached it although nobody heard. Pure. */
export function readBack(
  change: Pick<Change, 'kind'>,
  live: LiveObject | null,
  before: Value,
  applied: Value,
): Reading {
  const current = live === null ? undefined : valueOf(live, slotOf(change.kind));
  if (current === applied) return 'done';
  return current === before ? 'write' : 'moved';
}

export function movedVerdict(change: Change, live: LiveObject | null, before: Value): Verdict {
  const current = live === null ? undefined : valueOf(live, slotOf(change.kind));
  const now = current === undefined ? 'nothing of the kind' : sayValue(current, change.currency);
  return block(
    'moved',
    `The ${entityName(change.entity)} had ${sayValue(before, change.currency)} and has ${now} now: somebody was faster.`,
  );
}

/** The platform knows no key that would make a repeat harmless: what an earlier try reached is not written again. */
export function doneVerdict(
  change: Change,
  before: Value,
  applied: Value,
  earlier: Intent | undefined,
): Verdict {
  if (earlier !== undefined) return { decision: 'applied', before, applied, executedAt: earlier.at };
  const reason = `Somebody else gave ${entityName(change.entity)} ${sayValue(applied, change.currency)} at the same moment.`;
  return { decision: 'needless', before, code: 'already', reason };
}

/** A verdict by somebody who could not look at the object: while an earlier try is open, nothing but later is an answer. */
export function unseenIf(unseen: boolean, verdict: Verdict, nowMs: number): Verdict {
  if (!unseen) return verdict;
  if (verdict.decision === 'defer') return { ...verdict, unseen };
  const { code, reason } = verdict as Extract<Verdict, { decision: 'block' | 'fail' }>;
  return { decision: 'defer', retryAt: nowMs + STOPPED_WAIT_MS, code, reason, unseen };
}

/**
 * A refusal as a verdict, and whether it stops the whole account; undefined for what may have reached the platform or is a bug,
 * which is thrown on.
 */
export function refusalVerdict(
  error: unknown,
  nowMs: number,
): { verdict: Verdict; stopsAccount: boolean } | undefined {
  if (!isTaskError(error)) return undefined;
  if (throttleOf(error) !== undefined || error.name === 'RateLimited') {
    const verdict = defer(error.retryAt ?? nowMs + THROTTLE_WAIT_MS, 'throttled', error.message);
    return { verdict, stopsAccount: false };
  }
  switch (refusalOf(error)) {
    case 'credential':
    case 'permission':
      return {
        verdict: defer(nowMs + STOPPED_WAIT_MS, 'account-stopped', error.message),
        stopsAccount: true,
      };
    case 'policy':
      return { verdict: block('platform-policy', error.message), stopsAccount: false };
    case 'value':
    case 'other':
      return { verdict: { decision: 'fail', code: 'refused', reason: error.message }, stopsAccount: false };
    default:
      return undefined;
  }
}
