// What is written down about an execution that came to an end, wherever that happens?
import * as z from 'zod';
import { hashOf } from '../runtime/canonical.ts';
import { slotOf, type Change, type Mode } from './change.ts';
import type { Changes } from './changes.ts';
import { conclude, type Conclusion } from './conclusion.ts';
import type { TimelineEntry } from './history.ts';
import { settle } from './ledger.ts';
import type { Ledgers } from './ledgers.ts';
import type { Finish, Leases } from './leases.ts';
import { ChangeState, ExecutionMode, Reserved, Seen } from './types.ts';
import { Value, Verdict } from './verdict.ts';

/** Everything RecordChange knows; also what lies in the bucket until it can be written. */
export const ChangeRecord = z.object({
  change: ChangeState,
  verdict: Verdict,
  mode: ExecutionMode,
  /** Null where the object was not read, or not read again. */
  seen: Seen.nullable(),
  /** Null where no room was taken. */
  reserved: Reserved.nullable(),
  after: Value.nullable(),
  /** Epoch milliseconds. */
  at: z.number().int(),
});
export type ChangeRecord = z.infer<typeof ChangeRecord>;

/** Codes of what the platform said when it was asked to change something. */
const ASKED: readonly string[] = ['throttled', 'platform-policy', 'refused', 'account-stopped', 'checked'];

/** Writes it; again is no second time. @throws Conflict when somebody else has the lease by now. */
export async function writeRecord(
  record: ChangeRecord,
  { leases, ledgers, changes }: { leases: Leases; ledgers: Ledgers; changes: Pick<Changes, 'markUndone'> },
  nowMs: number,
): Promise<Conclusion> {
  const { change } = record;
  const conclusion = conclude(record.verdict, record.mode);
  // First what is true of this lease whoever has the change by now: once the change is over nobody comes back to it.
  await ledgers.change(change.tenant, change.accountId, (ledger) => ({
    ledger: settle(ledger, change.id, change.lease, conclusion.reservation, {
      neverAsked: !wasAsked(record.verdict),
    }),
    answer: undefined,
  }));
  if (conclusion.outcome === 'applied')
    await Promise.all(change.undoes.map((id) => changes.markUndone(change.tenant, id, change.id)));
  await leases.finish(change, change.lease, finishOf(record, conclusion), nowMs);
  return conclusion;
}

/** The platform counts what it refused as well. */
function wasAsked(verdict: ChangeRecord['verdict']): boolean {
  return verdict.decision === 'applied' || ('code' in verdict && ASKED.includes(verdict.code));
}

function finishOf(record: ChangeRecord, conclusion: Conclusion): Finish {
  const { change, verdict, seen, reserved, after, mode, at } = record;
  const deferred = conclusion.outcome === 'deferred';
  const before = 'before' in verdict ? verdict.before : null;
  const applied = 'applied' in verdict ? verdict.applied : null;
  return {
    step: conclusion,
    set: {
      ...(conclusion.notBefore === undefined ? {} : { notBefore: conclusion.notBefore }),
      ...(deferred ? { deferrals: change.deferrals + 1 } : {}),
      ...(conclusion.result === undefined ? {} : { result: conclusion.result }),
    },
    keepIntent: conclusion.keepIntent === true,
    actor: change.origin.actor,
    details: {
      before,
      requested: change.to,
      applied,
      after,
      mode,
      evidenceHash: hashOf(change.evidence),
      executedAt: conclusion.result?.executedAt ?? null,
      responseId: verdict.decision === 'applied' ? (verdict.responseId ?? null) : null,
      waitedMs: at - change.createdAt,
      tookMs: at - change.updatedAt,
      usagePercent: seen?.usage?.highestPercent ?? null,
      limits: reserved?.limits ?? null,
      approvedBy: change.approval?.actor ?? null,
    },
    timeline: conclusion.outcome === 'applied' ? [timelineOf(change, mode, conclusion, after)] : [],
  };
}

function timelineOf(
  change: Change,
  mode: Mode,
  { result }: Conclusion,
  after: z.infer<typeof Value> | null,
): TimelineEntry {
  return {
    tenant: change.tenant,
    accountId: change.accountId,
    entity: change.entity,
    at: result?.executedAt ?? change.updatedAt,
    sourceId: change.id,
    by: 'us',
    actor: change.origin.actor,
    what: slotOf(change.kind),
    before: result?.before,
    after: result?.applied,
    details: { reason: change.reason, kind: change.kind, verified: after !== null, mode },
  };
}
