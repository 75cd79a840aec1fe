// Does the history tell every run's story, once, to its tenant only?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { Runs } from '../../lambdas/runtime/runs.ts';
import { listSteps, openSteps, type StepRef } from '../../lambdas/runtime/steps.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
let runs: Runs;
let table: Table;

beforeAll(async () => {
  plane = await startDataPlane();
  runs = plane.open(runsNeed('read', 'write', 'close'));
  table = plane.open(tableNeed('runs', 'write'));
});
afterAll(() => plane.cloud.close());

let tenants = 0;
const freshTenant = () => `tenant-${(tenants += 1)}`;
const now = () => plane.clock.now();

async function openOne(tenant: string, more: { stateMachine?: string; request?: unknown } = {}) {
  const runId = newRunId(now());
  const opened = await runs.open({
    tenant,
    runId,
    stateMachine: 'creative-generation',
    request: { a: 1 },
    nowMs: now(),
    ...more,
  });
  return { runId, ...opened };
}

describe('opening and ending a run', () => {
  it('opens once; a second open changes nothing', async () => {
    const tenant = freshTenant();
    const { runId, opened, run } = await openOne(tenant);
    expect(opened).toBe(true);
    expect(run).toMatchObject({
      status: 'running',
      attempt: 1,
      percent: 0,
      startedAt: new Date(now()).toISOString(),
    });
    const again = await runs.open({
      tenant,
      runId,
      stateMachine: 'other',
      request: { b: 2 },
      nowMs: now() + 5,
    });
    expect(again).toEqual({ opened: false, run });
    expect(await runs.request(tenant, runId)).toEqual({ a: 1 });
  });

  it('keeps a request of any size', async () => {
    const tenant = freshTenant();
    const request = { labels: 'x'.repeat(600_000), source: { kind: 'url' } };
    const { runId } = await openOne(tenant, { request });
    expect(await runs.request(tenant, runId)).toEqual(request);
  });

  it('is closed by the first end only, and then opened again as the next attempt', async () => {
    const tenant = freshTenant();
    const { runId } = await openOne(tenant);
    await expect(runs.reopen(tenant, runId, now())).rejects.toMatchObject({ name: 'Conflict' });
    const error = { name: 'Refused', cause: 'no', state: 'PublishCampaign' };
    expect(await runs.close(tenant, runId, { status: 'failed', error, nowMs: now() })).toBe(true);
    expect(await runs.close(tenant, runId, { status: 'succeeded', nowMs: now() })).toBe(false);
    expect(await runs.get(tenant, runId)).toMatchObject({
      status: 'failed',
      error,
      endedAt: new Date(now()).toISOString(),
    });

    expect(await runs.reopen(tenant, runId, now())).toBe(2);
    const reopened = await runs.get(tenant, runId);
    expect(reopened).toMatchObject({ status: 'running', attempt: 2, percent: 0 });
    expect(reopened).not.toHaveProperty('error');
    // The late end of the first attempt must not close the second.
    expect(await runs.close(tenant, runId, { status: 'failed', nowMs: now() }, 1)).toBe(false);
    expect(
      await runs.close(tenant, runId, { status: 'succeeded', output: { ads: 5 }, nowMs: now() }, 2),
    ).toBe(true);
    expect(await runs.get(tenant, runId)).toMatchObject({
      status: 'succeeded',
      percent: 100,
      output: { ads: 5 },
    });
  });

  it('moves between open statuses only while open', async () => {
    const tenant = freshTenant();
    const { runId } = await openOne(tenant);
    await runs.setStatus(tenant, runId, 'needs-review', now());
    expect(await runs.get(tenant, runId)).toMatchObject({ status: 'needs-review' });
    await runs.close(tenant, runId, { status: 'rejected', nowMs: now() });
    await expect(runs.setStatus(tenant, runId, 'running', now())).rejects.toMatchObject({ name: 'Conflict' });
    await expect(runs.reopen(tenant, newRunId(now()), now())).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});

describe('listing', () => {
  it('pages newest first through a filter, without loss or repeat, for its tenant only', async () => {
    const tenant = freshTenant();
    const wanted: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      plane.clock.advance(1_000);
      const { runId } = await openOne(tenant, {
        stateMachine: i % 2 === 0 ? 'creative-generation' : 'rule-evaluation',
      });
      if (i % 2 === 0) wanted.unshift(runId);
      await openOne(freshTenant());
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await runs.list(tenant, {
        stateMachine: 'creative-generation',
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.runs.length).toBeLessThanOrEqual(2);
      seen.push(...page.runs.map((run) => run.runId));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(wanted);
  });

  it('filters by status and time, the upper end excluded', async () => {
    const tenant = freshTenant();
    const first = await openOne(tenant);
    plane.clock.advance(10_000);
    const second = await openOne(tenant);
    await runs.close(tenant, second.runId, { status: 'stopped', nowMs: now() });
    const ids = async (filter: object) =>
      (await runs.list(tenant, { limit: 10, ...filter })).runs.map((run) => run.runId);
    expect(await ids({ status: 'stopped' })).toEqual([second.runId]);
    expect(await ids({ to: second.run.startedAt })).toEqual([first.runId]);
    expect(await ids({ from: second.run.startedAt })).toEqual([second.runId]);
  });

  it("refuses another tenant's cursor and nonsense", async () => {
    const tenant = freshTenant();
    await openOne(tenant);
    await openOne(tenant);
    const { cursor } = await runs.list(tenant, { limit: 1 });
    expect(cursor).toBeDefined();
    for (const [who, what] of [
      [freshTenant(), cursor ?? ''],
      [tenant, 'nonsense'],
      [tenant, ''],
    ] as const) {
      await expect(runs.list(who, { limit: 1, cursor: what })).rejects.toMatchObject({
        name: 'InvalidInput',
        path: 'cursor',
      });
    }
  });

  it('finds open runs of all tenants that are older than a time', async () => {
    plane.clock.advance(3_600_000);
    const { runId } = await openOne(freshTenant());
    const closed = await openOne('closed');
    await runs.close('closed', closed.runId, { status: 'failed', nowMs: now() });
    const old = (await runs.openBefore(new Date(now() + 1).toISOString())).map((run) => run.runId);
    expect(old).toContain(runId);
    expect(old).not.toContain(closed.runId);
    expect((await runs.openBefore(new Date(now()).toISOString())).map((run) => run.runId)).not.toContain(
      runId,
    );
  });
});

describe('steps', () => {
  it('record tries, durations and errors, and move the run along', async () => {
    const tenant = freshTenant();
    const { runId } = await openOne(tenant);
    const steps = openSteps(table);
    const ref: StepRef = {
      tenant,
      runId,
      attempt: 1,
      state: 'DetectScenes',
      subject: '',
      workflow: 'creative-generation',
    };
    await steps.started(ref, now(), 10);
    expect(await runs.get(tenant, runId)).toMatchObject({
      phase: 'DetectScenes',
      phasePercent: 0,
      percent: 10,
    });
    await steps.ended(
      ref,
      { status: 'failed', durationMs: 12.4, error: { name: 'Unavailable', message: 'later' } },
      now(),
    );
    await steps.started(ref, now() + 50, 10);
    await steps.progress(ref, 50, 'half way', now() + 60, 15);
    expect(await runs.get(tenant, runId)).toMatchObject({
      phasePercent: 50,
      message: 'half way',
      percent: 15,
    });
    await steps.ended(ref, { status: 'succeeded', durationMs: 99.6 }, now() + 150, 20);
    await steps.started({ ...ref, state: 'RenderVariations', subject: 'v-1' }, now() + 200, 5);
    expect(await runs.get(tenant, runId)).toMatchObject({ percent: 20 });
    const [detect, render] = await listSteps(table, tenant, runId);
    expect(detect).toMatchObject({ state: 'DetectScenes', status: 'succeeded', tries: 2, durationMs: 100 });
    expect(detect).not.toHaveProperty('error');
    expect(render).toMatchObject({ state: 'RenderVariations', subject: 'v-1', status: 'running', tries: 1 });
  });

  it('say how far they are once a second per run, however many run side by side', async () => {
    const tenant = freshTenant();
    const runId = newRunId(now());
    const steps = openSteps(table);
    const first: StepRef = { tenant, runId, attempt: 1, state: 'R', subject: 'a', workflow: 'w' };
    const second = { ...first, subject: 'b' };
    const at = now();
    await steps.started(first, at, 10);
    await steps.started(second, at, 10);
    await steps.progress(first, 20, 'a', at, 12);
    await steps.progress(second, 90, 'b', at + 999, 19);
    expect(await runs.get(tenant, runId)).toMatchObject({ phasePercent: 20, message: 'a', percent: 12 });
    await steps.progress(second, 40, 'b', at + 1_000, 14);
    expect(await runs.get(tenant, runId)).toMatchObject({ phasePercent: 40, message: 'b', percent: 14 });
    expect(await runs.get(tenant, runId)).not.toHaveProperty('progressAt');
    await runs.close(tenant, runId, { status: 'stopped', nowMs: at + 5_000 });
    await steps.progress(first, 100, 'late', at + 9_000, 30);
    expect(await runs.get(tenant, runId)).toMatchObject({ message: 'b', percent: 14 });
  });

  it('make the row of a run that was started past the API, and never open an ended one', async () => {
    const tenant = freshTenant();
    const runId = newRunId(now());
    const steps = openSteps(table);
    const ref: StepRef = { tenant, runId, attempt: 1, state: 'A', subject: '', workflow: 'rule-evaluation' };
    await Promise.all([steps.started(ref, now()), steps.started({ ...ref, state: 'B' }, now())]);
    expect(await runs.get(tenant, runId)).toMatchObject({
      status: 'running',
      stateMachine: 'rule-evaluation',
    });
    await runs.close(tenant, runId, { status: 'stopped', nowMs: now() });
    await steps.started({ ...ref, state: 'C' }, now(), 50);
    expect(await runs.get(tenant, runId)).toMatchObject({ status: 'stopped', percent: 0 });
  });
});
