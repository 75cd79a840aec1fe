// May this change be applied now, by the rules the tenant chose?
import type { LiveObject } from '../ports/ads/live-ads.ts';
import { formatMoney } from '../runtime/money.ts';
import type { ChangeSettings } from '../runtime/settings-schema.ts';
import { changeDigest, entityName, slotOf, type Change, type Mode } from './change.ts';
import { fuzzed } from './fuzz.ts';
import { stoppedBy, type KillSwitch } from './kill-switch.ts';
import { block, defer, hold, type Value, type Verdict } from './verdict.ts';
import { judgeVelocity, velocityBand, type Band, type BudgetHistory, type VelocityRule } from './velocity.ts';

/** A switch is turned off by a person; until then it is looked at this often. */
const SWITCH_RECHECK_MS = 5 * 60_000;
/** Learning ends after enough conversions, usually within days. */
const LEARNING_RECHECK_MS = 6 * 3_600_000;
const HOUR_MS = 3_600_000;
/** An effect follows its reservation by at most this: the vendor's timeout and a reservation's validity. */
export const EFFECT_MARGIN_MS = 60_000;

export interface PolicyFacts {
  live: LiveObject;
  /** Currency and lowest daily budget of the ad account, as the platform says. */
  account: { currency: string; minDailyBudgetMinor: number };
  switches: readonly KillSwitch[];
  /** For budget kinds. */
  history?: BudgetHistory | undefined;
  settings: ChangeSettings;
}

/** Minor units that the change sets in motion: a budget's difference, or what an activation lets be spent in a day. */
export function movedMinor(
  change: Pick<Change, 'kind'>,
  live: LiveObject,
  before: Value,
  after: Value,
): number {
  if (typeof before === 'number' && typeof after === 'number' && slotOf(change.kind) === 'budget')
    return Math.abs(after - before);
  if (change.kind === 'ACTIVATE' || change.kind === 'RESUME') return live.dailyBudget?.amountMinor ?? 0;
  return 0;
}

/** The stricter of what the tenant chose and what was asked for. */
export function modeOf(asked: Mode, tenant: Mode): Mode {
  const strictness: readonly Mode[] = ['live', 'validate', 'shadow'];
  return strictness.indexOf(asked) > strictness.indexOf(tenant) ? asked : tenant;
}

export function velocityRule({ velocity }: ChangeSettings): VelocityRule {
  return {
    percent: velocity.percent,
    windowMs: velocity.windowHours * HOUR_MS,
    marginMs: EFFECT_MARGIN_MS,
  };
}

/** `found` is what ReadLive said: an `apply` is judged, anything else is passed on. Pure. */
export function judgePolicy(change: Change, found: Verdict, facts: PolicyFacts, nowMs: number): Verdict {
  if (found.decision !== 'apply') return found;
  const { live, settings } = facts;
  const name = entityName(change.entity);
  if (change.expiresAt <= nowMs) {
    return {
      decision: 'expire',
      code: 'expired',
      reason: `It had to be applied before ${new Date(change.expiresAt).toISOString()}.`,
    };
  }
  const campaignId = live.campaignId ?? (live.kind === 'campaign' ? live.id : undefined);
  const stopped = stoppedBy(facts.switches, {
    accountId: change.accountId,
    campaignId,
    rule: change.origin.rule,
  });
  if (stopped !== undefined) return switchedOff(stopped, nowMs);
  const learning = judgeLearning(change, live, settings, nowMs);
  if (learning !== undefined) return learning;

  const target = { entity: name, campaignId: campaignId ?? '' };
  const asked = typeof found.applied === 'number' ? found.applied : undefined;
  let applied = found.applied;
  if (slotOf(change.kind) === 'budget' && asked !== undefined) {
    if (facts.history === undefined)
      throw new Error(`${change.id} is about a budget, and nobody read its history.`);
    const rule = velocityRule(settings);
    const band = velocityBand(target, facts.history, rule, nowMs);
    const amount = fuzzed(
      asked,
      change.id,
      change.origin.area === 'undo' ? 0 : settings.fuzzPercent,
      fuzzBand({ before: found.before, asked }, band, facts, change.currency),
    );
    applied = amount;
    const outside = judgeBounds(change, amount, facts);
    if (outside !== undefined) return outside;
    const velocity = judgeVelocity(target, amount, facts.history, rule, nowMs);
    if (!velocity.allowed) return velocityVerdict(change, velocity);
    if (amount === found.before) {
      return {
        decision: 'needless',
        before: found.before,
        code: 'too-small',
        reason: `After rounding the ${name} would keep ${formatMoney(amount, change.currency)}.`,
      };
    }
  }
  const approval = judgeApproval(
    change,
    movedMinor(change, live, found.before, applied),
    found.before,
    settings,
  );
  return approval ?? { ...found, applied };
}

