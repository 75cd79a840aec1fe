// What really happens to the budgets of an account, and what of it can be seen from outside?
import * as fc from 'fast-check';
import type { BudgetHistory, OwnEdit } from '../../lambdas/changes/velocity.ts';

const START = Date.UTC(2026, 10, 20);
/** Two campaigns of three ad sets, and one that holds its budget itself. */
const HOLDERS = [
  ...[1, 2, 3].map((id) => ({ entity: `adset/${id}`, campaignId: '90' })),
  ...[4, 5, 6].map((id) => ({ entity: `adset/${id}`, campaignId: '91' })),
  { entity: 'campaign/92', campaignId: '92' },
];

interface Moment<T> {
  entity: string;
  at: number;
  before: T;
  after: T;
  ours: boolean;
}

export interface World {
  now: number;
  readAt: number;
  /** The log shows what happened before this moment. */
  loggedUntil: number;
  wholeSeconds: boolean;
  first: Readonly<Record<string, number>>;
  budgets: readonly Moment<number>[];
  switches: readonly Moment<boolean>[];
  own: readonly OwnEdit[];
}

export type Propose = (
  world: World,
  target: { entity: string; campaignId: string },
  toMinor: number,
  effectAt: number,
) => boolean;

const Step = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 1, max: 120_000 }), fc.integer({ min: 0, max: 5 * 3_600_000 })),
  who: fc.nat({ max: HOLDERS.length - 1 }),
  what: fc.constantFrom('propose', 'propose', 'propose', 'person', 'switch', 'campaign-switch'),
  /** Of the present budget. */
  percent: fc.oneof(fc.integer({ min: 78, max: 123 }), fc.integer({ min: 40, max: 220 })),
  delayMs: fc.integer({ min: 0, max: 60_000 }),
  logLagMs: fc.constantFrom(0, 0, 20_000, 200_000),
  staleMs: fc.constantFrom(0, 0, 5_000),
  outcome: fc.constantFrom<OwnEdit['outcome']>('applied', 'applied', 'open'),
  lost: fc.boolean(),
});
type Step = (typeof Step extends fc.Arbitrary<infer T> ? T : never) & object;

export const WorldSteps = fc.record({
  steps: fc.array(Step, { maxLength: 30, size: 'max' }),
  first: fc.array(fc.integer({ min: 50, max: 20_000 }), {
    minLength: HOLDERS.length,
    maxLength: HOLDERS.length,
  }),
});
type WorldSteps = { steps: Step[]; first: number[] };

function fresh({ first }: WorldSteps, wholeSeconds: boolean): World {
  const amounts = Object.fromEntries(HOLDERS.map(({ entity }, i) => [entity, first[i] ?? 100]));
  const time = { now: START, readAt: START, loggedUntil: START };
  return { ...time, wholeSeconds, first: amounts, budgets: [], switches: [], own: [] };
}

const budgetAt = (world: World, entity: string, at: number): number =>
  world.budgets.findLast((moment) => moment.entity === entity && moment.at <= at)?.after ??
  world.first[entity] ??
  0;
const onAt = (world: World, entity: string, at: number): boolean =>
  world.switches.findLast((moment) => moment.entity === entity && moment.at <= at)?.after ?? true;
const activeAt = (world: World, { entity, campaignId }: { entity: string; campaignId: string }, at: number) =>
  onAt(world, entity, at) && onAt(world, `campaign/${campaignId}`, at);

export function changed(world: World, entity: string, after: number, at: number): World {
  const before = budgetAt(world, entity, at);
  return { ...world, budgets: [...world.budgets, { entity, at, before, after, ours: true }] };
}

/** Sentences on every window ending at this moment that is broken. */
export function fitsTruth(
  world: World,
  target: { entity: string; campaignId: string },
  at: number,
  percent: number,
  windowMs: number,
): string[] {
  const starts = [at - windowMs, ...[...world.budgets, ...world.switches].map((moment) => moment.at)]
    // An edit at this very moment: what was in force until then.
    .flatMap((start) => [start - 0.5, start])
    .filter((start) => start > at - windowMs && start < at);
  const scopes = {
    entity: HOLDERS.filter(({ entity }) => entity === target.entity),
    campaign: HOLDERS.filter(({ campaignId }) => campaignId === target.campaignId),
    account: HOLDERS,
  };
  const problems: string[] = [];
  for (const start of new Set([...starts, at - windowMs + 0.5])) {
    for (const [scope, holders] of Object.entries(scopes)) {
      const counted =
        scope === 'entity' ? holders : holders.filter((holder) => activeAt(world, holder, start));
      // What we change is no part of it: nothing of ours moves it.
      if (!counted.some(({ entity }) => entity === target.entity)) continue;
      const then = counted.reduce((sum, { entity }) => sum + budgetAt(world, entity, start), 0);
      const now = counted.reduce((sum, { entity }) => sum + budgetAt(world, entity, at), 0);
      if (Math.abs(now - then) * 1_000 > Math.round(percent * 10) * then)
        problems.push(`${scope}: ${then} at ${start - at} became ${now}`);
    }
  }
  return problems;
}

