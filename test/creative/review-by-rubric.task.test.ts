// Do the rubrics judge alone when the Council failed, and does a person hear of it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/review-by-rubric.task.ts';
import { task as council } from '../../lambdas/creative/review-quality.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

function inputOf(job: Job) {
  const { request, video, plan, features, forecasts } = creativeRun(job.tenant);
  const failure = { Error: 'RateLimited', Cause: 'Rate limit reached for requests' };
  return { request, video, plan, features, forecasts, failure };
}
const REASON = 'The Council failed (RateLimited), so the rubrics judged.';

describe('ReviewByRubric', () => {
  it('judges as the rubrics do, without asking the model, and says that a person must look', async () => {
    const job = await rig.job({ env: { MODEL_PROVIDER: 'openai' } });
    const reviewed = await job.run(task, inputOf(job));
    const usual = await (await rig.job()).run(council, inputOf(job));
    expect(reviewed).toEqual({ ...usual, reviewReasons: [REASON] });
    expect(rig.sandbox.openai.requests).toEqual([]);
    expect(await job.run(task, inputOf(job))).toEqual(reviewed);
  });

  it('writes the forecasts down', async () => {
    const job = await rig.job();
    const { forecasts } = await job.run(task, inputOf(job));
    for (const one of forecasts.list) {
      const key = { pk: `${job.tenant}#prediction#${one.variationId}`, sk: job.runId };
      expect(await rig.table('predictions').get(key)).toMatchObject({ forecast: one });
    }
  });

  it('keeps to the tenant’s threshold', async () => {
    const job = await rig.job({ settings: { council: { threshold: 100 } } });
    const { approved, reviewReasons } = await job.run(task, inputOf(job));
    expect(approved).toEqual([]);
    expect(reviewReasons).toEqual([REASON, expect.stringMatching(/^Only 0 of 5 variations/) as string]);
  });

  it('fails when the ledger cannot be written', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      resource: 'test-predictions',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(job.run(task, inputOf(job))).rejects.toMatchObject({ name: 'RateLimited' });
  });
});
