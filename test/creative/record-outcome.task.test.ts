// Is the run closed with all it made, told to who listens, and its upload gone?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/record-outcome.task.ts';
import { fallbackCtr } from '../../lambdas/creative/ctr-fallback.ts';
import { sceneCtrFeatures } from '../../lambdas/creative/ctr-features.ts';
import { creativeRun, publishedOf, renderedOf, requestOf, SHA256 } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const uploadKey = (job: Job) => `uploads/${job.tenant}/video`;
const reportKey = (job: Job) => `${job.tenant}/analysis/${SHA256}/report-${job.runId}.json`;

function inputOf(job: Job) {
  const { request, video, features, ranked, plan, forecasts } = creativeRun(job.tenant);
  return {
    request,
    video,
    features,
    ranked,
    plan,
    forecasts,
    predictions: { list: [] },
    verdicts: { list: [] },
    rendered: renderedOf(job.tenant, plan).map(({ bytes: _bytes, ...rendered }) => rendered),
    published: publishedOf(plan),
    goLive: { status: 'HELD' as const, changeIds: ['chg-1'] },
  };
}
const record = (job: Job, change = {}) => job.run(task, { ...inputOf(job), ...change });
const succeeded = () =>
  rig
    .metrics()
    .filter(({ name, dimensions }) => name === 'workflow_executions_total' && dimensions['workflow']);

describe('RecordOutcome', () => {
  it('closes the run with a summary and keeps everything in a report', async () => {
    const job = await rig.job();
    await rig.media.put(uploadKey(job), 'the upload');
    const output = await record(job);
    const { published, goLive } = inputOf(job);
    expect(output).toEqual({
      outcome: 'published',
      reportKey: reportKey(job),
      scenes: 6,
      variations: 3,
      published,
      goLive,
      usedFallbackScores: false,
    });
    expect(await job.row()).toMatchObject({ status: 'succeeded', percent: 100, output });
    expect(await rig.media.getJson(reportKey(job))).toEqual(JSON.parse(JSON.stringify(inputOf(job))));
    expect(await rig.media.head(uploadKey(job))).toBeUndefined();
    expect(await rig.said()).toEqual([
      {
        name: 'creative-generation.succeeded',
        detail: { tenant: job.tenant, runId: job.runId, summary: output },
      },
    ]);
    expect(succeeded()).toMatchObject([
      { value: 1, dimensions: { workflow: 'creative-generation', status: 'succeeded' } },
    ]);
  });

  it('calls an analysis one, and what a fallback said', async () => {
    const job = await rig.job();
    const guesses = inputOf(job).features.list.map((scene) => fallbackCtr(scene.id, sceneCtrFeatures(scene)));
    const output = await record(job, {
      published: null,
      goLive: null,
      rendered: [],
      predictions: { list: guesses },
    });
    expect(output).toMatchObject({
      outcome: 'analyzed',
      published: null,
      goLive: null,
      usedFallbackScores: true,
    });
  });

  it('run again closes and counts nothing a second time', async () => {
    const job = await rig.job();
    const first = await record(job);
    const row = await job.row();
    rig.clock.advance(60_000);
    expect(await record(job)).toEqual(first);
    expect(await job.row()).toEqual(row);
    expect(succeeded()).toHaveLength(1);
  });

  it('leaves the run open when the bus fails, so that the launch can still be undone', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
      times: 2,
    });
    await expect(record(job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect((await job.row())?.status).toBe('running');
    expect(succeeded()).toEqual([]);
    await record(job);
    expect((await job.row())?.status).toBe('succeeded');
  });

  it('does not close a run that was started again', async () => {
    const job = await rig.job();
    await rig.table('runs').update({
      Key: { pk: `${job.tenant}#run#${job.runId}`, sk: 'run' },
      UpdateExpression: 'SET attempt = :two',
      ExpressionAttributeValues: { ':two': 2 },
    });
    await record(job);
    expect((await job.row())?.status).toBe('running');
    expect(succeeded()).toEqual([]);
  });

  it('deletes the files beside the upload, but not while a redrive could read them', async () => {
    const job = await rig.job();
    const sidecars = {
      captionsKey: `uploads/${job.tenant}/sidecar-${job.runId}.vtt`,
      labelsKey: `uploads/${job.tenant}/sidecar-${job.runId}.json`,
    };
    const keys = [uploadKey(job), ...Object.values(sidecars)];
    const left = async () => (await rig.media.list(`uploads/${job.tenant}/`)).length;
    for (const key of keys) await rig.media.put(key, 'an upload');
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
      times: 2,
    });
    const request = requestOf(job.tenant, { sidecars });
    await expect(record(job, { request })).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await left()).toBe(3);
    await record(job, { request });
    expect(await left()).toBe(0);
  });

  it('deletes only the tenant’s own upload, and none where there was none', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await rig.media.put(uploadKey(other), 'not yours');
    await expect(record(job, { request: requestOf(other.tenant) })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The upload belongs to another tenant.',
    });
    expect(await rig.media.head(uploadKey(other))).toBeDefined();
    await rig.media.put(uploadKey(job), 'of another run');
    await record(job, {
      request: requestOf(job.tenant, { source: { kind: 'drive', fileId: 'drive-file' } }),
    });
    expect(await rig.media.head(uploadKey(job))).toBeDefined();
  });
});
