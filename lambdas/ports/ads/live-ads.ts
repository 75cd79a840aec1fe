// What can be known about live ads, whoever asks? Reading changes nothing.
import type { AdAccount, Money, Usage } from './publisher.ts';

export type LiveKind = 'campaign' | 'adset' | 'ad';

export interface LiveRef {
  kind: LiveKind;
  id: string;
}

/** What the advertiser set. */
export type LiveStatus = 'ACTIVE' | 'PAUSED' | 'ARCHIVED' | 'DELETED';

/** What the platform makes of it. `parent-paused`: itself active below something that is not. */
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
  /** An ad set's own bid or cost cap; null when the platform bids. */
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
  /** Stable: the same line read twice has the same id. */
  id: string;
  /** Epoch milliseconds; the platform's clock, in whole seconds. */
  at: number;
  /** The platform's ids of who did it and with which application; empty when it does not say. */
  actorId: string;
  actorName: string;
  applicationId: string;
  entity: LiveRef;
  what: 'budget' | 'status' | 'bid' | 'learning' | 'review' | 'created' | 'other';
  /** Minor units for budgets and bids, configured statuses for `status`; undefined when the line does not say. */
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
  /** Null when there is no such object, or none that this credential may see. */
  live(ref: LiveRef): Promise<LiveObject | null>;
  /** Campaigns and ad sets of the account that hold a budget per day, active or not; nothing archived or deleted. @throws Refused above 20,000. */
  budgets(): Promise<BudgetHolder[]>;
  /** Everything logged at or after `sinceMs`, oldest first. */
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
   * object before asking again. With `validateOnly` the platform checks and changes nothing.
   * @throws InvalidInput when the platform finds the value wrong (below its minimum, wrong level), Refused for credential,
   * permission (`vendorCode`) and policy (`vendorCode` 368), RateLimited with `retryAt` where it is known.
   */
  update(
    ref: LiveRef,
    patch: LivePatch,
    options?: { validateOnly?: boolean },
  ): Promise<{ responseId: string }>;
}
