// What is a change to a live ad, and through which statuses may it go?
import * as z from 'zod';
import { hashOf } from '../runtime/canonical.ts';

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

export const Entity = z.object({ kind: z.enum(['campaign', 'adset', 'ad']), id: z.string().min(1) });
export type Entity = z.infer<typeof Entity>;

/** What anyone may ask for. Money is in minor units of `currency`. */
export const ChangeRequest = z.object({
  accountId: z.string().min(1),
  entity: Entity,
  kind: z.enum(CHANGE_KINDS),
  /** What the decision was based on: a status or an amount. */
  from: z.union([z.string(), z.number().int()]),
  to: z.union([z.string(), z.number().int()]),
  currency: z.string().length(3),
  reason: z.string().min(1).max(500),
  evidence: z.record(z.string(), z.unknown()).default({}),
  /** Minor units the change is worth if the decision is right; ranks waiting changes. */
  expectedValueMinor: z.number().int().default(0),
  origin: z.object({ area: z.string(), id: z.string(), actor: z.string() }),
  /** Epoch milliseconds; an unapplied change is worth nothing later. */
  expiresAt: z.number().int(),
  mode: z.enum(['live', 'validate', 'shadow']).default('live'),
  /** Changes that must be applied first: parents before children. */
  after: z.array(z.string()).default([]),
});
export type ChangeRequest = z.input<typeof ChangeRequest>;

/** The same intent of the same origin has the same id, so a retry queues nothing twice. */
export function changeId(tenant: string, request: ChangeRequest): string {
  const { entity, kind, to, origin } = request;
  return `chg-${hashOf({ tenant, entity, kind, to, origin }).slice(0, 24)}`;
}

export interface Change extends z.output<typeof ChangeRequest> {
  id: string;
  tenant: string;
  status: ChangeStatus;
  /** Epoch milliseconds before which nobody may claim it. */
  notBefore: number;
  createdAt: number;
  /** Cancelled by whoever queued it, who may queue it again. */
  retracted?: boolean;
}
