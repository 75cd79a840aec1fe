// Is a budget moving faster than it may, alone or with the others of its campaign and account?
import { InvalidInput } from '../runtime/errors.ts';
import { coursesOf, type BudgetHistory, type Course } from './budget-course.ts';

export type * from './budget-course.ts';

/** From the tenant's settings. `marginMs`: by how much an effect may follow its reservation, or a log's clock differ from ours. */
export interface VelocityRule {
  /** To a thousandth. */
  percent: number;
  windowMs: number;
  marginMs: number;
}

export interface Target {
  entity: string;
  campaignId: string;
}

/** What sets the limit: the entity's own amount, or the sum of its campaign or account, at the start of some window. */
export interface Bound {
  scope: 'entity' | 'campaign' | 'account';
  baselineMinor: number;
  /** Latest moment, as far as is known, at which the baseline was in force. */
  baselineAt: number;
}

/** No amount fits when `minMinor` is above `maxMinor`. */
export interface Band {
  minMinor: number;
  maxMinor: number;
  lower: Bound;
  upper: Bound;
}

export type VelocityJudgement =
  | { allowed: true }
  | {
      allowed: false;
      /** A sentence without money: the caller knows the currency and has `bound`. */
      reason: string;
      bound: Bound;
      /** Earliest time at which the amount would fit if nothing else moved; null: never. */
      retryAt: number | null;
    };

/** One state of the budgets that lasted up to `until`, and what it leaves for the new amount. */
interface Stretch {
  until: number;
  minMinor: number;
  maxMinor: number;
  lower: Bound;
  upper: Bound;
}

const SCALE = 100_000n;

/**
 * Which new amounts of this entity keep every window within ±percent? A window's baseline is what was in force at its start, so
 * an amount must fit everything that was in force at any moment of the last `windowMs + marginMs`: the entity's own amounts, and
 * for its campaign and account, at each moment, the sum over the entities that were active then; the sum now counts the same
 * entities, active or not. An edit of ours that is still open counts with whichever of its amounts is worse. What held no budget
 * at a moment, or is archived by now, is no part of its sum. Amounts in minor units, rounded inwards, at least 1.
 * @throws InvalidInput when the entity is not among those that hold a budget.
 */
export function velocityBand(
  target: Target,
  history: BudgetHistory,
  rule: VelocityRule,
  nowMs: number,
): Band {
  return bandOf(stretchesOf(target, history, rule, nowMs), nowMs);
}

/** May the entity be given this amount now? As `velocityBand`, with a reason and a time when it may not. */
export function judgeVelocity(
  target: Target,
  toMinor: number,
  history: BudgetHistory,
  rule: VelocityRule,
  nowMs: number,
): VelocityJudgement {
  const stretches = stretchesOf(target, history, rule, nowMs);
  const { minMinor, maxMinor, lower, upper } = bandOf(stretches, nowMs);
  if (toMinor >= minMinor && toMinor <= maxMinor) return { allowed: true };
  const above = toMinor > maxMinor;
  const bound = above ? upper : lower;
  const hours = `${Number((rule.windowMs / 3_600_000).toFixed(2))} h`;
  const whose = {
    entity: 'its own budget',
    campaign: 'the budgets of its campaign',
    account: "the account's budgets",
  };
  const reason =
    minMinor > maxMinor
      ? `No amount fits now: within the last ${hours} ${whose[bound.scope]} moved by more than ${rule.percent} % already.`
      : `It would take ${whose[bound.scope]} more than ${rule.percent} % ${above ? 'above' : 'below'} what they were within the last ${hours}.`;
  return {
    allowed: false,
    reason: bound.scope === 'entity' ? reason.replace('they were', 'it was') : reason,
    bound,
    retryAt: fitsAt(target, toMinor, history, rule, nowMs, stretches),
  };
}

/** Open edits end one way or the other, at the latest when their effect can no longer come: whichever lets the amount fit sooner. */
function fitsAt(
  target: Target,
  toMinor: number,
  history: BudgetHistory,
  rule: VelocityRule,
  nowMs: number,
  stretches: readonly Stretch[],
): number | null {
  const free = (all: readonly Stretch[]) =>
    Math.max(
      nowMs,
      ...all
        .filter(({ minMinor, maxMinor }) => toMinor < minMinor || toMinor > maxMinor)
        .map(({ until }) => until + rule.windowMs),
    );
  const open = history.own.filter(({ outcome }) => outcome === 'open');
  const ends = open.map(({ at }) => at + rule.marginMs).filter((at) => at > nowMs);
  const settledAt = ends.length === 0 ? nowMs + Math.max(1, rule.marginMs) : Math.max(...ends);
  const settled = (outcome: 'applied' | 'not-applied') => {
    const own = history.own.map((edit) => (edit.outcome === 'open' ? { ...edit, outcome } : edit));
    return Math.max(settledAt, free(stretchesOf(target, { ...history, own }, rule, nowMs)));
  };
  const at = Math.min(
    free(stretches),
    ...(open.length === 0 ? [] : [settled('applied'), settled('not-applied')]),
  );
  return Number.isFinite(at) ? at : null;
}

