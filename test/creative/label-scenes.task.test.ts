// Are objects and texts those of the frames, missing where nobody looked, and empty only where nothing is?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/label-scenes.task.ts';
import { requestOf, scenesOf, SHA256 } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const SEES = { env: { VISION_PROVIDER: 'rekognition' } };

function label(job: Job, sidecars: { labelsKey?: string } = {}) {
  const list = scenesOf(job.tenant).slice(0, 3);
  return job.run(task, { request: requestOf(job.tenant, { sidecars }), measured: { list } });
}
const beside = (job: Job, content: unknown) =>
  rig.media.putJson(`uploads/${job.tenant}/video.labels.json`, content);
const labelsKey = (job: Job) => `uploads/${job.tenant}/video.labels.json`;

function showCorpus(): void {
  rig.sandbox.truth.addVideo(SHA256, {
    scenes: [
      { startMs: 0, endMs: 4000, objects: [{ name: 'Lamp', count: 2 }], texts: ['Calm evenings'] },
      { startMs: 4000, endMs: 8000, objects: [{ name: 'Person', count: 1 }], texts: [] },
    ],
  });
}

describe('LabelScenes, with labels beside the video', () => {
  it('takes them, and asks nobody', async () => {
    const job = await rig.job(SEES);
    await beside(job, {
      labels: [
        {
          startMs: 0,
          endMs: 5000,
          objects: ['Lamp', { name: 'Dog', count: 3, confidence: 0.5 }],
          texts: ['Hi'],
        },
      ],
    });
    const { labels } = await label(job, { labelsKey: labelsKey(job) });
    const seen = [
      { name: 'Lamp', count: 1, confidence: 1 },
      { name: 'Dog', count: 3, confidence: 0.5 },
    ];
    expect(labels.list).toEqual([
      { id: 's01', objects: seen, texts: ['Hi'] },
      { id: 's02', objects: seen, texts: ['Hi'] },
      { id: 's03', objects: [], texts: [] },
    ]);
    expect(rig.sandbox.rekognition.requests).toEqual([]);
  });

  it('refuses a file that is absent, of another shape, or another tenant’s', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await expect(label(job, { labelsKey: labelsKey(job) })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'request.sidecars.labelsKey',
      message: `There are no labels at ${labelsKey(job)}.`,
    });
    await beside(job, { labels: [{ startMs: -1, endMs: 5 }] });
    await expect(label(job, { labelsKey: labelsKey(job) })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(/^The labels file is wrong at labels\.0\.startMs: /) as string,
    });
    await beside(other, { labels: [{ startMs: 0, endMs: 5000, objects: ['Secret'] }] });
    await expect(label(job, { labelsKey: labelsKey(other) })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The upload belongs to another tenant.',
    });
  });
});

describe('LabelScenes', () => {
  it('says missing, not nothing, while nobody looks', async () => {
    const { labels } = await label(await rig.job());
    expect(labels.list).toEqual(['s01', 's02', 's03'].map((id) => ({ id, objects: null, texts: null })));
  });

  it('sees what is on the frames, and that a plain one is empty', async () => {
    showCorpus();
    const { labels } = await label(await rig.job(SEES));
    expect(labels.list).toEqual([
      { id: 's01', objects: [{ name: 'Lamp', count: 2, confidence: 0.99 }], texts: ['Calm evenings'] },
      { id: 's02', objects: [{ name: 'Person', count: 1, confidence: 0.99 }], texts: [] },
      { id: 's03', objects: [], texts: [] },
    ]);
  });

  it('looks once at the same video of a tenant', async () => {
    showCorpus();
    const job = await rig.job(SEES);
    const first = await label(job);
    const asked = rig.sandbox.rekognition.requests.length;
    expect(asked).toBe(6);
    expect(await label(await rig.job({ ...SEES, tenant: job.tenant }))).toEqual(first);
    expect(rig.sandbox.rekognition.requests).toHaveLength(asked);
  });

  it.each([
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
    ['permission', 'Refused'],
    ['refuse', 'InvalidInput'],
  ] as const)('%s → %s, and nothing half seen is remembered', async (failure, name) => {
    const job = await rig.job(SEES);
    rig.sandbox.rekognition.fail({ with: failure, times: 20 });
    await expect(label(job)).rejects.toMatchObject({ name });
    expect(await rig.media.list(`${job.tenant}/analysis/`)).toEqual([]);
    rig.sandbox.rekognition.heal();
    expect((await label(job)).labels.list).toHaveLength(3);
  });
});
