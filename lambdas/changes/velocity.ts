// Is a budget moving faster than it may, alone or with the others of its campaign and account?
import { InvalidInput } from '../runtime/errors.ts';
import { coursesOf, type BudgetHistory, type Course } from './budget-course.ts';
import { NOTHING, openAt, SCALE, takenAt } from './room-taken.ts';

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
  const turns = [own, ...others].flatMap(({ turnedAt }) => turnedAt).filter((at) => at > oldest);
  const starts = [...new Set([oldest, ...turns])].toSorted((a, b) => a - b);
  const taken = takenAt(others, factor, starts);

  return starts.flatMap((at, i) => {
    if (scope !== 'entity' && own.activeAt(at) === 'no') return [];
    const pasts = [...own.amountsAt(at), ...openAt(own, at)];
    if (pasts.length === 0) return [];
    const [low, high] = [Math.min(...pasts), Math.max(...pasts)];
    const { above, below } = taken[i] ?? NOTHING;
    const most = (SCALE + factor) * BigInt(low) - above.excess;
    const least = (SCALE - factor) * BigInt(high) + below.excess;
    const until = starts[i + 1] ?? Infinity;
    const baselineAt = Math.min(nowMs, until);
    return {
      until,
      maxMinor: Number(floorDiv(most)),
      minMinor: Math.max(1, Number(-floorDiv(-least))),
      upper: { scope, baselineMinor: low + above.pastMinor, baselineAt },
      lower: { scope, baselineMinor: high + below.pastMinor, baselineAt },
    };
  });
}

function floorDiv(scaled: bigint): bigint {
  const down = scaled / SCALE;
  return scaled < 0n && down * SCALE !== scaled ? down - 1n : down;
}
