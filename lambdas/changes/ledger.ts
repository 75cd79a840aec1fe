// Is there room for one more change in everything that limits this account, and who has taken what?
import {
  changeSlots,
  editSlots,
  lastToFree,
  moneyRefusal,
  rateRefusal,
  usageRefusal,
  type Refusal,
} from './buckets.ts';
import type { OwnEdit } from './budget-course.ts';
import { moneyOf, originKey, withMoney } from './ledger-money.ts';

/** From the tenant's settings; hours are rolling ones of `windowMs`. An effect follows its reservation by at most `marginMs`. */
export interface Limits {
  changesPerHour: number;
  budgetEditsPerAdSetPerHour: number;
  creationsPerHour: number;
  /** Of any quota that the platform reports: from here on nothing is asked of it. */
  usagePercent: number;
  windowMs: number;
  marginMs: number;
  velocityWindowMs: number;
  perRunMinor: number;
  perDayMinor: number;
}

export interface Reservation {
  changeId: string;
  lease: number;
  /** Epoch milliseconds. */
  at: number;
  origin: string;
  day: string;
  movesMinor: number;
  outcome: 'open' | 'applied' | 'not-applied';
}

/** What velocity is judged by, and whose rate slot it takes: the ad set's, or the campaign's where that holds the budget. */
export interface LedgerEdit extends OwnEdit {
  changeId: string;
  lease: number;
  holder: string;
}

/** As of the platform's latest answer; epoch milliseconds, `regainUntil` 0 when nothing is blocked. */
export interface SeenUsage {
  highestPercent: number;
  regainUntil: number;
  readAt: number;
}

/**
 * One item per account. With 200 changes an hour, each a budget edit of a run of its own, for days, its JSON stays below 350 KB
 * (DynamoDB takes 400); with the usual 15 below 120 KB after a month.
 */
export interface Ledger {
  changes: readonly Reservation[];
  edits: readonly LedgerEdit[];
  creations: readonly { runId: string; count: number; at: number }[];
  usage: SeenUsage | null;
  /** Money set in motion: on the account's present day, and by the latest origins, last touched last. */
  moved: { day: string; dayEndsAt: number; dayMinor: number; byOrigin: Readonly<Record<string, number>> };
}

export const EMPTY_LEDGER: Ledger = {
  changes: [],
  edits: [],
  creations: [],
  usage: null,
  moved: { day: '', dayEndsAt: 0, dayMinor: 0, byOrigin: {} },
};

/** Older applied edits than these stand in the platform's own log, as long as they are out of the rate's window. */
export const MOST_EDITS = 600;
/** Runs of which is known what they moved. */
export const MOST_ORIGINS = 4_000;

export interface RoomRequest {
  changeId: string;
  /** Number of the dispatch. */
  lease: number;
  entity: string;
  campaignId: string;
  /** Of the ad set that holds the budget; absent where the campaign does. */
  adSetId?: string;
  /** Of budget edits. */
  budget?: { beforeMinor: number; afterMinor: number };
  /** A budget's difference, or what an activation lets be spent in a day. */
  movesMinor: number;
  originId: string;
  /** `2026-11-20` where the account is, and when that day is over there. */
  day: string;
  dayEndsAt: number;
}

/**
 * Takes room in every bucket at once, or in none: of several that refuse, the one that frees last is named. The same change and
 * lease gets its own reservation again; another lease of the change takes another rate slot (the platform may be asked again)
 * but no more money. What moves no money is never refused for money.
 */
export function reserve(
  ledger: Ledger,
  request: RoomRequest,
  limits: Limits,
  nowMs: number,
): { granted: true; ledger: Ledger; reservation: Reservation } | Refusal {
  const { changeId, lease, entity, campaignId, budget } = request;
  const own = ledger.changes.find(
    (one) => one.changeId === changeId && one.lease === lease && one.outcome !== 'not-applied',
  );
  if (own !== undefined) return { granted: true, ledger, reservation: own };
  const kept = prune(ledger, limits, nowMs);
  const moved =
    request.day > kept.moved.day
      ? { ...kept.moved, day: request.day, dayEndsAt: request.dayEndsAt, dayMinor: 0 }
      : kept.moved;
  const origin = originKey(request.originId);
  const holder = request.adSetId ?? campaignId;
  const more = request.movesMinor - moneyOf(kept.changes, changeId);
  const moreToday = request.movesMinor - moneyOf(kept.changes, changeId, moved.day);

  const refusals = [
    rateRefusal('account-rate', changeSlots(kept, limits, nowMs), 1, limits, nowMs),
    budget && rateRefusal('ad-set-rate', editSlots(kept, holder, limits, nowMs), 1, limits, nowMs),
    usageRefusal(kept, limits, nowMs),
    moneyRefusal('blast-run', moved.byOrigin[origin] ?? 0, more, limits.perRunMinor, null),
    moneyRefusal('blast-day', moved.dayMinor, moreToday, limits.perDayMinor, moved.dayEndsAt),
  ];
  const refusal = lastToFree(refusals);
  if (refusal !== undefined) return refusal;

  const { movesMinor } = request;
  const reservation = {
    changeId,
    lease,
    at: nowMs,
    origin,
    day: moved.day,
    movesMinor,
    outcome: 'open',
  } as const;
  const edit = budget && {
    ...budget,
    changeId,
    lease,
    entity,
    campaignId,
    holder,
    at: nowMs,
    outcome: 'open' as const,
  };
  const changes = [...kept.changes, reservation];
  return {
    granted: true,
    reservation,
    ledger: withMoney(
      { ...kept, changes, edits: edit === undefined ? kept.edits : [...kept.edits, edit], moved },
      kept.changes,
      reservation,
    ),
  };
}

