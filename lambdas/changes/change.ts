// What is a change to a live ad?
import * as z from 'zod';
import { hashOf } from '../runtime/canonical.ts';
import { currencyExponent } from '../runtime/money.ts';

export const CHANGE_KINDS = [
  'BUDGET_INCREASE',
  'BUDGET_DECREASE',
  'BUDGET_SET',
  'PAUSE',
  'RESUME',
  'ACTIVATE',
  'BID_ADJUST',
  'ARCHIVE',
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export const CHANGE_STATUSES = [
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
] as const;
export type ChangeStatus = (typeof CHANGE_STATUSES)[number];

/** `live` changes the account, `validate` asks the platform whether it would, `shadow` only decides and records. */
export const MODES = ['live', 'validate', 'shadow'] as const;
export type Mode = (typeof MODES)[number];

export const ENTITY_KINDS = ['campaign', 'adset', 'ad'] as const;

export const Entity = z.object({ kind: z.enum(ENTITY_KINDS), id: z.string().regex(/^\w{1,64}$/) });
export type Entity = z.infer<typeof Entity>;

/** `adset/1234`: in keys and sentences. */
export function entityName({ kind, id }: Entity): string {
  return `${kind}/${id}`;
}

/** A configured status as people and platforms set it. */
export const CONFIGURED_STATUSES = ['ACTIVE', 'PAUSED', 'ARCHIVED'] as const;
export type ConfiguredStatus = (typeof CONFIGURED_STATUSES)[number];

/** Whole minor units; nothing can be spent with less than one. */
const AmountMinor = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const Configured = z.enum(CONFIGURED_STATUSES);

/** Which value a kind is about; two kinds that are about the same value of one entity contradict each other. */
export type Slot = 'budget' | 'bid' | 'status';

/**
 * What a kind declares. Before: the object has `from` in the slot. After: it has `to` there. The same intent: the same object, slot,
 * `to` and origin. Back: the kind that takes it back to what the object had; null where nothing can.
 */
interface KindRule {
  slot: Slot;
  /** Statuses that `from` and `to` may have; amounts otherwise. */
  from?: readonly ConfiguredStatus[];
  to?: ConfiguredStatus;
  inverse: ChangeKind | null;
}

export const KINDS: Readonly<Record<ChangeKind, KindRule>> = {
  BUDGET_INCREASE: { slot: 'budget', inverse: 'BUDGET_SET' },
  BUDGET_DECREASE: { slot: 'budget', inverse: 'BUDGET_SET' },
  BUDGET_SET: { slot: 'budget', inverse: 'BUDGET_SET' },
  BID_ADJUST: { slot: 'bid', inverse: 'BID_ADJUST' },
  PAUSE: { slot: 'status', from: ['ACTIVE'], to: 'PAUSED', inverse: 'RESUME' },
  RESUME: { slot: 'status', from: ['PAUSED'], to: 'ACTIVE', inverse: 'PAUSE' },
  ACTIVATE: { slot: 'status', from: ['PAUSED'], to: 'ACTIVE', inverse: 'PAUSE' },
  ARCHIVE: { slot: 'status', from: ['ACTIVE', 'PAUSED'], to: 'ARCHIVED', inverse: null },
};

export function slotOf(kind: ChangeKind): Slot {
  return KINDS[kind].slot;
}

export const Origin = z.object({
  /** Who decided: `creative`, `budget`, `rules`, `person`, `undo`, … */
  area: z.string().min(1).max(40),
  /** The decision, rule execution or run: with another id the same change is another intent. */
  id: z.string().min(1).max(200),
  /** A person's subject or the machine's name. */
  actor: z.string().min(1).max(200),
  /** The rule that decided, where one did: it can be switched off by itself. */
  rule: z.string().min(1).max(200).optional(),
});
export type Origin = z.infer<typeof Origin>;

/** What anyone may ask for. Money is in minor units of `currency`, times are epoch milliseconds. */
export const ChangeRequest = z
  .object({
    accountId: z.string().regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)'),
    entity: Entity,
    kind: z.enum(CHANGE_KINDS),
    /** What the decision was based on: a status or an amount. */
    from: z.union([Configured, AmountMinor]),
    to: z.union([Configured, AmountMinor]),
    currency: z.string().refine(isCurrency, 'is not an ISO 4217 currency code'),
    reason: z.string().min(1).max(500),
    evidence: z.record(z.string(), z.unknown()).default({}),
    /** What the change is worth if the decision is right; ranks waiting changes. */
    expectedValueMinor: z.number().int().min(-1e15).max(1e15).default(0),
    origin: Origin,
    /** An unapplied change is worth nothing later. */
    expiresAt: z.number().int(),
    /** Not before this time; at once when absent. */
    notBefore: z.number().int().optional(),
    mode: z.enum(MODES).default('live'),
    /** Changes that must have been applied first: parents before children. */
    after: z.array(z.string()).max(50).default([]),
    /** Changes that must be over first, however they ended. */
    behind: z.array(z.string()).max(50).default([]),
    /** Changes that this one takes back. */
    undoes: z.array(z.string()).max(200).default([]),
  })
  .superRefine((change, context) => {
    const problem = shapeProblem(change);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  });
