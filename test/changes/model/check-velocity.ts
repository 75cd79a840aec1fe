// Did any effect of ours leave a budget, or the sum of a campaign or account, outside the percent of something in force before?
import type { Effect, Facts, Thing } from './facts.ts';

/** What people did to other objects so shortly before may be unknown to whoever decides. */
const UNSEEN_MS = 15 * 60_000;
/** What they did to this one is read back, up to the moment at which the platform is asked. */
const CALL_MS = 21_000;

interface State {
  at: number;
  budget: Map<string, number>;
  status: Map<string, string>;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The account before anything and after each effect; `left`: effects that are left out. */
function statesOf(facts: Facts, left: ReadonlySet<Effect>, until: Effect): State[] {
  const budget = new Map<string, number>();
  const status = new Map<string, string>();
  for (const { id, dailyBudget, status: first } of facts.things) {
    if (dailyBudget !== null) budget.set(id, dailyBudget);
    status.set(id, first);
  }
  const states: State[] = [{ at: -Infinity, budget, status }];
  for (const effect of facts.effects) {
    if (!left.has(effect)) {
      const last = states.at(-1) as State;
      const next = { at: effect.atMs, budget: last.budget, status: last.status };
      if (effect.field === 'daily_budget')
        next.budget = new Map(last.budget).set(effect.objectId, Number(effect.after));
      if (effect.field === 'status' || effect.field === 'deleted')
        next.status = new Map(last.status).set(effect.objectId, String(effect.after ?? 'DELETED'));
      states.push(next);
    }
    if (effect === until) break;
  }
  return states;
}

/** Judged at each budget effect of ours: windows that begin at any moment of the last hours and end with it. */
export function velocityFaults(facts: Facts): string[] {
  return facts.effects
    .filter(({ by, field }) => by === 'api' && field === 'daily_budget')
    .flatMap((effect) => {
      const fault = faultOf(facts, effect, new Set());
      if (fault === undefined) return [];
      // People were at work beside us: whoever decided knew all that had happened up to some moment.
      const late = facts.effects.filter(
        (one) =>
          one.by === 'person' &&
          one.atMs <= effect.atMs &&
          one.atMs > effect.atMs - (one.objectId === effect.objectId ? CALL_MS : UNSEEN_MS),
      );
      const known = late.map((_, i) => new Set(late.slice(i)));
      return known.some((left) => faultOf(facts, effect, left) === undefined) ? [] : [fault];
    });
}

function faultOf(facts: Facts, effect: Effect, left: ReadonlySet<Effect>): string | undefined {
  const { velocityHours, velocityPercent } = facts.limits;
  const states = statesOf(facts, left, effect);
  const now = states.at(-1) as State;
  const oldest = effect.atMs - velocityHours * 3_600_000;
  const own = facts.things.find(({ id }) => id === effect.objectId);
  if (own === undefined) return `${effect.objectId} is unknown`;
  const holders = facts.things.filter(({ id }) => now.budget.has(id));
  const scopes: [string, Thing[]][] = [
    ['campaign', holders.filter(({ campaignId }) => campaignId === own.campaignId)],
    ['account', holders],
  ];
  for (const [i, then] of states.entries()) {
    if (then === now) break;
    // In force until the next one began.
    const ends = states[i + 1]?.at ?? Infinity;
    if (ends <= oldest) continue;
    const past = then.budget.get(own.id) ?? 0;
    const present = now.budget.get(own.id) ?? 0;
    if (isOutside(present, past, velocityPercent))
      return `${own.id} went from ${past} (in force until ${iso(ends)}) to ${present} at ${iso(effect.atMs)}`;
    for (const [name, all] of scopes) {
      const counted = all.filter((one) => isActive(one, then) && !isOver(one, now));
      if (!counted.includes(own)) continue;
      const [before, after] = [sum(counted, then), sum(counted, now)];
      if (isOutside(after, before, velocityPercent))
        return `the ${name}'s sum went from ${before} (in force until ${iso(ends)}) to ${after} at ${iso(effect.atMs)}`;
    }
  }
  return undefined;
}

function isOutside(present: number, past: number, percent: number): boolean {
  return present * 100 > past * (100 + percent) || present * 100 < past * (100 - percent);
}

function isActive({ id, campaignId }: Thing, { status }: State): boolean {
  return status.get(id) === 'ACTIVE' && status.get(campaignId) === 'ACTIVE';
}

function isOver({ id, campaignId }: Thing, { status }: State): boolean {
  return [status.get(id), status.get(campaignId)].some((word) => word === 'ARCHIVED' || word === 'DELETED');
}

function sum(things: readonly Thing[], { budget }: State): number {
  return things.reduce((total, { id }) => total + (budget.get(id) ?? 0), 0);
}
