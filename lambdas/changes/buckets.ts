// How full is each bucket of the account, and when does it free?
import type { Ledger, Limits } from './ledger.ts';

export type RefusalCode =
  | 'account-rate'
  | 'ad-set-rate'
  | 'creation-rate'
  | 'usage'
  | 'blast-run'
  | 'blast-day';

export interface Refusal {
  granted: false;
  code: RefusalCode;
  /** A sentence without money: the caller knows the currency, and has `used` and `limit`. */
  reason: string;
  /** When it would be granted if nobody else took anything; null: never. */
  retryAt: number | null;
  used: number;
  limit: number;
}

/** For people. Counts, percent for `usage`, minor units for `money-per-day`. */
export interface Bucket {
  /** `changes-per-hour`, `budget-edits-per-hour/<holder>`, `creations-per-hour`, `usage`, `money-per-day`. */
  name: string;
  used: number;
  limit: number;
  /** Epoch milliseconds at which less of it is used; null while nothing is. */
  freesAt: number | null;
}

/** A quota that is used up says nothing about itself while nobody asks: after so long one may try again. */
export const USAGE_TRUST_MS = 300_000;

interface Slot {
  at: number;
  count?: number;
}

export function changeSlots(ledger: Ledger, limits: Limits, nowMs: number): Slot[] {
  return ledger.changes.filter(({ at }) => at > nowMs - spanMs(limits));
}

export function editSlots(ledger: Ledger, holder: string, limits: Limits, nowMs: number): Slot[] {
  return ledger.edits.filter((edit) => edit.holder === holder && edit.at > nowMs - spanMs(limits));
}

/** `account-rate` and so on when `count` more do not fit beside what the slots of the window hold. */
export function rateRefusal(
  code: 'account-rate' | 'ad-set-rate' | 'creation-rate',
  slots: readonly Slot[],
  count: number,
  limits: Limits,
  nowMs: number,
): Refusal | undefined {
  const [limit, what] = {
    'account-rate': [limits.changesPerHour, 'changes of this account'] as const,
    'ad-set-rate': [limits.budgetEditsPerAdSetPerHour, 'budget edits of this ad set'] as const,
    'creation-rate': [limits.creationsPerHour, 'new objects of this account'] as const,
  }[code];
  const inWindow = slots.filter(({ at }) => at > nowMs - spanMs(limits)).toSorted((a, b) => a.at - b.at);
  const used = inWindow.reduce((sum, slot) => sum + (slot.count ?? 1), 0);
  if (used + count <= limit) return undefined;
  let left = used;
  const frees = inWindow.find((slot) => (left -= slot.count ?? 1) + count <= limit);
  const reason =
    count > limit
      ? `${count} at once are more than the ${limit} ${what} that fit into any hour.`
      : `${used} of ${limit} ${what} within any hour are taken.`;
  return {
    granted: false,
    code,
    reason,
    retryAt: frees === undefined ? null : frees.at + spanMs(limits),
    used,
    limit,
  };
}

export function usageRefusal({ usage }: Ledger, limits: Limits, nowMs: number): Refusal | undefined {
  const until = usageFreesAt(usage, limits);
  if (usage === null || until <= nowMs) return undefined;
  const [used, limit] = [usage.highestPercent, limits.usagePercent];
  const reason = `The platform reports ${used} % of a quota as used; above ${limit} % nothing is asked of it.`;
  const blocked = `The platform blocks this account until it regains access.`;
  return {
    granted: false,
    code: 'usage',
    reason: used < limit ? blocked : reason,
    retryAt: until,
    used,
    limit,
  };
}

/** `moreMinor` beside `usedMinor`; `freesAt` is when all of it is given back, null for never. */
export function moneyRefusal(
  code: 'blast-run' | 'blast-day',
  usedMinor: number,
  moreMinor: number,
  limitMinor: number,
  freesAt: number | null,
): Refusal | undefined {
  if (moreMinor <= 0 || usedMinor + moreMinor <= limitMinor) return undefined;
  const whose = code === 'blast-run' ? 'one run or rule execution' : 'one day of this account';
  const retryAt = moreMinor > limitMinor ? null : freesAt;
  const reason = `It would move more money than ${whose} may.`;
  return { granted: false, code, reason, retryAt, used: usedMinor, limit: limitMinor };
}

/** Of several refusals the one that holds longest. */
export function lastToFree(refusals: readonly (Refusal | undefined)[]): Refusal | undefined {
  const until = ({ retryAt }: Refusal) => retryAt ?? Infinity;
  return refusals
    .filter((refusal) => refusal !== undefined)
    .reduce<Refusal | undefined>((a, b) => (a === undefined || until(b) > until(a) ? b : a), undefined);
}

/** Every bucket that anything can wait for, ad sets only while they have edits in the window. */
export function buckets(ledger: Ledger, limits: Limits, nowMs: number): Bucket[] {
  const rate = (name: string, slots: readonly Slot[], limit: number): Bucket => ({
    name,
    used: slots.reduce((sum, slot) => sum + (slot.count ?? 1), 0),
    limit,
    freesAt: slots.length === 0 ? null : Math.min(...slots.map(({ at }) => at)) + spanMs(limits),
  });
  const created = ledger.creations.filter(({ at }) => at > nowMs - spanMs(limits));
  const holders = new Set(ledger.edits.map(({ holder }) => holder));
  const usageUntil = usageFreesAt(ledger.usage, limits);
  const { dayMinor, dayEndsAt } = ledger.moved;
  const today = nowMs < dayEndsAt ? dayMinor : 0;
  return [
    rate('changes-per-hour', changeSlots(ledger, limits, nowMs), limits.changesPerHour),
    ...[...holders]
      .map((holder) =>
        rate(
          `budget-edits-per-hour/${holder}`,
          editSlots(ledger, holder, limits, nowMs),
          limits.budgetEditsPerAdSetPerHour,
        ),
      )
      .filter(({ used }) => used > 0),
    rate('creations-per-hour', created, limits.creationsPerHour),
    {
      name: 'usage',
      used: ledger.usage?.highestPercent ?? 0,
      limit: limits.usagePercent,
      freesAt: usageUntil > nowMs ? usageUntil : null,
    },
    { name: 'money-per-day', used: today, limit: limits.perDayMinor, freesAt: today > 0 ? dayEndsAt : null },
  ];
}

function usageFreesAt(usage: Ledger['usage'], limits: Limits): number {
  if (usage === null) return 0;
  const full = usage.highestPercent >= limits.usagePercent ? usage.readAt + USAGE_TRUST_MS : 0;
  return Math.max(full, usage.regainUntil);
}

/** An effect that came as late as it may is in the window for so long after its reservation. */
function spanMs({ windowMs, marginMs }: Limits): number {
  return windowMs + marginMs;
}