/** It waits until the switch is turned off, which wakes it. */
export function switchedOff({ actor, scope, comment }: KillSwitch, nowMs: number): Verdict {
  return defer(nowMs + SWITCH_RECHECK_MS, 'kill-switch', `${actor} stopped the ${scope.kind}: ${comment}`);
}

/** As a refusal that knows when it ends, or one that never does. */
export function velocityVerdict(
  change: Pick<Change, 'expiresAt' | 'entity'>,
  { reason, retryAt }: { reason: string; retryAt: number | null },
): Verdict {
  if (retryAt === null || retryAt >= change.expiresAt) return block('velocity', reason);
  return defer(retryAt, 'velocity', reason);
}

function judgeLearning(
  change: Change,
  live: LiveObject,
  { learning }: ChangeSettings,
  nowMs: number,
): Verdict | undefined {
  const edits = slotOf(change.kind) !== 'status';
  if (!edits || live.kind !== 'adset' || live.delivery !== 'active') return undefined;
  const name = entityName(change.entity);
  if (live.learning === 'unknown' && learning.whenUnknown === 'hold' && change.approval === undefined)
    return hold('learning-unknown', `The platform does not say whether the ${name} is still learning.`);
  if (live.learning !== 'learning' || learning.whenLearning === 'proceed') return undefined;
  const reason = `The ${name} is learning: an edit now would start its learning anew.`;
  if (learning.whenLearning === 'defer') return defer(nowMs + LEARNING_RECHECK_MS, 'learning', reason);
  return change.approval === undefined ? hold('learning', reason) : undefined;
}

function boundsOf(
  { account, settings }: PolicyFacts,
  currency: string,
): { minMinor: number; maxMinor: number } {
  const own = settings.budgets[currency];
  return {
    minMinor: Math.max(account.minDailyBudgetMinor, own?.minMinor ?? 1),
    maxMinor: own?.maxMinor ?? Number.MAX_SAFE_INTEGER,
  };
}

function judgeBounds(change: Change, amountMinor: number, facts: PolicyFacts): Verdict | undefined {
  const { minMinor, maxMinor } = boundsOf(facts, change.currency);
  const say = (minor: number): string => formatMoney(minor, change.currency);
  if (amountMinor < minMinor)
    return block(
      'below-minimum',
      `${say(amountMinor)} is less than the least daily budget here, ${say(minMinor)}.`,
    );
  if (amountMinor > maxMinor)
    return block(
      'above-maximum',
      `${say(amountMinor)} is more than the highest daily budget allowed, ${say(maxMinor)}.`,
    );
  return undefined;
}

/** Where a moved amount must stay: inside the velocity band and the bounds, and on the side of the present one it was asked for. */
function fuzzBand(
  { before, asked }: { before: Value; asked: number },
  band: Band,
  facts: PolicyFacts,
  currency: string,
): { minMinor: number; maxMinor: number } {
  const { minMinor, maxMinor } = boundsOf(facts, currency);
  const present = typeof before === 'number' ? before : asked;
  return {
    minMinor: Math.max(minMinor, band.minMinor, asked > present ? present + 1 : 1),
    maxMinor: Math.min(maxMinor, band.maxMinor, asked < present ? present - 1 : Number.MAX_SAFE_INTEGER),
  };
}

function judgeApproval(
  change: Change,
  moved: number,
  before: Value,
  { approval: { aboveMinor, abovePercent } }: ChangeSettings,
): Verdict | undefined {
  const share = typeof before === 'number' && before > 0 ? (100 * moved) / before : 0;
  if (moved <= aboveMinor && share <= abovePercent) return undefined;
  if (change.approval?.digest === changeDigest(change)) return undefined;
  const limit =
    moved > aboveMinor
      ? `more than ${formatMoney(aboveMinor, change.currency)}`
      : `more than ${abovePercent} %`;
  return hold(
    'approval',
    `It moves ${formatMoney(moved, change.currency)}, ${limit}: a person approves that first.`,
  );
}
