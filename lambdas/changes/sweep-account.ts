// What became of the changes of one account that somebody had taken up?
import type { Bucket } from '../runtime/bucket.ts';
import type { Clock } from '../runtime/clock.ts';
import { Conflict } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { executionName } from '../runtime/run-id.ts';
import type { ExecutionDescription, StateMachine } from '../runtime/state-machine.ts';
import type { Change } from './change.ts';
import type { Changes } from './changes.ts';
import { keptRecordKey } from './kept-records.ts';
import type { Ledgers } from './ledgers.ts';
import type { Leases } from './leases.ts';
import { ChangeRecord, writeRecord } from './record.ts';
import { STRAGGLER_MS } from './release.ts';

export interface SweepContext {
  changes: Pick<Changes, 'ranked' | 'markUndone'>;
  leases: Leases;
  ledgers: Ledgers;
  machine: Pick<StateMachine, 'describe'>;
  bucket: Pick<Bucket, 'getJson' | 'delete'>;
  clock: Clock;
  log: Log;
}

/** At most as many are executed at once as the limits of an hour allow. */
const MOST_TAKEN = 500;

/**
 * Executions that ended without a word lose their lease, and records that waited are written. Answers for how long the oldest
 * change has been taken, in milliseconds.
 */
export async function sweepAccount(
  tenant: string,
  accountId: string,
  context: SweepContext,
): Promise<{ oldestLeaseMs: number }> {
  const nowMs = context.clock.now();
  const { changes: taken } = await context.changes.ranked(tenant, accountId, 'taken', { limit: MOST_TAKEN });
  for (const change of taken) {
    const execution = await context.machine.describe(change.holder ?? executionName(change.id, change.lease));
    if (execution?.status === 'RUNNING' && change.leasedUntil > nowMs) continue;
    if (!(await mergeKept(change, context, nowMs))) await reclaim(change, execution, context, nowMs);
  }
  return { oldestLeaseMs: Math.max(0, ...taken.map(({ updatedAt }) => nowMs - updatedAt)) };
}

/** False when no record waits for it in the bucket. */
async function mergeKept(
  change: Change,
  { bucket, leases, ledgers, changes, log }: SweepContext,
  nowMs: number,
): Promise<boolean> {
  const key = keptRecordKey(change.tenant, change.id);
  const found = await bucket.getJson(key);
  if (found === undefined) return false;
  const record = ChangeRecord.parse(found);
  try {
    if (record.change.lease === change.lease) await writeRecord(record, { leases, ledgers, changes }, nowMs);
    log.info('a kept record was written', { changeId: change.id });
  } catch (error) {
    // Somebody else went on with it, and read the object back first.
    if (!(error instanceof Conflict)) throw error;
  }
  await bucket.delete(key);
  return true;
}

async function reclaim(
  change: Change,
  execution: ExecutionDescription | undefined,
  { leases, log }: SweepContext,
  nowMs: number,
): Promise<void> {
  const ended = execution === undefined ? 'is unknown' : `ended as ${execution.status}`;
  // What it asked of the platform last may still arrive.
  const notBefore = (execution?.stoppedAt ?? nowMs) + STRAGGLER_MS;
  try {
    await leases.finish(
      change,
      change.lease,
      {
        step: {
          move: 'reclaim',
          code: 'lease-lost',
          reason: `Its execution ${ended} without saying what came of it.`,
        },
        set: { notBefore: Math.max(notBefore, nowMs), deferrals: change.deferrals + 1 },
        keepIntent: true,
        actor: 'SweepChanges',
      },
      nowMs,
    );
    log.warn('a change was taken back from an execution that is over', {
      changeId: change.id,
      lease: change.lease,
    });
  } catch (error) {
    // Its execution, or another sweep, was faster.
    if (!(error instanceof Conflict)) throw error;
  }
}