/** What ReadLive and the ledger tell: late, rounded, incomplete. */
export function seenBy(world: World): BudgetHistory {
  const logged = <T>(moments: readonly Moment<T>[]) =>
    moments
      .filter(({ at }) => at < world.loggedUntil)
      .map((moment) => ({ ...moment, at: world.wholeSeconds ? moment.at - (moment.at % 1_000) : moment.at }));
  return {
    readAt: world.readAt,
    held: HOLDERS.map((holder) => ({
      ...holder,
      amountMinor: budgetAt(world, holder.entity, world.readAt),
      active: activeAt(world, holder, world.readAt),
    })),
    edits: logged(world.budgets).map(({ entity, at, before, after }) => ({
      entity,
      at,
      beforeMinor: before,
      afterMinor: after,
    })),
    statusEdits: logged(world.switches).map(({ entity, at, before, after }) => ({
      entity,
      at,
      activeBefore: before,
      activeAfter: after,
    })),
    own: world.own,
  };
}

/** Effects come late, replies are lost, the log lags; only what people do is seen at once. */
export function messily(told: WorldSteps, propose: Propose): void {
  walk(fresh(told, true), told.steps, propose, (world, step) => {
    const moments = [...world.budgets, ...world.switches].filter(({ ours }) => !ours);
    const people = Math.max(START, ...moments.map(({ at }) => at));
    const loggedUntil = Math.max(world.now - step.logLagMs, people + 1);
    return { ...world, loggedUntil, readAt: Math.max(world.now - step.staleMs, people) };
  });
}

/** Everything is known exactly; ad sets 1 and 4 are never switched off, so it is known what their campaigns are. */
export function cleanly(told: WorldSteps, propose: Propose): void {
  const steps = told.steps
    .filter(({ what, who }) => what !== 'campaign-switch' && (what !== 'switch' || ![0, 3].includes(who)))
    .map((step) => ({ ...step, delayMs: 0, outcome: 'applied' as const, lost: false }));
  walk(fresh(told, false), steps, propose, (world) => ({
    ...world,
    readAt: world.now,
    loggedUntil: Infinity,
  }));
}

function walk(
  start: World,
  steps: readonly Step[],
  propose: Propose,
  seen: (world: World, step: Step) => World,
): void {
  let world = start;
  for (const step of steps) {
    const holder = HOLDERS[step.who] ?? { entity: 'adset/1', campaignId: '90' };
    const { entity } = holder;
    world = { ...world, now: world.now + step.afterMs + 1 };
    const before = budgetAt(world, entity, world.now);
    const after = Math.max(1, Math.round((before * step.percent) / 100));
    if (step.what === 'propose') {
      world = seen(world, step);
      const at = world.now + step.delayMs;
      if (after === before || !propose(world, holder, after, at)) continue;
      const reserved = { ...holder, at: world.now, beforeMinor: before, afterMinor: after };
      // A lost call: it is open, and never had an effect.
      const lost = step.lost && step.outcome === 'open';
      if (!lost) world = changed(world, entity, after, at);
      const later = at + (step.delayMs > 0 ? 1 : 0);
      world = { ...world, now: later, own: [...world.own, { ...reserved, outcome: step.outcome }] };
    } else if (step.what === 'person') {
      if (after === before) continue;
      world = {
        ...world,
        budgets: [...world.budgets, { entity, at: world.now, before, after, ours: false }],
      };
    } else {
      const name = step.what === 'switch' ? entity : `campaign/${holder.campaignId}`;
      const on = onAt(world, name, world.now);
      const moment = { entity: name, at: world.now, before: on, after: !on, ours: false };
      world = { ...world, switches: [...world.switches, moment] };
    }
  }
}
