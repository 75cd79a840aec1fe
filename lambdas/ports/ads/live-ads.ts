// What can be known about live ads, whoever asks? Reading changes nothing.
import type { AdAccount, Money, Usage } from './publisher.ts';

export type LiveKind = 'campaign' | 'adset' | 'ad';

export interface LiveRef {
  kind: LiveKind;
  id: string;
}

/** What the advertiser set. */
export type LiveStatus = 'ACTIVE' | 'PAUSED' | 'ARCHIVED' | 'DELETED';

/**
 * What the platform makes of it. `parent-paused`: itself active below something that is not. `in-review` includes what is still
 * being processed. `over`: archived or deleted, or below something that is.
 */
export type Delivery =
  | 'active'
  | 'paused'
  | 'parent-paused'
  | 'in-review'
  | 'rejected'
  | 'with-issues'
  | 'over'
  | 'unknown';

/** Only ad sets learn. `unknown`: the platform does not say, which is not the same as done. */
export type LearningState = 'learning' | 'done' | 'limited' | 'unknown';

export interface LiveObject {
  kind: LiveKind;
  id: string;
  name: string;
  /** Digits, without `act_`. */
  accountId: string;
  /** Of ad sets and ads; null for a campaign. */
  campaignId: string | null;
  /** Of ads. */
  adSetId: string | null;
  status: LiveStatus;
  delivery: Delivery;
  /** Its own budget per day; null where the budget is held by another level or for a lifetime. */
  dailyBudget: Money | null;
  /** It has a budget for its whole life instead of one per day. */
  hasLifetimeBudget: boolean;
  /** An ad set's own bid or cost cap; null when the platform bids, and for anything but an ad set. */
  bid: Money | null;
  /** `unknown` for anything but an ad set. */
  learning: LearningState;
}

/** A campaign or ad set that holds a budget per day. */
export interface BudgetHolder {
  kind: 'campaign' | 'adset';
  id: string;
  campaignId: string;
  dailyBudget: Money;
  /** Itself set to ACTIVE, and so is its campaign: what it holds is being spent. */
  active: boolean;
}

/** One line of the platform's own log, by whomever. */
export interface Activity {
  /** Stable: the same line read twice has the same id, whatever the window. Unique within the account. */
  id: string;
  /** Epoch milliseconds; the platform's clock, in whole seconds. */
  at: number;
  /** The platform's ids of who did it and with which application; empty when it does not say. */
  actorId: string;
  actorName: string;
  applicationId: string;
  entity: LiveRef;
  what: 'budget' | 'status' | 'bid' | 'learning' | 'review' | 'created' | 'other';
  /**
   * Minor units for budgets per day and bids, configured statuses for `status`; `after` of `created` is the budget per day it
   * was created with. Undefined when the line does not say: none before, a budget for a lifetime, a state on the way.
   */
  before?: number | LiveStatus;
  after?: number | LiveStatus;
  /** The platform's own name of the event. */
  eventType: string;
}

/**
 * Every method throws as Publisher's do: InvalidInput, Refused (credential, permission), RateLimited (`retryAt` when the vendor
 * named a time), Unavailable.
 */
export interface AdsReader {
  account(): Promise<AdAccount>;
  /** Null when there is no such object in this account, or none that this credential may see. */
  live(ref: LiveRef): Promise<LiveObject | null>;
  /** Campaigns and ad sets of the account that hold a budget per day, active or not; nothing archived or deleted. @throws Refused above 20,000. */
  budgets(): Promise<BudgetHolder[]>;
  /**
   * Everything about campaigns, ad sets and ads logged in or after the second of `sinceMs`, oldest first. A change may show here
   * some time after it happened. @throws Refused above 20,000 lines.
   */
  activities(sinceMs: number): Promise<Activity[]>;
  /** As of the latest answer, refusals included; null before the first. */
  usage(): Usage | null;
}

/** One new value for one object. Amounts are minor units of the account's currency. */
export type LivePatch =
  | { status: 'ACTIVE' | 'PAUSED' | 'ARCHIVED' }
  | { dailyBudget: Money }
  | { bid: Money };

export interface AdsWriter extends AdsReader {
  /**
   * Asks the platform for one change. There is no idempotency key: record the intent before, and after Unavailable read the
   * object before asking again. With `validateOnly` the platform checks and changes nothing. `ref` is not looked up: that it is
   * of this account is for `live` to say. `responseId` is the platform's own name of its answer, empty when it gives none.
   * @throws InvalidInput when the value is wrong (below the platform's minimum, wrong level, another currency than the
   * account's), Refused and RateLimited as `refusalOf` and `throttleOf` in refusals.ts tell them apart, `retryAt` where it is known.
   */
  update(
    ref: LiveRef,
    patch: LivePatch,
    options?: { validateOnly?: boolean },
  ): Promise<{ responseId: string }>;
}
