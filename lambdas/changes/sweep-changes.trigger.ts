// Which changes does nobody work on who should, and which accounts have room again?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTrigger } from '../runtime/define-trigger.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { allSettingsNeed } from '../runtime/settings.ts';
import { stateMachineNeed } from '../runtime/state-machine.ts';
import { accountsOf, AT_ONCE } from './accounts.ts';
import { CHANGE_EXECUTION } from './change-execution.ts';
import { changesNeed } from './changes.ts';
import { dispatchNeed } from './dispatch.ts';
import { leasesNeed } from './leases.ts';
import { ledgersNeed } from './ledgers.ts';
import { sweepAccount } from './sweep-account.ts';

export const { handler, trigger } = defineTrigger({
  name: 'SweepChanges',
  source: { kind: 'schedule', expression: 'rate(1 minute)' },
  timeoutSeconds: 55,
  needs: {
    dispatch: dispatchNeed,
    leases: leasesNeed('finish'),
    changes: changesNeed(['Query', 'UpdateItem']),
    ledgers: ledgersNeed('GetItem', 'PutItem'),
    settings: allSettingsNeed,
    machine: stateMachineNeed(CHANGE_EXECUTION, 'describe'),
    bucket: bucketNeed([
      { prefix: 'records/', access: 'read' },
      { prefix: 'records/', access: 'delete' },
    ]),
  },
  event: z.object({ scheduledTime: z.string() }),
  async run(_event, { dispatch, settings, clock, log, ...opened }) {
    const accounts = await accountsOf(settings);
    let oldestLeaseMs = 0;
    let failed = 0;
    const sweepOne = async ({ tenant, accountId }: (typeof accounts)[number]): Promise<void> => {
      try {
        const swept = await sweepAccount(tenant, accountId, { ...opened, clock, log });
        oldestLeaseMs = Math.max(oldestLeaseMs, swept.oldestLeaseMs);
        const { changes: waiting } = await opened.changes.ranked(tenant, accountId, 'waiting', { limit: 1 });
        if (waiting.length > 0) await dispatch(tenant, accountId);
      } catch (error) {
        // One account's trouble keeps no other waiting; the next minute comes again.
        failed += 1;
        log.error('an account could not be swept', { tenant, accountId, reason: String(error) });
      }
    };
    for (let from = 0; from < accounts.length; from += AT_ONCE)
      await Promise.all(accounts.slice(from, from + AT_ONCE).map(sweepOne));
    emitMetric('oldest_lease_seconds', oldestLeaseMs / 1_000, {});
    emitMetric('sweep_runs_total', 1, { sweep: 'changes', status: failed === 0 ? 'succeeded' : 'failed' });
    // The alarm listens for its absence.
    if (failed === 0) emitMetric('change_sweep_succeeded_total', 1, {});
  },
});
