// Does a variation that could not be rendered wait on the dead-letter queue with all that is needed to make it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/report-render-failure.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const FAILURE = { Error: 'InvalidInput', Cause: 'ffmpeg ended with 1.' };

function report(job: Job, change: { variation?: string; failure?: typeof FAILURE } = {}) {
  const { request, plan } = creativeRun(job.tenant);
  return job.run(task, {
    request,
    plan,
    variation: change.variation ?? plan.variations[1]?.id ?? '',
    failure: change.failure ?? FAILURE,
  });
}

describe('ReportRenderFailure', () => {
  it('keeps the spec on the queue, tells who listens, and leaves the variation out', async () => {
    const job = await rig.job();
    const variation = creativeRun(job.tenant).plan.variations[1];
    expect(await report(job)).toEqual({ rendered: [], failed: [variation?.id] });
    expect(await rig.deadLetters()).toEqual([
      {
        kind: 'variation',
        stateMachine: 'creative-generation',
        run: { id: job.runId, tenant: job.tenant },
        variation,
        error: 'InvalidInput',
        cause: 'ffmpeg ended with 1.',
      },
    ]);
    expect(await rig.said()).toEqual([
      {
        name: 'variation.render-failed',
        detail: {
          tenant: job.tenant,
          runId: job.runId,
          variationId: variation?.id,
          error: 'InvalidInput',
          cause: 'ffmpeg ended with 1.',
        },
      },
    ]);
  });

  it('shortens a cause that goes on and on', async () => {
    const job = await rig.job();
    await report(job, { failure: { Error: 'Unavailable', Cause: 'x'.repeat(50_000) } });
    expect(String((await rig.deadLetters())[0]?.['cause'])).toHaveLength(2_000);
    expect(String((await rig.said())[0]?.detail['cause'])).toHaveLength(2_000);
  });

  it('reports even a variation that the plan does not know', async () => {
    const job = await rig.job();
    expect(await report(job, { variation: 'v-ffffffffffff' })).toEqual({
      rendered: [],
      failed: ['v-ffffffffffff'],
    });
    expect((await rig.deadLetters())[0]?.['variation']).toEqual({ id: 'v-ffffffffffff' });
    await rig.said();
  });

  it('has the letter on the queue when the bus fails, and fails when the queue does', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
      times: 2,
    });
    await expect(report(job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await rig.deadLetters()).toHaveLength(1);
    rig.cloud.faults.add({
      service: 'sqs',
      operation: 'SendMessage',
      when: 'before',
      effect: { kind: 'throttle' },
      times: 2,
    });
    await expect(report(job)).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await rig.said()).toEqual([]);
  });
});