/** As a caller writes it. */
export type ChangeRequest = z.input<typeof ChangeRequest>;

/** Do `from` and `to` fit the kind? Undefined when they do. */
function shapeProblem({
  kind,
  entity,
  from,
  to,
}: {
  kind: ChangeKind;
  entity: Entity;
  from: ConfiguredStatus | number;
  to: ConfiguredStatus | number;
}): { path: string[]; message: string } | undefined {
  const shape = KINDS[kind];
  if (shape.slot === 'status') {
    if (!shape.from?.includes(from as ConfiguredStatus))
      return { path: ['from'], message: `${kind} starts from ${shape.from?.join(' or ')}.` };
    return to === shape.to ? undefined : { path: ['to'], message: `${kind} leads to ${shape.to}.` };
  }
  if (typeof from !== 'number') return { path: ['from'], message: `${kind} starts from an amount.` };
  if (typeof to !== 'number') return { path: ['to'], message: `${kind} leads to an amount.` };
  if (entity.kind === 'ad') {
    return {
      path: ['entity'],
      message: `An ad has no ${shape.slot} of its own: it is set on its ad set${shape.slot === 'budget' ? ', or on the campaign where that holds the budget' : ''}.`,
    };
  }
  if (shape.slot === 'bid' && entity.kind !== 'adset')
    return { path: ['entity'], message: 'A bid is set on an ad set.' };
  if (kind === 'BUDGET_INCREASE' && to <= from)
    return { path: ['to'], message: 'An increase leads to more than it starts from.' };
  if (kind === 'BUDGET_DECREASE' && to >= from)
    return { path: ['to'], message: 'A decrease leads to less than it starts from.' };
  return from === to ? { path: ['to'], message: 'Nothing would change.' } : undefined;
}

function isCurrency(code: string): boolean {
  try {
    currencyExponent(code);
    return true;
  } catch {
    return false;
  }
}

/** The same intent of the same origin has the same id, so a retry queues nothing twice. Also the run id of its execution. */
export function changeId(tenant: string, request: ChangeRequest): string {
  const { accountId, entity, kind, to, origin } = request;
  return `chg-${hashOf({ tenant, accountId, entity, slot: slotOf(kind), to, origin: [origin.area, origin.id] }).slice(0, 26)}`;
}

/** What a person approves: nothing that is applied may differ from it. */
export function changeDigest(change: z.output<typeof ChangeRequest>): string {
  const { accountId, entity, kind, from, to, currency, reason, evidence, expiresAt, mode } = change;
  return hashOf({ accountId, entity, kind, from, to, currency, reason, evidence, expiresAt, mode });
}

export interface Approval {
  actor: string;
  comment: string;
  /** Epoch milliseconds. */
  at: number;
  /** `changeDigest` of what was approved. */
  digest: string;
}

/** What is about to be written to the platform, kept before it is: after a lost reply it tells what to look for. */
export interface Intent {
  /** Lease under which the write was tried last. */
  lease: number;
  /** Epoch milliseconds of the latest try. */
  at: number;
  /** What the object had: an amount or a status. */
  before: ConfiguredStatus | number;
  /** What it shall have. */
  applied: ConfiguredStatus | number;
  /** How often the platform was asked. */
  tries: number;
}

export interface Change extends z.output<typeof ChangeRequest> {
  id: string;
  tenant: string;
  status: ChangeStatus;
  /** Epoch milliseconds before which nobody may claim it. */
  notBefore: number;
  createdAt: number;
  updatedAt: number;
  /** Why it is in its status, for a person; empty while it is simply due. */
  statusReason: string;
  /** The same as a word to count by: `rate-limit`, `velocity`, `kill-switch`, … */
  statusCode: string;
  /** Number of the latest dispatch: the fencing token of whoever executes it. */
  lease: number;
  /** Name of the execution that claimed it under that lease. */
  holder?: string;
  /** Epoch milliseconds after which the lease is nobody's. */
  leasedUntil: number;
  /** Executions that went wrong for a reason of their own; throttling and waiting are no attempts. */
  attempts: number;
  /** Times it was put off. */
  deferrals: number;
  intent?: Intent;
  approval?: Approval;
  supersededBy?: string;
  /** Change that took this one back. */
  undoneBy?: string;
  /** What was applied in the end; absent while nothing was. */
  result?: { before: ConfiguredStatus | number; applied: ConfiguredStatus | number; executedAt: number };
  /** Cancelled by whoever queued it, who may queue it again. */
  retracted?: boolean;
}
