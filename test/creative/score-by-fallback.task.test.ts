// Do scenes get scores when nothing at all can be reached?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/score-by-fallback.task.ts';
import { scenesOf } from '../support/creative-run.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();

describe('ScoreByFallback', () => {
  it('scores every scene, best first, each labelled as a guess with its wide interval', async () => {
    const job = await rig.job();
    const spoken = [{ text: 'you', startMs: 4100, endMs: 4300, confidence: 1 }];
    const list = scenesOf(job.tenant).map((scene) =>
      scene.id === 's02' ? { ...scene, words: spoken } : scene,
    );
    const input = { features: { list } };
    const { predictions } = await job.run(task, input);
    expect(predictions.list.map(({ subject }) => subject).toSorted()).toEqual(
      input.features.list.map(({ id }) => id),
    );
    const probabilities = predictions.list.map(({ probability }) => probability);
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    expect(predictions.list[0]?.subject).toBe('s02');
    expect(probabilities[0]).toBeGreaterThan(probabilities[1] ?? 1);
    for (const { probability, low, high, source, modelVersion } of predictions.list) {
      expect({ source, modelVersion }).toEqual({ source: 'fallback', modelVersion: 'fallback' });
      expect([low, high]).toEqual([probability / 4, probability * 2]);
    }
    expect(await job.run(task, input)).toEqual({ predictions });
  });

  it('needs no table, bucket or vendor', async () => {
    const job = await rig.job();
    for (const service of ['dynamodb', 's3', 'secretsmanager'] as const)
      rig.cloud.faults.add({ service, when: 'before', effect: { kind: 'throttle' } });
    const { predictions } = await job.run(task, { features: { list: scenesOf(job.tenant) } });
    expect(predictions.list).toHaveLength(6);
  });

  it('refuses what is no scene', async () => {
    const job = await rig.job();
    await expect(job.run(task, { features: { list: [{ id: 's01' }] } } as never)).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });
});
