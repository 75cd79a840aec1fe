// Was every promise of the executor kept? Judged from what really happened in the account and what lies in the queue.
//
// Shares no code with the limiter, the velocity rule or the lifecycle: hours are counted here by effects, never by reservations.
import { velocityFaults } from './check-velocity.ts';

type Amount = string | number | null;

export interface Effect {
  atMs: number;
  objectId: string;
  kind: string;
  field: string;
  before: Amount;
  after: Amount;
  by: 'api' | 'person';
  requestNo: number | null;
}

/** As they were before the first effect. */
export interface Thing {
  id: string;
  kind: 'campaign' | 'adset' | 'ad';
  campaignId: string;
  status: string;
  dailyBudget: number | null;
}

/** As much of a queued change as is judged. */
export interface Queued {
  id: string;
  entity: { kind: string; id: string };
  kind: string;
  mode: string;
  status: string;
  statusCode: string;
  statusReason: string;
  createdAt: number;
  notBefore: number;
  expiresAt: number;
  leasedUntil: number;
  lease: number;
  origin: { rule?: string | undefined };
  after: readonly string[];
  behind: readonly string[];
  deferrals: number;
  result?: { before: string | number; applied: string | number; executedAt: number } | undefined;
  intent?: { before: string | number; applied: string | number; at: number } | undefined;
  supersededBy?: string | undefined;
}

export interface Facts {
  nowMs: number;
  accountId: string;
  effects: readonly Effect[];
  things: readonly Thing[];
  changes: readonly Queued[];
  /** Ids whose queueing was answered with success. */
  accepted: ReadonlySet<string>;
  switchPeriods: readonly { key: string; onAt: number; offAt: number }[];
  /** Intents as they were committed; absent where nobody watched. */
  intents?: readonly { changeId: string; committedAt: number; intent: { applied: unknown; at: number } }[];
  /** Two changes of one object that were taken at the same time; absent where nobody watched. */
  overlaps?: readonly string[];
  /** Which change made which request; absent where nobody knows. */
  causes?: ReadonlyMap<number, string>;
  /** The tenant's own mode. */
  mode: string;
  limits: {
    changesPerHour: number;
    budgetEditsPerHour: number;
    velocityPercent: number;
    velocityHours: number;
  };
}

const HOUR_MS = 3_600_000;
/** The vendor's timeout, and the time until somebody answers. */
const CALL_MS = 21_000;
/** A look every few minutes for two days. */
const MOST_DEFERRALS = 700;
const STATUSES = [
  'PENDING',
  'CLAIMED',
  'EXECUTING',
  'HELD',
  'COMPLETED',
  'FAILED',
  'BLOCKED',
  'SUPERSEDED',
  'EXPIRED',
  'CANCELLED',
];
const OVER = STATUSES.slice(4);
const EDITS = ['status', 'daily_budget', 'bid_amount'];
const FIELD_OF: Record<string, string> = {
  BUDGET_INCREASE: 'daily_budget',
  BUDGET_DECREASE: 'daily_budget',
  BUDGET_SET: 'daily_budget',
  BID_ADJUST: 'bid_amount',
};
export const fieldOf = (kind: string): string => FIELD_OF[kind] ?? 'status';
const same = (a: unknown, b: unknown): boolean => String(a) === String(b);
const iso = (ms: number): string => new Date(ms).toISOString();

/** One sentence per broken promise; empty when all were kept. */
export function faultsIn(facts: Facts): string[] {
  return [
    ...onceFaults(facts),
    ...bucketFaults(facts),
    ...velocityFaults(facts),
    ...statusFaults(facts),
    ...switchFaults(facts),
    ...resultFaults(facts),
    ...orderFaults(facts),
    ...(facts.overlaps ?? []),
  ];
}

/** Ours, in the order in which they happened. */
export function ownEffects({ effects }: Pick<Facts, 'effects'>): Effect[] {
  return effects.filter(({ by, field }) => by === 'api' && EDITS.includes(field));
}

