// What do the steps of an execution hand to each other?
import * as z from 'zod';
import { ChangeRequest, CHANGE_STATUSES, MODES, type Change } from './change.ts';

/** A change as the state machine carries it. Checked for being one; its fields are our own table's. */
export const ChangeState = z.custom<Change>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['id', 'tenant', 'accountId', 'entity', 'kind', 'lease'].every((field) => field in value) &&
    CHANGE_STATUSES.includes((value as Change).status),
  'is not a change',
);

/** A change that is queued already, under the lease its dispatcher named, or one to be queued and taken up at once. */
export const ExecutionRequest = z.union([
  z.strictObject({ changeId: z.string().regex(/^chg-[0-9a-z]{26}$/), lease: z.number().int().positive() }),
  z.strictObject({ change: ChangeRequest }),
]);
export type ExecutionRequest = z.input<typeof ExecutionRequest>;

const Amount = z.object({ amountMinor: z.number().int(), currency: z.string() });

export const Live = z.object({
  kind: z.enum(['campaign', 'adset', 'ad']),
  id: z.string(),
  name: z.string(),
  accountId: z.string(),
  campaignId: z.string().nullable(),
  adSetId: z.string().nullable(),
  status: z.enum(['ACTIVE', 'PAUSED', 'ARCHIVED', 'DELETED']),
  delivery: z.enum([
    'active',
    'paused',
    'parent-paused',
    'in-review',
    'rejected',
    'with-issues',
    'over',
    'unknown',
  ]),
  dailyBudget: Amount.nullable(),
  hasLifetimeBudget: z.boolean(),
  bid: Amount.nullable(),
  learning: z.enum(['learning', 'done', 'limited', 'unknown']),
});

/** The account's budgets as read, and what its log says of the last hours. Amounts in minor units, times in epoch milliseconds. */
export const ReadHistory = z.object({
  readAt: z.number().int(),
  held: z.array(
    z.object({
      entity: z.string(),
      campaignId: z.string(),
      amountMinor: z.number().int(),
      active: z.boolean(),
    }),
  ),
  edits: z.array(
    z.object({
      entity: z.string(),
      at: z.number().int(),
      beforeMinor: z.number().int(),
      afterMinor: z.number().int(),
    }),
  ),
  statusEdits: z.array(
    z.object({
      entity: z.string(),
      at: z.number().int(),
      activeBefore: z.boolean(),
      activeAfter: z.boolean(),
    }),
  ),
});
export type ReadHistory = z.infer<typeof ReadHistory>;

/** What ReadLive saw. */
export const Seen = z.object({
  live: Live.nullable(),
  account: z.object({ currency: z.string(), minDailyBudgetMinor: z.number().int() }),
  /** For budget kinds. */
  history: ReadHistory.nullable(),
  /** The platform's own gauge of what we may still ask, of its latest answer. */
  usage: z.object({ highestPercent: z.number(), regainMs: z.number(), at: z.number().int() }).nullable(),
});
export type Seen = z.infer<typeof Seen>;

/** Room taken in the account's limits for one application. */
export const Reserved = z.object({
  at: z.number().int(),
  /** How full the account's buckets were with it. */
  limits: z.array(z.object({ name: z.string(), used: z.number(), limit: z.number() })),
});
export type Reserved = z.infer<typeof Reserved>;

export const Outcome = z.enum([
  'applied',
  'checked',
  'needless',
  'deferred',
  'held',
  'blocked',
  'failed',
  'expired',
  'not-claimed',
  'kept',
]);

export const ExecutionMode = z.enum(MODES);
