// Are the scenes scored over what is known, and is what is not known said to be missing?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/rank-scenes.task.ts';
import type { MeasuredScene, SceneLabels, Transcript } from '../../lambdas/creative/scene-parts.ts';
import { scenesOf, videoOf } from '../support/creative-run.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();
const measuredOf = (tenant: string): MeasuredScene[] =>
  scenesOf(tenant).map(({ objects: _o, texts: _t, words: _w, missing: _m, ...measured }) => measured);
const WORDS = [
  { text: 'Good', startMs: 4100, endMs: 4400, confidence: 1 },
  { text: 'evening', startMs: 7900, endMs: 8300, confidence: 1 },
];

async function rank(
  labels: (scene: MeasuredScene) => Omit<SceneLabels, 'id'>,
  transcript: Transcript,
  change: Partial<MeasuredScene> = {},
) {
  const job = await rig.job();
  const measured = measuredOf(job.tenant).map((scene) => ({ ...scene, ...change }));
  return job.run(task, {
    video: videoOf(job.tenant),
    measured: { list: measured },
    labels: { list: measured.map((scene) => ({ id: scene.id, ...labels(scene) })) },
    transcript,
  });
}
const ALL = () => ({ objects: [{ name: 'Lamp', count: 1, confidence: 1 }], texts: ['Lumo'] });
const NONE = () => ({ objects: null, texts: null });

describe('RankScenes', () => {
  it('ranks every scene once, best first, and gives words to the scene in which they are spoken', async () => {
    const { features, ranked } = await rank(ALL, { status: 'done', words: WORDS });
    expect(ranked.list.map(({ rank: place }) => place)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ranked.list.map(({ sceneId }) => sceneId).toSorted()).toEqual(features.list.map(({ id }) => id));
    const scores = ranked.list.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(features.list.map(({ words }) => words?.map(({ text }) => text))).toEqual([
      [],
      ['Good'],
      ['evening'],
      [],
      [],
      [],
    ]);
    expect(features.list.flatMap(({ missing }) => missing)).toEqual([]);
    // Motion 0.3 and a spoken word: the liveliest scene wins.
    expect(ranked.list[0]?.sceneId).toBe('s02');
  });

  it('names what is missing and shares its weight among the rest', async () => {
    const { features, ranked } = await rank(NONE, { status: 'off', words: null });
    for (const scene of features.list) {
      expect(scene).toMatchObject({ objects: null, texts: null, words: null });
      expect(scene.missing).toEqual(['objects', 'texts', 'words']);
    }
    for (const { parts, missing } of ranked.list) {
      expect(missing).toEqual(['objects', 'text', 'transcript']);
      expect(Object.keys(parts)).toEqual(['motion', 'novelty', 'technical']);
      expect(Object.values(parts).reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    }
  });

  it('tells a silent film from one that nobody heard', async () => {
    const heard = await rank(NONE, { status: 'done', words: [] });
    expect(heard.features.list[0]).toMatchObject({ words: [], missing: ['objects', 'texts'] });
    const mute = await rank(NONE, { status: 'off', words: null }, { loudnessLufs: null });
    expect(mute.features.list[0]?.missing).toContain('audio');
  });

  it('makes the same of the same, also without labels for a scene', async () => {
    const late: Transcript = { status: 'late', words: null };
    const [first, second] = [await rank(ALL, late), await rank(ALL, late)];
    expect(second.ranked).toEqual(first.ranked);
    const job = await rig.job();
    const { features } = await job.run(task, {
      video: videoOf(job.tenant),
      measured: { list: measuredOf(job.tenant) },
      labels: { list: [] },
      transcript: late,
    });
    expect(features.list[0]?.objects).toBeNull();
  });

  it('refuses scenes that are none', async () => {
    const job = await rig.job();
    const [scene] = measuredOf(job.tenant);
    await expect(
      job.run(task, {
        video: videoOf(job.tenant),
        measured: { list: [{ ...(scene as MeasuredScene), id: 'first' }] },
        labels: { list: [] },
        transcript: { status: 'off' },
      }),
    ).rejects.toMatchObject({ name: 'InvalidInput', path: 'measured.list.0.id' });
  });
});
