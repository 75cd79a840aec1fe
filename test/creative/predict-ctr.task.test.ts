// Which model speaks for a tenant, and is it said when none does?
import { describe, expect, it, vi } from 'vitest';
import { task } from '../../lambdas/creative/predict-ctr.task.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { silentLog } from '../../lambdas/runtime/log.ts';
import { scenesOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const predict = async (job: Job) =>
  (await job.run(task, { features: { list: scenesOf(job.tenant) } })).predictions.list;

async function promote(job: Job, version: string, artefact: unknown): Promise<void> {
  const key = `models/ctr/${version}.json`;
  await rig.media.putJson(key, artefact);
  await rig.table('models').put({ Item: { pk: `${job.tenant}#model#ctr`, sk: 'champion', version, key } });
}
function breakRegistry(): void {
  rig.cloud.faults.add({
    service: 'dynamodb',
    operation: 'GetItem',
    resource: 'test-models',
    when: 'before',
    effect: { kind: 'throttle' },
  });
}

describe('PredictCtr', () => {
  it('begins with the documented prior: one prediction per scene, best first, interval around it', async () => {
    const list = await predict(await rig.job());
    expect(list.map(({ subject }) => subject).toSorted()).toEqual(scenesOf('t').map(({ id }) => id));
    const probabilities = list.map(({ probability }) => probability);
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    for (const one of list) {
      expect(one).toMatchObject({ source: 'model', modelVersion: PRIOR_MODEL.version });
      expect(one.low).toBeLessThan(one.probability);
      expect(one.high).toBeGreaterThan(one.probability);
    }
  });

  it('uses the tenant’s champion, and no other tenant does', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    const certain = { version: '7', intercept: { weight: 0, deviation: 0.1 }, features: [] };
    await promote(job, '7', certain);
    expect((await predict(job))[0]).toMatchObject({ modelVersion: '7', probability: 0.5 });
    expect((await predict(other))[0]?.modelVersion).toBe(PRIOR_MODEL.version);
  });

  it('answers with labelled fallback scores while the registry cannot be read', async () => {
    const job = await rig.job();
    breakRegistry();
    const list = await predict(job);
    expect(list).toHaveLength(6);
    for (const one of list) {
      expect(one).toMatchObject({ source: 'fallback', modelVersion: 'fallback' });
      expect([0.08, 0.05, 0.03, 0.01]).toContain(one.probability);
    }
    rig.cloud.faults.clear();
    expect((await predict(job))[0]?.source).toBe('model');
  });

  it('says so in the log', async () => {
    const job = await rig.job();
    breakRegistry();
    const warnings: unknown[] = [];
    const log = { info() {}, error() {}, debug() {}, warn: (...line: unknown[]) => void warnings.push(line) };
    await job.run(task, { features: { list: scenesOf(job.tenant) } }, { log });
    expect(warnings).toEqual([
      ['fallback scores', { reason: expect.stringMatching(/GetItem on table test-models/) as string }],
    ]);
  });

  it('falls back on an artefact that is gone or no model', async () => {
    const job = await rig.job();
    await promote(job, '8', { version: '8', coefficients: 'many' });
    expect((await predict(job))[0]?.source).toBe('fallback');
    await rig.media.put('models/ctr/8.json', '{"version": "8", ');
    expect((await predict(job))[0]?.source).toBe('fallback');
    await rig.media.delete('models/ctr/8.json');
    expect((await predict(job))[0]?.source).toBe('fallback');
  });

  it('waits five seconds for the registry, no longer', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'GetItem',
      resource: 'test-models',
      when: 'before',
      effect: { kind: 'timeout' },
    });
    const limits: number[] = [];
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      limits.push(ms);
      const limit = new AbortController();
      setImmediate(() => limit.abort());
      return limit.signal;
    });
    const reasons: unknown[] = [];
    const log = {
      ...silentLog,
      warn: (_: string, fields?: { reason?: unknown }) => void reasons.push(fields?.reason),
    };
    try {
      const { predictions } = await job.run(task, { features: { list: scenesOf(job.tenant) } }, { log });
      expect(new Set(predictions.list.map(({ source }) => source))).toEqual(new Set(['fallback']));
      expect(reasons).toEqual(['The model registry did not answer within 5000 ms.']);
      expect(limits).toEqual([5_000]);
    } finally {
      timeout.mockRestore();
    }
  });

  it('predicts the same again', async () => {
    const job = await rig.job();
    expect(await predict(job)).toEqual(await predict(job));
  });
});
