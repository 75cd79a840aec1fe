// What became of the change, who is told, and what is left in the limits?
import * as z from 'zod';
import { busNeed } from '../runtime/bus.ts';
import { defineTask } from '../runtime/define-task.ts';
import { endRun } from '../runtime/end-run.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { changesNeed } from './changes.ts';
import { CHANGE_EXECUTION } from './change-execution.ts';
import { leasesNeed } from './leases.ts';
import { ledgersNeed } from './ledgers.ts';
import { writeRecord } from './record.ts';
import { ChangeState, ExecutionMode, Outcome, Reserved, Seen } from './types.ts';
import { Value, Verdict } from './verdict.ts';

export const { handler, task } = defineTask({
  name: 'RecordChange',
  input: z.object({
    change: ChangeState,
    verdict: Verdict,
    mode: ExecutionMode,
    seen: Seen.nullable(),
    reserved: Reserved.nullable(),
    after: Value.nullable(),
  }),
  output: z.object({ outcome: Outcome, changeId: z.string(), reason: z.string() }),
  needs: {
    leases: leasesNeed('finish'),
    changes: changesNeed(['UpdateItem']),
    ledgers: ledgersNeed('GetItem', 'PutItem'),
    runs: runsNeed('end'),
    bus: busNeed,
  },
  runPercent: [90, 100],
  async run(input, { leases, changes, ledgers, runs, bus, run, clock }) {
    const { change } = input;
    const nowMs = clock.now();
    const conclusion = await writeRecord({ ...input, at: nowMs }, { leases, ledgers, changes }, nowMs);
    const { outcome, reason, code } = conclusion;
    emitMetric('ad_changes_total', 1, { kind: change.kind, outcome });
    if (outcome === 'failed') emitMetric('ad_changes_failed_total', 1, {});
    await bus.publish([
      {
        name: 'change-execution.succeeded',
        detail: {
          tenant: run.tenant,
          runId: run.id,
          summary: { changeId: change.id, outcome, code, reason },
        },
      },
      ...(outcome === 'held'
        ? [
            {
              name: 'change-execution.needs-review' as const,
              detail: {
                tenant: run.tenant,
                runId: run.id,
                reasons: [reason],
                until: new Date(change.expiresAt).toISOString(),
              },
            },
          ]
        : []),
    ]);
    const output = { outcome, changeId: change.id, reason };
    await endRun(runs, { workflow: CHANGE_EXECUTION, state: 'RecordChange' }, run, {
      status: 'succeeded',
      output,
      nowMs,
    });
    return output;
  },
});
