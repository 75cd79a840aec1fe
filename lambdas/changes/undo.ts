// How is what was applied taken back?
import * as z from 'zod';
import type { AdsReaderPort } from '../ports/ads/ads-reader-port.ts';
import type { LiveObject } from '../ports/ads/live-ads.ts';
import { auditActions } from '../runtime/audit.ts';
import { hashOf } from '../runtime/canonical.ts';
import type { Caller } from '../runtime/define-routes.ts';
import { Conflict, InvalidInput } from '../runtime/errors.ts';
import type { Settings } from '../runtime/settings.ts';
import { ChangeRequest, changeId, type Change } from './change.ts';
import { EntityView, ValueView } from './change-view.ts';
import type { Changes } from './changes.ts';
import { approvalBy } from './new-change.ts';
import { velocityRule } from './policy.ts';
import { objectKey, planUndo, type Applied, type UndoPlan } from './undo-plan.ts';

/** One transaction holds 100 writes, two of which are the record of who asked. */
export const MOST_UNDONE = 98;
const READ_AT_ONCE = 10;

const About = { accountId: z.string(), entity: EntityView, slot: z.enum(['budget', 'bid', 'status']) };

export const UndoView = z.object({
  preview: z.boolean(),
  queued: z.boolean().describe('False for a preview, and when there was nothing to queue'),
  steps: z
    .array(
      z.object({
        id: z.string(),
        accountId: z.string(),
        entity: EntityView,
        kind: z.string(),
        from: ValueView,
        to: ValueView,
        currency: z.string(),
        notBefore: z.string(),
        expiresAt: z.string(),
        behind: z.array(z.string()),
        undoes: z.array(z.string()).describe('Taken back once this step is applied'),
      }),
    )
    .describe('By when they are due'),
  moved: z
    .array(
      z.object({ ...About, has: ValueView.or(z.null()), weLeft: ValueView, changes: z.array(z.string()) }),
    )
    .describe('Somebody else changed these since: they are left alone'),
  impossible: z.array(z.object({ change: z.string(), reason: z.string() })),
  needless: z
    .array(z.object({ ...About, has: ValueView, changes: z.array(z.string()) }))
    .describe('These have what they had before already'),
  undoes: z.array(z.string()),
});
export type UndoView = z.infer<typeof UndoView>;

export interface UndoContext {
  changes: Pick<Changes, 'get' | 'queueing' | 'transact'>;
  ads: AdsReaderPort;
  settings: Settings;
  /** Name of the table audit. */
  audit: string;
  nowMs: number;
}

export interface UndoOrder {
  caller: Caller;
  preview: boolean;
  comment: string;
  /** Asked again under the same key, it is the same undo. */
  key: string;
}

/**
 * Plans against what is live and, unless it is a preview, queues the whole plan in one transaction or nothing of it.
 * @throws InvalidInput for more than 98 changes or steps; Refused, RateLimited and Unavailable as the platform's reader.
 */
export async function undo(
  changes: readonly Applied[],
  order: UndoOrder,
  context: UndoContext,
): Promise<UndoView> {
  const { caller, preview, comment, key } = order;
  const { settings, nowMs } = context;
  refuseMore(changes.length, 'changes');
  const { live, strangers } = await readLive(changes, caller.tenant, context);
  const ids = changes.map(({ id }) => id).toSorted();
  const plan = planUndo({
    tenant: caller.tenant,
    changes: changes.filter((change) => !strangers.has(change.accountId)),
    live,
    velocity: velocityRule(settings.changes),
    origin: {
      area: 'undo',
      id: `undo-${hashOf({ ids, actor: caller.subject, key }).slice(0, 26)}`,
      actor: caller.subject,
    },
    comment,
    nowMs,
  });
  for (const { id, accountId } of changes.filter((change) => strangers.has(change.accountId)))
    plan.impossible.push({ change: id, reason: `The ad account ${accountId} is not connected any more.` });
  refuseMore(plan.steps.length, 'steps');
  const queued = !preview && plan.steps.length > 0;
  if (queued) await queue(plan, order, context);
  return view(plan, caller.tenant, preview, queued);
}

/** @throws InvalidInput */
export function refuseMore(count: number, what: string): void {
  if (count <= MOST_UNDONE) return;
  throw new InvalidInput(
    `This is more than the ${MOST_UNDONE} ${what} that one undo may have: choose a shorter time, one origin or one object.`,
    { path: 'from' },
  );
}

async function readLive(
  changes: readonly Change[],
  tenant: string,
  { ads, settings }: UndoContext,
): Promise<{ live: Map<string, LiveObject | null>; strangers: Set<string> }> {
  const live = new Map<string, LiveObject | null>();
  const strangers = new Set<string>();
  const byAccount = Map.groupBy(changes, ({ accountId }) => accountId);
  for (const [accountId, own] of byAccount) {
    const account = settings.adAccounts.find(({ id }) => id === accountId);
    if (account === undefined) {
      strangers.add(accountId);
      continue;
    }
    const reader = await ads.for({ tenant, accountId, secret: account.secret });
    const objects = [...new Map(own.map((change) => [objectKey(change), change.entity]))];
    for (let start = 0; start < objects.length; start += READ_AT_ONCE) {
      const some = objects.slice(start, start + READ_AT_ONCE);
      const found = await Promise.all(some.map(([, entity]) => reader.live(entity)));
      some.forEach(([name], index) => live.set(name, found[index] ?? null));
    }
  }
  return { live, strangers };
}

async function queue(plan: UndoPlan, { caller, comment }: UndoOrder, context: UndoContext): Promise<void> {
  const { changes, audit, nowMs } = context;
  const { tenant, subject } = caller;
  const { changes: made, actions } = changes.queueing(
    plan.steps.map((request) => {
      const approval = approvalBy(caller, ChangeRequest.parse(request), comment, nowMs);
      return { tenant, request, status: 'PENDING', nowMs, ...(approval === undefined ? {} : { approval }) };
    }),
  );
  const origin = plan.steps[0]?.origin.id ?? '';
  const record = {
    tenant,
    id: `${origin}-queued`,
    at: new Date(nowMs).toISOString(),
    actor: subject,
    action: 'undo.queued',
    subject: origin,
    details: { comment, undoes: plan.undoes, steps: made.map(({ id }) => id) },
  };
  try {
    await changes.transact([...actions, ...auditActions(audit, record)]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    // An earlier request that nobody heard the answer of.
    const present = await Promise.all(made.map(({ id }) => changes.get(tenant, id)));
    if (present.includes(undefined)) throw error;
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

function view(plan: UndoPlan, tenant: string, preview: boolean, queued: boolean): UndoView {
  return {
    ...plan,
    preview,
    queued,
    steps: plan.steps.map((request) => ({
      id: changeId(tenant, request),
      accountId: request.accountId,
      entity: request.entity,
      kind: request.kind,
      from: request.from,
      to: request.to,
      currency: request.currency,
      notBefore: iso(request.notBefore ?? 0),
      expiresAt: iso(request.expiresAt),
      behind: request.behind ?? [],
      undoes: request.undoes ?? [],
    })),
  };
}
