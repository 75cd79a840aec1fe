// Is the question stored before it is asked, and can its answer find it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/ask-for-review.task.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const REASONS = ['Only 1 of 5 variations reached the threshold; 3 are needed.'];
const DAY_SECONDS = 86_400;

function ask(job: Job, token = 'token-1') {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  return job.run(task, {
    token,
    request,
    plan,
    forecasts,
    verdicts: { list: [] },
    reasons: REASONS,
    timeoutSeconds: DAY_SECONDS,
  });
}
const reviewOf = (job: Job) => openCreatives(rig.table('creatives')).review(job.tenant, job.runId);

describe('AskForReview', () => {
  it('keeps the token, marks the run and tells who listens', async () => {
    const job = await rig.job();
    const until = rig.clock.now() + DAY_SECONDS * 1000;
    expect(await ask(job)).toEqual({ until });
    expect(await reviewOf(job)).toMatchObject({
      runId: job.runId,
      token: 'token-1',
      status: 'open',
      until,
      reasons: REASONS,
      plan: { id: creativeRun(job.tenant).plan.id },
    });
    expect(await job.row()).toMatchObject({
      status: 'needs-review',
      review: { reasons: REASONS, until: new Date(until).toISOString() },
    });
    expect(await rig.said()).toEqual([
      {
        name: 'creative-generation.needs-review',
        detail: {
          tenant: job.tenant,
          runId: job.runId,
          reasons: REASONS,
          until: new Date(until).toISOString(),
        },
      },
    ]);
  });

  it('has stored the token when the bus fails, and a retry stores the newer one', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
      times: 2,
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect((await reviewOf(job))?.token).toBe('token-1');
    await ask(job, 'token-2');
    expect(await reviewOf(job)).toMatchObject({ token: 'token-2', status: 'open' });
    expect(await rig.said()).toHaveLength(1);
  });

  it('asks nobody when the question cannot be stored', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'PutItem',
      resource: 'test-creatives',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await rig.said()).toEqual([]);
    expect((await job.row())?.status).toBe('running');
  });

  it('is refused when the run has ended meanwhile', async () => {
    const job = await rig.job();
    await rig.table('runs').update({
      Key: { pk: `${job.tenant}#run#${job.runId}`, sk: 'run' },
      UpdateExpression: 'REMOVE openPk',
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'Conflict' });
    expect(await rig.said()).toEqual([]);
  });

  it('is invisible to another tenant', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await ask(job);
    expect(await openCreatives(rig.table('creatives')).review(other.tenant, job.runId)).toBeUndefined();
  });
});