/**
 * What became of this lease's reservation. `not-applied` gives the money back and keeps the rate slot, for the platform counts
 * what it refuses; `neverAsked` gives back both. `applied` settles the earlier leases of the change too: of all of them, one was.
 * `unknown` keeps everything.
 */
export function settle(
  ledger: Ledger,
  changeId: string,
  lease: number,
  outcome: 'applied' | 'not-applied' | 'unknown',
  { neverAsked = false }: { neverAsked?: boolean } = {},
): Ledger {
  if (outcome === 'unknown') return ledger;
  const concerns = (one: { changeId: string; lease: number; outcome: string }): boolean =>
    one.changeId === changeId &&
    one.outcome === 'open' &&
    (outcome === 'applied' ? one.lease <= lease : one.lease === lease);
  const open = ledger.changes.filter(concerns).toSorted((a, b) => b.lease - a.lease);
  const [latest] = open;
  if (latest === undefined) return ledger;
  const settled = <T extends { changeId: string; lease: number; outcome: OwnEdit['outcome'] }>(
    all: readonly T[],
  ): T[] =>
    neverAsked && outcome === 'not-applied'
      ? all.filter((one) => !concerns(one))
      : all.map((one) =>
          concerns(one) ? { ...one, outcome: one.lease === latest.lease ? outcome : 'not-applied' } : one,
        );
  const after = { ...ledger, changes: settled(ledger.changes), edits: settled(ledger.edits) };
  return withMoney(after, ledger.changes, latest);
}

/** The platform said how much of its quotas is used: the newest answer counts, a block until its end whoever reported it. */
export function observe(ledger: Ledger, usage: SeenUsage): Ledger {
  const before = ledger.usage;
  if (before === null) return { ...ledger, usage };
  const newest = usage.readAt >= before.readAt ? usage : before;
  return { ...ledger, usage: { ...newest, regainUntil: Math.max(usage.regainUntil, before.regainUntil) } };
}

/**
 * Room for objects that a launch creates, paused. `runId` names what is made: asked again, it keeps its room, counted from now on.
 */
export function reserveCreations(
  ledger: Ledger,
  { runId, count }: { runId: string; count: number },
  limits: Limits,
  nowMs: number,
): { granted: true; ledger: Ledger } | Refusal {
  const kept = prune(ledger, limits, nowMs);
  const had = kept.creations.find((one) => one.runId === runId);
  const others = kept.creations.filter((one) => one !== had);
  const most = Math.max(count, had?.count ?? 0);
  const refusal = lastToFree([
    had !== undefined && count <= had.count
      ? undefined
      : rateRefusal('creation-rate', others, most, limits, nowMs),
    usageRefusal(kept, limits, nowMs),
  ]);
  if (refusal !== undefined) return refusal;
  return { granted: true, ledger: { ...kept, creations: [...others, { runId, count: most, at: nowMs }] } };
}

/** How many changes may start now; `freesAt`: when the next may, null while one may now. For the dispatcher: reserving decides. */
export function room(
  ledger: Ledger,
  limits: Limits,
  nowMs: number,
): { free: number; freesAt: number | null } {
  const slots = changeSlots(ledger, limits, nowMs);
  const refusal = lastToFree([
    rateRefusal('account-rate', slots, 1, limits, nowMs),
    usageRefusal(ledger, limits, nowMs),
  ]);
  if (refusal !== undefined) return { free: 0, freesAt: refusal.retryAt };
  return { free: limits.changesPerHour - slots.length, freesAt: null };
}

/** Without what no window reaches any more. */
export function prune(ledger: Ledger, limits: Limits, nowMs: number): Ledger {
  const rated = ({ at }: { at: number }): boolean => at > nowMs - limits.windowMs - limits.marginMs;
  const recent = ({ at }: { at: number }): boolean => at > nowMs - limits.velocityWindowMs - limits.marginMs;
  const edits = ledger.edits.filter(
    (edit) => rated(edit) || (recent(edit) && edit.outcome !== 'not-applied'),
  );
  const tooMany = edits.length - MOST_EDITS;
  const origins = Object.keys(ledger.moved.byOrigin);
  return {
    ...ledger,
    changes: ledger.changes
      .filter((one) => rated(one) || (recent(one) && one.outcome === 'open'))
      .filter((one, i, all) => rated(one) || i >= all.length - MOST_EDITS),
    edits: edits.filter((edit, i) => i >= tooMany || rated(edit)),
    creations: ledger.creations.filter(rated),
    moved: origins.length > MOST_ORIGINS ? forgetting(ledger.moved, origins) : ledger.moved,
  };
}

/** Without the origins that were touched longest ago; a tenth at once, so that this is rare. */
function forgetting(moved: Ledger['moved'], origins: readonly string[]): Ledger['moved'] {
  const kept = origins.slice(-MOST_ORIGINS * 0.9);
  return { ...moved, byOrigin: Object.fromEntries(kept.map((key) => [key, moved.byOrigin[key] ?? 0])) };
}
