// Are there forecasts when the Oracle failed, and does a person hear of it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/forecast-from-features.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

function forecast(job: Job) {
  const { request, plan, features } = creativeRun(job.tenant);
  const failure = { Error: 'Unavailable', Cause: 'The model endpoint was silent.' };
  return job.run(task, { request, plan, features, failure });
}
const ledger = (job: Job, variationId: string) =>
  rig.table('predictions').get({ pk: `${job.tenant}#prediction#${variationId}`, sk: job.runId });

describe('ForecastFromFeatures', () => {
  it('forecasts every variation, writes it down and asks for a person', async () => {
    const job = await rig.job({ env: { MODEL_PROVIDER: 'openai' } });
    const { plan, forecasts } = await forecast(job);
    expect(plan).toEqual({
      ...creativeRun(job.tenant).plan,
      needsReview: true,
      reasons: ['The Oracle failed (Unavailable), so forecasts come from features.'],
    });
    expect(forecasts.list.map(({ variationId }) => variationId)).toEqual(plan.variations.map(({ id }) => id));
    for (const one of forecasts.list) {
      expect(one.forecastBy).toBe('features');
      expect(await ledger(job, one.variationId)).toMatchObject({ forecast: one });
    }
    expect(rig.sandbox.openai.requests).toEqual([]);
    expect(await forecast(job)).toEqual({ plan, forecasts });
  });

  it('labels fallback scores when the registry cannot be read either', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'GetItem',
      resource: 'test-models',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const { forecasts } = await forecast(job);
    expect(forecasts.list.every(({ ctr }) => ctr.source === 'fallback')).toBe(true);
  });

  it('fails when the ledger cannot be written: nothing is published without a forecast', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      resource: 'test-predictions',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(forecast(job)).rejects.toMatchObject({ name: 'RateLimited' });
  });
});
