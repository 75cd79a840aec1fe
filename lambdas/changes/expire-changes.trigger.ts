// Which waiting changes are too late, and what do the others wait for?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTrigger } from '../runtime/define-trigger.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { allSettingsNeed } from '../runtime/settings.ts';
import { changeGaugesNeed, type ChangeGauges } from '../runtime/workers.ts';
import { accountsOf } from './accounts.ts';
import type { Change } from './change.ts';
import type { Queue } from './change-item.ts';
import { changesNeed, type Changes } from './changes.ts';
import { dropSpentRecords } from './kept-records.ts';
import { killSwitchesNeed } from './kill-switches.ts';
import { EXECUTOR } from './heed-refusal.ts';
import { withdrawalsNeed } from './withdrawals.ts';

export const { handler, trigger } = defineTrigger({
  name: 'ExpireChanges',
  source: { kind: 'schedule', expression: 'rate(10 minutes)' },
  timeoutSeconds: 240,
  needs: {
    changes: changesNeed(['GetItem', 'Query']),
    withdrawals: withdrawalsNeed,
    switches: killSwitchesNeed('Query'),
    settings: allSettingsNeed,
    gauges: changeGaugesNeed,
    bucket: bucketNeed([
      { prefix: 'records/', access: 'list' },
      { prefix: 'records/', access: 'delete' },
    ]),
  },
  event: z.object({ scheduledTime: z.string() }),
  async run(_event, { changes, withdrawals, switches, settings, gauges, bucket, clock }) {
    const nowMs = clock.now();
    const deferred: Record<string, number> = {};
    let [due, oldestDueMs, oldestLeaseMs] = [0, 0, 0];
    for (const { tenant, accountId } of await accountsOf(settings)) {
      for (const queue of ['waiting', 'held', 'taken'] as const) {
        for await (const change of all(changes, tenant, accountId, queue)) {
          if (queue === 'taken') oldestLeaseMs = Math.max(oldestLeaseMs, nowMs - change.updatedAt);
          else if (change.expiresAt <= nowMs && change.intent === undefined)
            await withdrawals.expire(change, nowMs);
          else if (queue === 'waiting' && change.notBefore <= nowMs) {
            due += 1;
            oldestDueMs = Math.max(oldestDueMs, nowMs - change.notBefore);
          } else if (change.statusCode !== '') {
            deferred[change.statusCode] = (deferred[change.statusCode] ?? 0) + 1;
          }
        }
      }
    }
    let stoppedAccounts = 0;
    for (const tenant of await settings.tenants()) {
      stoppedAccounts += (await switches.on(tenant)).filter(({ actor }) => actor === EXECUTOR).length;
      await dropSpentRecords(tenant, { changes, bucket });
    }
    const seen: ChangeGauges = {
      at: new Date(nowMs).toISOString(),
      due,
      oldestDueSeconds: oldestDueMs / 1_000,
      oldestLeaseSeconds: oldestLeaseMs / 1_000,
      stoppedAccounts,
      deferred,
    };
    await gauges.record(seen);
    emitMetric('oldest_due_change_seconds', seen.oldestDueSeconds, {});
    // Also of accounts that the sweep cannot finish, where a lease is stuck.
    emitMetric('oldest_lease_seconds', seen.oldestLeaseSeconds, {});
    emitMetric('ad_accounts_stopped_count', stoppedAccounts, {});
    for (const [reason, count] of Object.entries(deferred))
      emitMetric('ad_changes_deferred_count', count, { reason });
    emitMetric('sweep_runs_total', 1, { sweep: 'expire-changes', status: 'succeeded' });
  },
});

async function* all(
  changes: Pick<Changes, 'ranked'>,
  tenant: string,
  accountId: string,
  queue: Queue,
): AsyncGenerator<Change> {
  let after: Record<string, unknown> | undefined;
  do {
    const page = await changes.ranked(tenant, accountId, queue, after === undefined ? {} : { after });
    yield* page.changes;
    after = page.next;
  } while (after !== undefined);
}