/** Every effect is one change's, every change has at most one; nothing but a live change has any. */
function onceFaults(facts: Facts): string[] {
  const faults: string[] = [];
  const used = new Map<string, Effect>();
  for (const effect of ownEffects(facts)) {
    const says = `${effect.objectId} ${effect.field} ${effect.before} → ${effect.after} at ${iso(effect.atMs)}`;
    const cause = effect.requestNo === null ? undefined : facts.causes?.get(effect.requestNo);
    const change = facts.changes.find((one) => {
      if (cause !== undefined) return one.id === cause;
      if (used.has(one.id) || one.entity.id !== effect.objectId || fieldOf(one.kind) !== effect.field)
        return false;
      const wanted = one.result?.applied ?? one.intent?.applied;
      return wanted !== undefined && same(wanted, effect.after);
    });
    if (change === undefined) {
      faults.push(`applied without a change, or twice: ${says}`);
      continue;
    }
    const earlier = used.get(change.id);
    if (earlier !== undefined)
      faults.push(`${change.id} was applied at ${iso(earlier.atMs)} and again: ${says}`);
    used.set(change.id, effect);
    if (change.mode !== 'live' || facts.mode !== 'live')
      faults.push(`${change.id} (${change.mode}) wrote: ${says}`);
    if (change.entity.id !== effect.objectId || fieldOf(change.kind) !== effect.field)
      faults.push(`${change.id} wrote something else than it is about: ${says}`);
    if (effect.atMs > change.expiresAt + 120_000)
      faults.push(`${change.id} was applied after it had expired: ${says}`);
  }
  return faults;
}

/** At each effect of ours, over the hour that ends with it. */
function bucketFaults(facts: Facts): string[] {
  const faults: string[] = [];
  const own = ownEffects(facts);
  const { changesPerHour, budgetEditsPerHour } = facts.limits;
  for (const [i, effect] of own.entries()) {
    const hour = own.slice(0, i + 1).filter(({ atMs }) => atMs > effect.atMs - HOUR_MS);
    if (hour.length > changesPerHour)
      faults.push(`${hour.length} changes of the account in the hour to ${iso(effect.atMs)}`);
    if (effect.field !== 'daily_budget') continue;
    const edits = hour.filter(
      ({ objectId, field }) => objectId === effect.objectId && field === 'daily_budget',
    );
    if (edits.length > budgetEditsPerHour)
      faults.push(`${edits.length} budget edits of ${effect.objectId} in the hour to ${iso(effect.atMs)}`);
  }
  return faults;
}

/** Each is in one status, is not lost, and is due, leased or waiting on something that has a name. */
function statusFaults({ changes, accepted, nowMs }: Facts): string[] {
  const faults: string[] = [];
  const known = new Set(changes.map(({ id }) => id));
  for (const id of accepted) if (!known.has(id)) faults.push(`${id} was queued and is lost`);
  for (const change of changes) {
    const { id, status, statusCode, statusReason } = change;
    if (!STATUSES.includes(status)) faults.push(`${id} is ${status}`);
    if (OVER.includes(status) && statusCode === '') faults.push(`${id} is ${status} and nobody says why`);
    if (status === 'HELD' && statusReason === '') faults.push(`${id} is HELD and nobody says why`);
    if (status === 'SUPERSEDED' && !known.has(change.supersededBy ?? ''))
      faults.push(`${id} gave way to ${change.supersededBy}, which does not exist`);
    const waits = status === 'PENDING' && change.notBefore > Math.max(nowMs, change.createdAt);
    if (waits && change.lease > 0 && statusCode === '') faults.push(`${id} waits and nobody says for what`);
    if (change.deferrals > MOST_DEFERRALS) faults.push(`${id} was put off ${change.deferrals} times`);
    if (statusCode === 'failed' && /^(Unavailable|RateLimited)/.test(statusReason))
      faults.push(`${id} failed because somebody was out of reach: ${statusReason}`);
    if ((status === 'CLAIMED' || status === 'EXECUTING') && change.leasedUntil < nowMs - 10 * 60_000)
      faults.push(`${id} is ${status} under a lease that lapsed at ${iso(change.leasedUntil)}`);
  }
  return faults;
}

