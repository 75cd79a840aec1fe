// How is a person's decision about one change, or about all that wait for the same decision, carried out?
import * as z from 'zod';
import { Conflict } from '../runtime/errors.ts';
import { notFound } from '../runtime/problem.ts';
import { ChangeView, viewOf } from './change-view.ts';
import { changeDigest, type Change } from './change.ts';
import type { Changes } from './changes.ts';
import { hasExpired, otherDigest, parentsFirst, ruleOn, type Order } from './ruling.ts';
import { unmetOf } from './dependencies.ts';
import type { Withdrawals } from './withdrawals.ts';

const Comment = z.string().min(1).max(500);
const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is not a digest')
  .describe('Of the change as the person saw it');

export const Said = z.strictObject({ comment: Comment, digest: Digest.optional() });
export const SaidOfAll = Said.extend({
  scope: z
    .enum(['change', 'origin'])
    .default('change')
    .describe('origin: everything held that the same decision queued, such as a whole launch'),
});

export const Decided = z.object({
  changes: z.array(ChangeView),
  left: z.array(z.object({ id: z.string(), reason: z.string() })).describe('Not decided, and why'),
});
export type Decided = z.infer<typeof Decided>;

export interface Deciding {
  changes: Pick<Changes, 'get' | 'inStatus'>;
  withdrawals: Pick<Withdrawals, 'move' | 'expire'>;
  nowMs: number;
}

/** @throws HttpProblem 404, also for another tenant's; Conflict when it does not stand where the decision begins, or has expired. */
export async function decideOne(
  tenant: string,
  id: string,
  order: Order,
  context: Deciding,
): Promise<Change> {
  const change = await find(tenant, id, context);
  const refusal = await decide(change, order, context);
  if (refusal !== undefined) throw new Conflict(refusal);
  return find(tenant, id, context);
}

/**
 * Everything that is HELD of the change's origin, parents first; a repeat goes on where the first one was broken off.
 * @throws HttpProblem 404; Conflict when the digest is another, or nothing could be decided.
 */
export async function decideOrigin(
  tenant: string,
  id: string,
  { digest, ...order }: Order,
  context: Deciding,
): Promise<Decided> {
  const named = await find(tenant, id, context);
  const { origin } = named;
  const held = (await context.changes.inStatus(tenant, 'HELD')).filter(
    (other) => other.id !== id && other.origin.area === origin.area && other.origin.id === origin.id,
  );
  const all = parentsFirst(named.status === 'HELD' ? [named, ...held] : held);
  if (digest !== undefined && digest !== changeDigest(named)) throw new Conflict(otherDigest(id));
  const left: Decided['left'] = [];
  const decided: string[] = [];
  for (const change of all) {
    const refusal = await decide(change, order, context);
    if (refusal === undefined) decided.push(change.id);
    else left.push({ id: change.id, reason: refusal });
  }
  if (decided.length === 0) {
    throw new Conflict(
      left[0]?.reason ?? `${id} is ${named.status}, and nothing else of its origin waits for a decision.`,
    );
  }
  const changes = await Promise.all(decided.map((one) => find(tenant, one, context)));
  return { changes: changes.map(viewOf), left };
}

/** A sentence when it was not carried out. */
async function decide(
  change: Change,
  order: Order,
  { changes, withdrawals, nowMs }: Deciding,
): Promise<string | undefined> {
  const { tenant, id, status } = change;
  if ((status === 'PENDING' || status === 'HELD') && hasExpired(change, nowMs)) {
    await withdrawals.expire(change, nowMs);
    return `${id} expired at ${new Date(change.expiresAt).toISOString()}: nothing can be decided about it any more.`;
  }
  const ruling = ruleOn(change, order, nowMs);
  if ('refusal' in ruling) return ruling.refusal;
  if (order.decision === 'approve') {
    const unmet = await unmetOf(change, (other) => changes.get(tenant, other));
    if (unmet?.final === true) return `It cannot be applied any more: ${unmet.reason}`;
  }
  const moved = await withdrawals.move(change, ruling.step, order.actor);
  return moved ? undefined : `Somebody else moved ${id} at the same moment: look at it again.`;
}

async function find(tenant: string, id: string, { changes }: Pick<Deciding, 'changes'>): Promise<Change> {
  const change = await changes.get(tenant, id);
  if (change === undefined) throw notFound(`change ${id}`);
  return change;
}
