// Was every promise of the executor kept? Judged from what really happened in the account and what lies in the queue.
//
// Shares no code with the limiter, the velocity rule or the lifecycle: hours are counted here by effects, never by reservations.
import { orderFaults, switchFaults } from './check-order.ts';
import { velocityFaults } from './check-velocity.ts';
import { fieldOf, OVER, ownEffects, same, STATUSES, type Effect, type Facts } from './facts.ts';

const HOUR_MS = 3_600_000;
/** A look every few minutes for two days. */
const MOST_DEFERRALS = 700;
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
