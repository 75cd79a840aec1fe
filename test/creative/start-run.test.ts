// Is a run started once, by name, however often it is asked for?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  openRun,
  runIdOf,
  startNeeds,
  startRun,
  type StartContext,
} from '../../lambdas/creative/start-run.ts';
import { RunId } from '../../lambdas/runtime/run-id.ts';
import { settingsNeed } from '../../lambdas/runtime/settings.ts';
import { useEntryRig } from '../support/entry-rig.ts';
import { requestOf } from '../support/creative-run.ts';

const rig = useEntryRig();
const context = () => rig.open({ ...startNeeds, settings: settingsNeed }) as unknown as StartContext;
let asked = 0;
const question = (tenant: string) => {
  asked += 1;
  return { tenant, runId: runIdOf(asked), request: requestOf(tenant), startedBy: 'pat' };
};
const started = async (runId: string) => (await rig.executions()).filter((name) => name === runId).length;

describe('a run', () => {
  it('has an id that its parts decide', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
        expect(RunId.safeParse(runIdOf(...one)).success).toBe(true);
        expect(runIdOf(...one) === runIdOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('is started once, although asked for at the same time', async () => {
    const one = question(await rig.tenant());
    const runs = await Promise.all([1, 2, 3].map(() => startRun(one, context())));
    expect(new Set(runs.map(({ runId }) => runId))).toEqual(new Set([one.runId]));
    expect(await started(one.runId)).toBe(1);
  });

  it('has its row before its execution, so that a start that failed is seen and repeated', async () => {
    const one = question(await rig.tenant());
    const down = rig.plane.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(startRun(one, context())).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await rig.runs.get(one.tenant, one.runId)).toMatchObject({ status: 'running' });
    down.remove();
    await startRun(one, context());
    expect(await started(one.runId)).toBe(1);
  });

  it('that ended or was started anew is not started by a late repeat', async () => {
    const one = question(await rig.tenant());
    await openRun(one, 'running', context());
    const nowMs = rig.plane.clock.now();
    await rig.runs.close(one.tenant, one.runId, { status: 'failed', nowMs });
    await startRun(one, context());
    await rig.runs.reopen(one.tenant, one.runId, nowMs);
    await startRun(one, context());
    expect(await started(one.runId)).toBe(0);
  });

  it('to be published needs an ad account of the tenant, an analysis does not', async () => {
    const one = question(await rig.tenant({ adAccounts: [] }));
    await expect(startRun(one, context())).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'adAccountId',
    });
    expect(await rig.runs.get(one.tenant, one.runId)).toBeUndefined();
    await startRun({ ...one, request: { ...one.request, purpose: 'analyze' } }, context());
    expect(await started(one.runId)).toBe(1);
  });

  it('counts against the limit of open runs', async () => {
    const tenant = await rig.tenant({ limits: { openRuns: 1 } });
    const first = question(tenant);
    await startRun(first, context());
    const second = question(tenant);
    await expect(startRun(second, context())).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await started(second.runId)).toBe(0);
    // Asking for the first again is no second run.
    expect((await startRun(first, context())).runId).toBe(first.runId);
  });
});
