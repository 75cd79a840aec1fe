// Whose click-through rate is answered, and what is refused?
import { describe, expect, it } from 'vitest';
import { fallbackCtr } from '../../lambdas/creative/ctr-fallback.ts';
import { predictCtr } from '../../lambdas/creative/ctr-model.ts';
import type { CtrPredictor } from '../../lambdas/creative/ctr-port.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { answerCtr } from '../../lambdas/creative/ctr-question.ts';
import { creativeRun, scenesOf } from '../support/creative-run.ts';

const scenes = scenesOf('demo');
const { variations } = creativeRun('demo').plan;
const model: CtrPredictor = {
  source: 'model',
  modelVersion: PRIOR_MODEL.version,
  predict: (subject, features) => predictCtr(PRIOR_MODEL, subject, features),
};

describe('a question about click-through rates', () => {
  it('without variations is answered for every scene, best first', () => {
    const { predictions, modelVersion } = answerCtr({ features: { scenes, variations: [] } }, model);
    expect(modelVersion).toBe(PRIOR_MODEL.version);
    expect(predictions.map(({ subject }) => subject).toSorted()).toEqual(scenes.map(({ id }) => id));
    const odds = predictions.map(({ probability }) => probability);
    expect(odds).toEqual(odds.toSorted((a, b) => b - a));
  });

  it('with variations is answered for these', () => {
    const { predictions } = answerCtr({ features: { scenes, variations } }, model);
    expect(predictions.map(({ subject }) => subject).toSorted()).toEqual(
      variations.map(({ id }) => id).toSorted(),
    );
  });

  it('is labelled when it is a fallback', () => {
    const fallback: CtrPredictor = { source: 'fallback', modelVersion: 'fallback', predict: fallbackCtr };
    const { predictions, modelVersion } = answerCtr({ features: { scenes, variations: [] } }, fallback);
    expect(modelVersion).toBe('fallback');
    expect(new Set(predictions.map(({ source }) => source))).toEqual(new Set(['fallback']));
  });

  it('names the shot that cites a scene nobody described', () => {
    const [first] = scenes;
    const ask = () => answerCtr({ features: { scenes: first ? [first] : [], variations } }, model);
    expect(ask).toThrow(
      expect.objectContaining({
        name: 'InvalidInput',
        path: expect.stringMatching(/^features\.variations\.\d+\.shots\.\d+\.sceneId$/) as unknown,
      }) as Error,
    );
  });
});