function bandOf(stretches: readonly Stretch[], nowMs: number): Band {
  const [first, ...rest] = stretches;
  // Held, but never anything in force: only a first budget of an entity that had none.
  const none: Bound = { scope: 'entity', baselineMinor: 0, baselineAt: nowMs };
  if (first === undefined)
    return { minMinor: 1, maxMinor: Number.MAX_SAFE_INTEGER, lower: none, upper: none };
  let [lowest, highest] = [first, first];
  for (const stretch of rest) {
    if (stretch.minMinor > lowest.minMinor || longer(stretch, lowest, 'minMinor')) lowest = stretch;
    if (stretch.maxMinor < highest.maxMinor || longer(stretch, highest, 'maxMinor')) highest = stretch;
  }
  const { minMinor, lower } = lowest;
  const { maxMinor, upper } = highest;
  return { minMinor, maxMinor, lower, upper };
}

/** Of the states that set the same limit, the last one says until when. */
function longer(one: Stretch, other: Stretch, side: 'minMinor' | 'maxMinor'): boolean {
  return one[side] === other[side] && one.upper.scope === other.upper.scope && one.until > other.until;
}

function stretchesOf(target: Target, history: BudgetHistory, rule: VelocityRule, nowMs: number): Stretch[] {
  const courses = coursesOf(history, rule.marginMs);
  const own = courses.find(({ entity }) => entity === target.entity);
  if (own === undefined)
    throw new InvalidInput(`${target.entity} holds no budget per day.`, { path: 'entity' });
  const others = courses.filter((course) => course !== own);
  const siblings = others.filter(({ campaignId }) => campaignId === target.campaignId);
  return [
    ...scopeStretches('entity', own, [], rule, nowMs),
    ...scopeStretches('campaign', own, siblings, rule, nowMs),
    ...scopeStretches('account', own, others, rule, nowMs),
  ];
}

function scopeStretches(
  scope: Bound['scope'],
  own: Course,
  others: readonly Course[],
  rule: VelocityRule,
  nowMs: number,
): Stretch[] {
  const factor = BigInt(Math.round(rule.percent * 1_000));
  const oldest = nowMs - rule.windowMs;
  // Most of a large account never moves: it is summed once.
  const still = others.filter(({ turnedAt }) => turnedAt.length === 0);
  const moving = others.filter(({ turnedAt }) => turnedAt.length > 0);
  const [above, below] = [worstOf(still, 'above', factor, oldest), worstOf(still, 'below', factor, oldest)];
  const turns = [own, ...moving].flatMap(({ turnedAt }) => turnedAt).filter((at) => at > oldest);
  const starts = [oldest, ...new Set(turns)].toSorted((a, b) => a - b);

  return starts.flatMap((at, i) => {
    if (scope !== 'entity' && own.activeAt(at) === 'no') return [];
    const pasts = [...own.amountsAt(at), ...openAt(own, at)];
    if (pasts.length === 0) return [];
    const [low, high] = [Math.min(...pasts), Math.max(...pasts)];
    const up = worstOf(moving, 'above', factor, at);
    const down = worstOf(moving, 'below', factor, at);
    const most = (SCALE + factor) * BigInt(low) - above.excess - up.excess;
    const least = (SCALE - factor) * BigInt(high) + below.excess + down.excess;
    const until = starts[i + 1] ?? Infinity;
    const baselineAt = Math.min(nowMs, until);
    return {
      until,
      maxMinor: Number(floorDiv(most)),
      minMinor: Math.max(1, Number(-floorDiv(-least))),
      upper: { scope, baselineMinor: low + above.pastMinor + up.pastMinor, baselineAt },
      lower: { scope, baselineMinor: high + below.pastMinor + down.pastMinor, baselineAt },
    };
  });
}

/** How much of the room these take at worst (in 1/100,000 minor units; below zero: what they leave to others), and their baseline in that case. */
function worstOf(
  courses: readonly Course[],
  side: 'above' | 'below',
  factor: bigint,
  at: number,
): { excess: bigint; pastMinor: number } {
  let excess = 0n;
  let pastMinor = 0;
  for (const course of courses) {
    const active = course.activeAt(at);
    if (active === 'no') continue;
    let worst: { excess: bigint; pastMinor: number } | undefined;
    for (const [now, past] of pairsAt(course, at)) {
      const taken =
        side === 'above'
          ? SCALE * BigInt(now) - (SCALE + factor) * BigInt(past)
          : (SCALE - factor) * BigInt(past) - SCALE * BigInt(now);
      if (worst === undefined || taken > worst.excess) worst = { excess: taken, pastMinor: past };
    }
    if (worst === undefined || (active === 'maybe' && worst.excess < 0n)) continue;
    excess += worst.excess;
    pastMinor += worst.pastMinor;
  }
  return { excess, pastMinor };
}

/** Every pair of what it may have now and may have had then. */
function pairsAt(course: Course, at: number): [number, number][] {
  const pasts = course.amountsAt(at);
  if (pasts.length === 0) return [];
  const settled = course.presentMinor.flatMap((now) => pasts.map((past): [number, number] => [now, past]));
  const open = course.open
    .flatMap(({ beforeMinor, afterMinor }) => [beforeMinor, afterMinor])
    .flatMap((now) => [...pasts, ...openAt(course, at)].map((past): [number, number] => [now, past]));
  return [...settled, ...open];
}

function openAt({ open }: Course, at: number): number[] {
  return open
    .filter((edit) => edit.at <= at)
    .flatMap(({ beforeMinor, afterMinor }) => [beforeMinor, afterMinor]);
}

function floorDiv(scaled: bigint): bigint {
  const down = scaled / SCALE;
  return scaled < 0n && down * SCALE !== scaled ? down - 1n : down;
}
