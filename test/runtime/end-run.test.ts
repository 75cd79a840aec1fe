// Does a run that ended by itself close its row once, and give way to an end that came first?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endRun } from '../../lambdas/runtime/end-run.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { Runs } from '../../lambdas/runtime/runs.ts';
import { listSteps, openSteps } from '../../lambdas/runtime/steps.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let plane: DataPlane;
let output: OutputLines;
let runs: Runs;
let table: Table;
beforeAll(async () => {
  output = captureOutput();
  plane = await startDataPlane();
  runs = plane.open(runsNeed('write', 'end'));
  table = plane.open(tableNeed('runs', 'write'));
});
afterAll(async () => {
  output.stop();
  await plane.cloud.close();
});

async function openRun() {
  output.clear();
  const run = { tenant: 'acme', id: newRunId(plane.clock.now()), attempt: 1 };
  await runs.open({
    tenant: run.tenant,
    runId: run.id,
    stateMachine: 'creative-generation',
    request: {},
    nowMs: plane.clock.now(),
  });
  return run;
}
const succeed = (run: { tenant: string; id: string; attempt: number }) =>
  endRun(runs, { workflow: 'creative-generation', state: 'RecordOutcome' }, run, {
    status: 'succeeded',
    nowMs: plane.clock.now(),
  });
const counted = () => output.metrics().filter(({ name }) => name === 'workflow_executions_total');

describe('the end of a run', () => {
  it('is written and counted once', async () => {
    const run = await openRun();
    await succeed(run);
    const once = counted().length;
    await succeed(run);
    expect(await runs.get(run.tenant, run.id)).toMatchObject({ status: 'succeeded' });
    expect([once > 0, counted().length]).toEqual([true, once]);
  });

  it('is a conflict when the run was stopped meanwhile, so that its launch does not stay', async () => {
    const run = await openRun();
    await runs.close(run.tenant, run.id, { status: 'stopped', nowMs: plane.clock.now() });
    await expect(succeed(run)).rejects.toMatchObject({ name: 'Conflict' });
    expect(await runs.get(run.tenant, run.id)).toMatchObject({ status: 'stopped' });
    expect(counted()).toEqual([]);
  });

  it('leaves a later attempt alone', async () => {
    const run = await openRun();
    await runs.close(run.tenant, run.id, { status: 'failed', nowMs: plane.clock.now() });
    await runs.reopen(run.tenant, run.id, plane.clock.now());
    await succeed(run);
    expect(await runs.get(run.tenant, run.id)).toMatchObject({ status: 'running', attempt: 2 });
    expect(counted()).toEqual([]);
  });

  it('closes what was killed on the way, but not the step that tells of the end', async () => {
    const run = await openRun();
    const begin = (state: string, attempt = run.attempt) =>
      openSteps(table).started(
        { tenant: run.tenant, runId: run.id, attempt, state, subject: '', workflow: 'creative-generation' },
        plane.clock.now(),
      );
    await begin('AskForReview');
    await begin('RecordOutcome');
    // Begun anew by an attempt that replaced this one.
    await begin('IngestVideo', 2);
    plane.clock.advance(5_000);
    await succeed(run);
    await succeed(run);
    const endedAt = new Date(plane.clock.now()).toISOString();
    const steps = await listSteps(table, run.tenant, run.id);
    expect(steps.find(({ state }) => state === 'AskForReview')).toMatchObject({
      status: 'failed',
      endedAt,
      error: { name: 'NoAnswer', message: expect.stringContaining('before this step said') as string },
    });
    for (const name of ['RecordOutcome', 'IngestVideo'])
      expect(steps.find(({ state }) => state === name)).toMatchObject({ status: 'running' });
  });
});
