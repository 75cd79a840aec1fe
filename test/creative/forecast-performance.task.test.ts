// Is every forecast in the ledger before anyone sees it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/forecast-performance.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const FORESEES = { env: { MODEL_PROVIDER: 'openai' } };

function forecast(job: Job) {
  const { request, plan, features } = creativeRun(job.tenant);
  return job.run(task, { request, plan, features });
}
const ledger = (job: Job, variationId: string) =>
  rig.table('predictions').get({ pk: `${job.tenant}#prediction#${variationId}`, sk: job.runId });

describe('ForecastPerformance', () => {
  it('forecasts every variation from what the account usually does, and writes it down', async () => {
    const usual = await rig.job({ settings: { forecastBaseline: { roas: 2, ctrPercent: 1 } } });
    const { plan, forecasts } = await forecast(usual);
    expect(plan).toEqual(creativeRun(usual.tenant).plan);
    expect(forecasts.list.map(({ variationId }) => variationId)).toEqual(plan.variations.map(({ id }) => id));
    for (const one of forecasts.list) {
      expect(one).toMatchObject({ forecastBy: 'features', ctr: { source: 'model', modelVersion: '0' } });
      expect(one.roas.low).toBeLessThan(one.roas.expected);
      expect(one.roas.high).toBeGreaterThan(one.roas.expected);
      expect(await ledger(usual, one.variationId)).toMatchObject({
        forecast: one,
        source: 'model',
        modelVersion: '0',
        predictedAt: rig.clock.now(),
      });
    }
    const twice = await rig.job({ settings: { forecastBaseline: { roas: 4, ctrPercent: 1 } } });
    const [first] = forecasts.list;
    expect((await forecast(twice)).forecasts.list[0]?.roas.expected).toBeCloseTo(
      2 * (first?.roas.expected ?? 0),
      1,
    );
  });

  it('written again keeps the time of the first prediction and the ad that came of it', async () => {
    const job = await rig.job();
    const first = await forecast(job);
    const id = first.plan.variations[0]?.id ?? '';
    const predictedAt = rig.clock.now();
    await rig.table('predictions').update({
      Key: { pk: `${job.tenant}#prediction#${id}`, sk: job.runId },
      UpdateExpression: 'SET adId = :ad',
      ExpressionAttributeValues: { ':ad': '801' },
    });
    rig.clock.advance(60_000);
    expect(await forecast(job)).toEqual(first);
    expect(await ledger(job, id)).toMatchObject({ adId: '801', predictedAt });
  });

  it('is not made again when the run is started again', () => {
    expect(task.memoised).toBe(true);
  });

  it('labels what a fallback said', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'GetItem',
      resource: 'test-models',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const { forecasts } = await forecast(job);
    expect(new Set(forecasts.list.map(({ ctr }) => ctr.source))).toEqual(new Set(['fallback']));
    expect((await ledger(job, forecasts.list[0]?.variationId ?? ''))?.['source']).toBe('fallback');
  });

  it('fails, and says so, when the ledger cannot be written', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      resource: 'test-predictions',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(forecast(job)).rejects.toMatchObject({ name: 'Unavailable' });
  });

  it('needs features of every scene that the plan cites', async () => {
    const job = await rig.job();
    const { request, plan, features } = creativeRun(job.tenant);
    const some = { list: features.list.slice(0, 1) };
    await expect(job.run(task, { request, plan, features: some })).rejects.toThrow(
      /cites scene s0\d, which the video does not have/,
    );
  });
});

describe('ForecastPerformance, with a model', () => {
  it('takes its view of the aspects and leaves money to the click-through model', async () => {
    const job = await rig.job(FORESEES);
    const { plan } = creativeRun(job.tenant);
    const view = { hook: 8, callToAction: 6, engagement: 4, conversion: 2, reason: 'Opens strongly.' };
    rig.sandbox.openai.script(() => ({
      forecasts: [
        { variationId: plan.variations[0]?.id, ...view },
        { variationId: 'v-ffffffffffff', ...view },
      ],
    }));
    const { forecasts } = await forecast(job);
    const [first, second] = forecasts.list;
    expect(forecasts.list).toHaveLength(plan.variations.length);
    expect(first).toMatchObject({
      hook: 8,
      callToAction: 6,
      engagement: 4,
      conversion: 2,
      score: 54,
      forecastBy: 'model',
    });
    expect(first?.reasons.at(-1)).toBe('Opens strongly.');
    expect(first?.ctr.source).toBe('model');
    expect(second?.forecastBy).toBe('features');
    expect((await ledger(job, first?.variationId ?? ''))?.['forecast']).toEqual(first);
  });

  it.each([
    ['nonsense', 'Refused'],
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
  ] as const)('%s → %s, and nothing is in the ledger', async (failure, name) => {
    const job = await rig.job(FORESEES);
    rig.sandbox.openai.fail({ with: failure, times: 2 });
    await expect(forecast(job)).rejects.toMatchObject({ name });
    expect(await ledger(job, creativeRun(job.tenant).plan.variations[0]?.id ?? '')).toBeUndefined();
  });
});
