// Does the click-through model say what it knows, and how little?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CTR_FEATURES,
  sceneCtrFeatures,
  variationCtrFeatures,
  type CtrFeatureName,
  type CtrFeatures,
} from '../../lambdas/creative/ctr-features.ts';
import { CtrModel, predictCtr, rankPredictions } from '../../lambdas/creative/ctr-model.ts';
import { PRIOR_CTR_PERCENT, PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { creativeRun, scenesOf } from '../support/creative-run.ts';

const value = fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { nil: null });
const features = fc.record(
  Object.fromEntries(CTR_FEATURES.map((name) => [name, value])) as Record<CtrFeatureName, typeof value>,
) as fc.Arbitrary<CtrFeatures>;
const MEANS = Object.fromEntries(PRIOR_MODEL.features.map(({ name, mean }) => [name, mean])) as CtrFeatures;
const predict = (given: CtrFeatures) => predictCtr(PRIOR_MODEL, 's01', given);

describe('a prediction', () => {
  it('lies inside its interval and strictly between 0 and 1, whatever was measured', () => {
    fc.assert(
      fc.property(features, (given) => {
        const { probability, low, high } = predict(given);
        expect(low).toBeGreaterThan(0);
        expect(low).toBeLessThan(probability);
        expect(high).toBeGreaterThan(probability);
        expect(high).toBeLessThan(1);
      }),
    );
  });

  it('is less sure of every feature that is missing, and does not take it for zero', () => {
    const full = predict(MEANS);
    for (const name of CTR_FEATURES) {
      const missing = predict({ ...MEANS, [name]: null });
      expect(missing.probability).toBeCloseTo(full.probability, 12);
      expect(missing.low).toBeLessThan(full.low);
      expect(missing.high).toBeGreaterThan(full.high);
    }
  });

  it('of the prior model starts at its stated rate and moves in each documented direction', () => {
    expect(predict(MEANS).probability).toBeCloseTo(PRIOR_CTR_PERCENT / 100, 10);
    expect(PRIOR_MODEL.features.map(({ name }) => name).toSorted()).toEqual([...CTR_FEATURES].toSorted());
    const directions = Object.fromEntries(
      PRIOR_MODEL.features.map(({ name, mean, scale }) => {
        const more = predict({ ...MEANS, [name]: mean + scale }).probability;
        return [name, Math.sign(Number((more - predict(MEANS).probability).toFixed(9)))];
      }),
    );
    expect(directions).toEqual({
      motion: 1,
      contrast: 1,
      saturation: 1,
      sharpness: 1,
      brightness: 0,
      objects: 1,
      hasText: 1,
      hasSpeech: 1,
      loudness: 0,
      lengthSeconds: -1,
      cutsPerSecond: 1,
      openingMotion: 1,
      hookIsQuestion: 1,
      hookHasNumber: 1,
      hookWords: -1,
      addressesViewer: 1,
      hasCallToAction: 1,
      captionWords: 0,
    });
  });

  it('never falls as a favoured feature grows', () => {
    const favoured = PRIOR_MODEL.features.filter(({ weight }) => weight > 0).map(({ name }) => name);
    const level = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.constantFrom(...favoured), level, level, (name, a, b) => {
        const at = (one: number): number => predict({ ...MEANS, [name]: one }).probability;
        expect(at(Math.max(a, b))).toBeGreaterThanOrEqual(at(Math.min(a, b)));
      }),
    );
  });
});

describe('the features', () => {
  const [scene] = scenesOf('t');
  if (!scene) throw new Error('no scene');

  it('of a scene leave unknown what nobody looked at', () => {
    const blind = sceneCtrFeatures({ ...scene, objects: null, texts: null, words: null, loudnessLufs: null });
    expect(blind).toMatchObject({ objects: null, hasText: null, hasSpeech: null, loudness: null });
    expect(sceneCtrFeatures({ ...scene, texts: [], words: [], objects: [] })).toMatchObject({
      objects: 0,
      hasText: 0,
      hasSpeech: 0,
    });
    expect(sceneCtrFeatures(scene)).toMatchObject({ hookWords: null, lengthSeconds: 4, openingMotion: 0.02 });
  });

  it('of a variation weigh its scenes by screen time and read its words', () => {
    const [variation] = creativeRun('t').plan.variations;
    const [first] = variation?.shots ?? [];
    if (!variation || !first) throw new Error('no plan');
    const scenes = scenesOf('t').map((one, index) => ({ ...one, motion: index === 0 ? 0.8 : 0.2 }));
    const cut = {
      ...variation,
      hook: { type: 'question' as const, text: 'Are 3 of your lamps dim?' },
      shots: [
        { ...first, sceneId: 's01', startMs: 0, endMs: 1000, textOverlay: 'two words' },
        { ...first, sceneId: 's02', startMs: 4000, endMs: 7000, textOverlay: '' },
      ],
    };
    expect(variationCtrFeatures(cut, scenes)).toMatchObject({
      motion: expect.closeTo(0.35, 10) as number,
      openingMotion: 0.8,
      lengthSeconds: 4,
      cutsPerSecond: 0.25,
      hookIsQuestion: 1,
      hookHasNumber: 1,
      hookWords: 6,
      addressesViewer: 1,
      hasCallToAction: 1,
      captionWords: 2,
    });
  });

  it('of a variation know only the shots that were looked at', () => {
    const [variation] = creativeRun('t').plan.variations;
    if (!variation) throw new Error('no plan');
    const used = variation.shots[0]?.sceneId;
    const half = scenesOf('t').map((one) => (one.id === used ? one : { ...one, texts: null }));
    const seen = half.find(({ id }) => id === used);
    expect(variationCtrFeatures(variation, half).hasText).toBe(Number((seen?.texts ?? []).length > 0));
    expect(
      variationCtrFeatures(
        variation,
        half.map((one) => ({ ...one, texts: null })),
      ).hasText,
    ).toBeNull();
    expect(() => variationCtrFeatures(variation, [])).toThrow(/which the video does not have/);
  });
});

describe('an artefact', () => {
  const [feature] = PRIOR_MODEL.features;
  const refused = (change: unknown): boolean =>
    !CtrModel.safeParse({ ...PRIOR_MODEL, ...(change as object) }).success;

  it('is accepted as it ships, and refused with what we do not know or trust', () => {
    expect(CtrModel.parse(PRIOR_MODEL)).toEqual(PRIOR_MODEL);
    expect(refused({ features: [{ ...feature, name: 'keywordDensity' }] })).toBe(true);
    expect(refused({ features: [feature, feature] })).toBe(true);
    expect(refused({ features: [{ ...feature, scale: 0 }] })).toBe(true);
    expect(refused({ intercept: { weight: Number.NaN, deviation: 1 } })).toBe(true);
    expect(refused({ version: '' })).toBe(true);
  });
});

describe('a ranking', () => {
  it('is by probability, and the same for any order of equal ones', () => {
    const one = predict(MEANS);
    const list = ['s03', 's01', 's02'].map((subject) => ({ ...one, subject }));
    const best = { ...one, subject: 's09', probability: 0.5 };
    fc.assert(
      fc.property(fc.shuffledSubarray([...list, best], { minLength: 4 }), (shuffled) => {
        expect(rankPredictions(shuffled).map(({ subject }) => subject)).toEqual(['s09', 's01', 's02', 's03']);
      }),
    );
  });
});
