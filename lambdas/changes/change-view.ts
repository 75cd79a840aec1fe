// What does a person see of a change?
import * as z from 'zod';
import {
  changeDigest,
  CHANGE_KINDS,
  CHANGE_STATUSES,
  CONFIGURED_STATUSES,
  ENTITY_KINDS,
  MODES,
  type Change,
} from './change.ts';

/** An amount in minor units, or a configured status. */
export const ValueView = z.union([z.enum(CONFIGURED_STATUSES), z.number().int()]);
export const EntityView = z.object({ kind: z.enum(ENTITY_KINDS), id: z.string() });
const Time = z.string().describe('ISO 8601');

export const ChangeView = z.object({
  id: z.string(),
  accountId: z.string(),
  entity: EntityView,
  kind: z.enum(CHANGE_KINDS),
  from: ValueView.describe('What the decision was based on; amounts in minor units'),
  to: ValueView,
  currency: z.string(),
  reason: z.string(),
  expectedValueMinor: z.number().int(),
  origin: z.object({ area: z.string(), id: z.string(), actor: z.string(), rule: z.string().optional() }),
  mode: z.enum(MODES),
  status: z.enum(CHANGE_STATUSES),
  statusReason: z.string().describe('Why it is in its status; empty while it is simply due'),
  statusCode: z.string(),
  notBefore: Time,
  expiresAt: Time,
  createdAt: Time,
  updatedAt: Time,
  attempts: z.number().int(),
  deferrals: z.number().int(),
  after: z.array(z.string()).describe('Must have been applied first'),
  behind: z.array(z.string()).describe('Must be over first'),
  undoes: z.array(z.string()),
  undoneBy: z.string().optional(),
  supersededBy: z.string().optional(),
  approval: z.object({ actor: z.string(), comment: z.string(), at: Time, digest: z.string() }).optional(),
  result: z.object({ before: ValueView, applied: ValueView, executedAt: Time }).optional(),
  digest: z.string().describe('What an approval is bound to'),
});
export type ChangeView = z.infer<typeof ChangeView>;

const iso = (ms: number): string => new Date(ms).toISOString();

export function viewOf(change: Change): ChangeView {
  const { approval, result, undoneBy, supersededBy } = change;
  return {
    id: change.id,
    accountId: change.accountId,
    entity: change.entity,
    kind: change.kind,
    from: change.from,
    to: change.to,
    currency: change.currency,
    reason: change.reason,
    expectedValueMinor: change.expectedValueMinor,
    origin: change.origin,
    mode: change.mode,
    status: change.status,
    statusReason: change.statusReason,
    statusCode: change.statusCode,
    notBefore: iso(change.notBefore),
    expiresAt: iso(change.expiresAt),
    createdAt: iso(change.createdAt),
    updatedAt: iso(change.updatedAt),
    attempts: change.attempts,
    deferrals: change.deferrals,
    after: change.after,
    behind: change.behind,
    undoes: change.undoes,
    ...(undoneBy === undefined ? {} : { undoneBy }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
    ...(approval === undefined ? {} : { approval: { ...approval, at: iso(approval.at) } }),
    ...(result === undefined ? {} : { result: { ...result, executedAt: iso(result.executedAt) } }),
    digest: changeDigest(change),
  };
}
