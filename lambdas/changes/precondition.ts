// Is the object still what the decision was based on?
import type { LiveObject } from '../ports/ads/live-ads.ts';
import { formatMoney } from '../runtime/money.ts';
import { entityName, slotOf, type Change, type Slot } from './change.ts';
import { block, defer, type Value, type Verdict } from './verdict.ts';

/** A review ends when it ends; nobody says when. */
const REVIEW_RECHECK_MS = 15 * 60_000;
/** A person lets go when they let go. */
const HOLD_RECHECK_MS = 15 * 60_000;

export interface PersonsEdit {
  /** Epoch milliseconds. */
  at: number;
  actor: string;
}

export interface Surroundings {
  /** Currency of the ad account. */
  currency: string;
  /** Another change of the object that a person holds. */
  heldBy?: { changeId: string; reason: string } | undefined;
  /** Latest edit of the object by a person in the platform's own tools. */
  personsEdit?: PersonsEdit | undefined;
  personCooldownMs: number;
  /** The platform's log shows that an earlier try of this change reached the object, whatever it has by now. */
  reached: boolean;
}

/** What the object has in the slot; undefined where it has none of its own. */
export function valueOf(live: LiveObject, slot: Slot): Value | undefined {
  if (slot === 'budget') return live.dailyBudget?.amountMinor;
  if (slot === 'bid') return live.bid?.amountMinor;
  return live.status === 'DELETED' ? undefined : live.status;
}

/** `$60.00` or `PAUSED` */
export function sayValue(value: Value, currency: string): string {
  return typeof value === 'number' ? formatMoney(value, currency) : value;
}

/** `apply` with what the object has and what is asked for, or why not. Pure. */
export function judgeLive(
  change: Change,
  live: LiveObject | null,
  around: Surroundings,
  nowMs: number,
): Verdict {
  const name = entityName(change.entity);
  const slot = slotOf(change.kind);
  if (live === null || live.status === 'DELETED')
    return block(
      'gone',
      `The ${name} does not exist in the ad account, or is out of this connection's sight.`,
    );
  if (live.accountId !== change.accountId)
    return block('other-account', `The ${name} belongs to another ad account than ${change.accountId}.`);
  if (live.kind !== change.entity.kind)
    return block('other-kind', `${change.entity.id} is a ${live.kind}, not a ${change.entity.kind}.`);
  if (slot !== 'status' && change.currency !== around.currency) {
    return block(
      'currency',
      `The change is in ${change.currency}, but the ad account ${change.accountId} counts in ${around.currency}.`,
    );
  }
  const current = valueOf(live, slot);
  if (current === undefined) return block('wrong-level', whereItLives(live, slot));

  const earlier = change.intent;
  if (earlier !== undefined && (current === earlier.applied || around.reached)) {
    return { decision: 'applied', before: earlier.before, applied: earlier.applied, executedAt: earlier.at };
  }
  if (current !== change.from) {
    if (current === change.to) {
      return {
        decision: 'needless',
        before: current,
        code: 'already',
        reason: `The ${name} has ${sayValue(current, change.currency)} already; somebody else set it.`,
      };
    }
    return block(
      'moved',
      `The ${name} has ${sayValue(current, change.currency)} now; the decision was based on ${sayValue(change.from, change.currency)}.`,
    );
  }
  if (live.status === 'ARCHIVED' || live.delivery === 'over')
    return block(
      'archived',
      `The ${name} is archived, or below something that is: nothing about it can change.`,
    );
  return waits(change, live, around, nowMs) ?? { decision: 'apply', before: current, applied: change.to };
}

function waits(
  change: Change,
  live: LiveObject,
  { heldBy, personsEdit, personCooldownMs }: Surroundings,
  nowMs: number,
): Verdict | undefined {
  const name = entityName(change.entity);
  const byPerson = change.origin.area === 'person' || change.origin.area === 'undo';
  if (heldBy !== undefined && !byPerson) {
    return defer(
      nowMs + HOLD_RECHECK_MS,
      'held',
      `A person holds the ${name} (${heldBy.changeId}): ${heldBy.reason}`,
    );
  }
  const cooledAt = personsEdit === undefined ? 0 : personsEdit.at + personCooldownMs;
  if (!byPerson && cooledAt > nowMs) {
    return defer(
      cooledAt,
      'person-edited',
      `${personsEdit?.actor ?? 'Somebody'} edited the ${name}; automation leaves it alone until then.`,
    );
  }
  // Stopping what is under review does no harm.
  const stops = change.kind === 'PAUSE' || change.kind === 'ARCHIVE';
  if (!stops && live.delivery === 'in-review')
    return defer(nowMs + REVIEW_RECHECK_MS, 'in-review', `The platform is reviewing the ${name}.`);
  if (!stops && live.delivery === 'rejected')
    return block('rejected', `The platform rejected the ${name}: it cannot run.`);
  return undefined;
}

function whereItLives(live: LiveObject, slot: Slot): string {
  const name = `${live.kind}/${live.id}`;
  if (slot === 'bid') return `The ${name} has no bid of its own: the platform bids for it.`;
  if (live.hasLifetimeBudget)
    return `The ${name} has a budget for its whole life; only budgets per day are changed here.`;
  if (live.kind === 'adset') {
    return `The ad set ${live.id} has no budget of its own: the budget lives on its campaign, campaign/${live.campaignId ?? 'unknown'}.`;
  }
  return `The campaign ${live.id} holds no budget: the budgets live on its ad sets.`;
}
