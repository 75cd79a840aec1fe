// What is known about an account and its queue once a sequence is over?

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

export const STATUSES = [
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
export const OVER = STATUSES.slice(4);
const EDITS = ['status', 'daily_budget', 'bid_amount'];
const FIELD_OF: Record<string, string> = {
  BUDGET_INCREASE: 'daily_budget',
  BUDGET_DECREASE: 'daily_budget',
  BUDGET_SET: 'daily_budget',
  BID_ADJUST: 'bid_amount',
};
export const fieldOf = (kind: string): string => FIELD_OF[kind] ?? 'status';
export const same = (a: unknown, b: unknown): boolean => String(a) === String(b);

/** Ours, in the order in which they happened. */
export function ownEffects({ effects }: Pick<Facts, 'effects'>): Effect[] {
  return effects.filter(({ by, field }) => by === 'api' && EDITS.includes(field));
}
