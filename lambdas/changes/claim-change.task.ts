// Is the change ours to execute, and how long do we let it wait?
import * as z from 'zod';
import { announceStartNeed } from '../runtime/announce-start.ts';
import { defineTask } from '../runtime/define-task.ts';
import { endRun } from '../runtime/end-run.ts';
import { executionName } from '../runtime/run-id.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { changesNeed } from './changes.ts';
import { CHANGE_EXECUTION } from './change-execution.ts';
import { jitterSeconds } from './jitter.ts';
import { leasesNeed } from './leases.ts';
import { ChangeState, ExecutionRequest } from './types.ts';

export const { handler, task } = defineTask({
  name: 'ClaimChange',
  input: z.object({ request: ExecutionRequest }),
  output: z.object({
    claimed: z.boolean(),
    change: ChangeState.nullable(),
    /** Until the object is read: spreads the load. */
    waitSeconds: z.number().int().min(0),
    reason: z.string(),
  }),
  needs: {
    leases: leasesNeed('dispatch', 'claim'),
    changes: changesNeed(['GetItem', 'PutItem']),
    settings: settingsNeed,
    runs: runsNeed('end'),
    announceStart: announceStartNeed,
  },
  runPercent: [0, 20],
  everyAttempt: ({ announceStart, run }) => announceStart(CHANGE_EXECUTION, run),
  async run({ request }, { leases, changes, settings, runs, run, clock, log }) {
    const nowMs = clock.now();
    const { jitterSeconds: bounds } = (await settings.get(run.tenant)).changes;

    let id: string;
    let lease: number;
    if ('changeId' in request) {
      ({ changeId: id, lease } = request);
    } else {
      await settings.adAccount(run.tenant, request.change.accountId);
      const { change } = await changes.queue({
        tenant: run.tenant,
        request: request.change,
        status: 'PENDING',
        nowMs,
      });
      id = change.id;
      lease = (await leases.dispatch(change, nowMs)) ?? change.lease;
    }
    const claim = await leases.claim(
      run.tenant,
      id,
      { lease, holder: executionName(run.id, run.attempt) },
      nowMs,
    );
    if (!claim.claimed) {
      log.info('not claimed', { changeId: id, reason: claim.reason });
      const output = { outcome: 'not-claimed', changeId: id, reason: claim.reason };
      await endRun(runs, { workflow: CHANGE_EXECUTION, state: 'ClaimChange' }, run, {
        status: 'succeeded',
        output,
        nowMs,
      });
      return { claimed: false, change: null, waitSeconds: 0, reason: claim.reason };
    }
    return { claimed: true, change: claim.change, waitSeconds: jitterSeconds(id, bounds), reason: '' };
  },
});