/** No write begins after a switch was on; what was under way may end. */
function switchFaults({
  accountId,
  changes,
  effects,
  things,
  switchPeriods,
  intents,
  causes,
}: Facts): string[] {
  const faults: string[] = [];
  const reached = (change: Queued): string[] => {
    const campaignId = things.find(({ id }) => id === change.entity.id)?.campaignId ?? '';
    const { rule } = change.origin;
    return [
      'tenant',
      `account#${accountId}`,
      `campaign#${campaignId}`,
      ...(rule === undefined ? [] : [`rule#${rule}`]),
    ];
  };
  for (const { changeId, committedAt } of intents ?? []) {
    const change = changes.find(({ id }) => id === changeId);
    if (change === undefined) continue;
    const keys = reached(change);
    const stopped = switchPeriods.find(
      (one) => keys.includes(one.key) && one.onAt < committedAt && committedAt < one.offAt,
    );
    if (stopped !== undefined)
      faults.push(`${changeId} began at ${iso(committedAt)}, when the switch ${stopped.key} was on`);
  }
  for (const effect of ownEffects({ effects })) {
    const cause = causes?.get(effect.requestNo ?? -1);
    const change = changes.find(({ id, entity }) =>
      cause === undefined ? entity.id === effect.objectId : id === cause,
    );
    if (change === undefined) continue;
    const keys = cause === undefined ? ['tenant', `account#${accountId}`] : reached(change);
    const stopped = switchPeriods.find(
      (one) => keys.includes(one.key) && one.onAt + CALL_MS < effect.atMs && effect.atMs < one.offAt,
    );
    if (stopped !== undefined)
      faults.push(`${effect.objectId} was changed at ${iso(effect.atMs)} under the switch ${stopped.key}`);
  }
  return faults;
}

/** What is called applied was; what was applied is not called anything else; an intent comes before its effect. */
function resultFaults(facts: Facts): string[] {
  const faults: string[] = [];
  for (const change of facts.changes) {
    const { id, result, status, entity, kind } = change;
    const about = facts.effects.filter(
      ({ objectId, field }) => objectId === entity.id && field === fieldOf(kind),
    );
    const own = about.filter(({ requestNo }) => requestNo !== null && facts.causes?.get(requestNo) === id);
    const done = OVER.includes(status);
    if (
      result !== undefined &&
      !about.some(({ after, atMs }) => same(after, result.applied) && atMs <= facts.nowMs)
    )
      faults.push(`${id} says it applied ${result.applied}, and nobody ever did`);
    if (done && status !== 'COMPLETED' && own.length > 0)
      faults.push(`${id} is ${status} (${change.statusCode}) and was applied all the same`);
    if (status === 'COMPLETED' && result === undefined && own.length > 0)
      faults.push(`${id} is COMPLETED (${change.statusCode}) without a result and was applied`);
    for (const effect of own) {
      const told = facts.intents?.some(
        ({ changeId, committedAt, intent }) =>
          changeId === id && committedAt <= effect.atMs && same(intent.applied, effect.after),
      );
      if (facts.intents !== undefined && told !== true)
        faults.push(`${id} was applied before its intent was recorded`);
    }
  }
  return faults;
}

/** Nothing overtakes what it waits for, and nobody's edit is written over. */
function orderFaults({ changes, effects, causes }: Facts): string[] {
  const faults: string[] = [];
  for (const effect of ownEffects({ effects })) {
    const change = changes.find(({ id }) => id === causes?.get(effect.requestNo ?? -1));
    if (change === undefined) continue;
    const { id, after, behind, intent, result } = change;
    for (const other of changes.filter((one) => after.includes(one.id) || behind.includes(one.id))) {
      const isMet =
        other.status === 'COMPLETED' || (behind.includes(other.id) && OVER.includes(other.status));
      if (!isMet || (other.result?.executedAt ?? 0) > effect.atMs)
        faults.push(`${id} was applied before ${other.id} (${other.status}), for which it waits`);
    }
    const based = result?.before ?? intent?.before;
    const edits = effects.filter(
      ({ by, objectId, field, atMs }) =>
        by === 'person' && objectId === effect.objectId && field === effect.field && atMs <= effect.atMs,
    );
    const late = edits.some(({ atMs }) => atMs > effect.atMs - CALL_MS);
    if (based !== undefined && !same(based, effect.before) && !late)
      faults.push(`${id} was based on ${based} and wrote over ${effect.before} of ${effect.objectId}`);
  }
  return faults;
}

/** When nothing hinders any more and time has passed: everything is over, or waits for a person who was asked. */
export function restFaults({ changes, nowMs }: Facts): string[] {
  return changes
    .filter(({ status, notBefore, expiresAt }) => {
      if (status === 'CLAIMED' || status === 'EXECUTING') return true;
      if (status === 'PENDING') return notBefore < nowMs - 10 * 60_000 || expiresAt < nowMs - 10 * 60_000;
      return status === 'HELD' && expiresAt < nowMs - 10 * 60_000;
    })
    .map(
      ({ id, kind, status, statusCode, notBefore, expiresAt }) =>
        `${id} (${kind}) is still ${status} (${statusCode}) since ${iso(notBefore)}, expires ${iso(expiresAt)}`,
    );
}
