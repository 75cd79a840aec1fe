// Is the score the specification's, over what is present?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine, DEFAULT_NOVELTY, featureVectors, novelty } from '../../../lambdas/creative/media/novelty.ts';
import { rankScenes, WEIGHTS } from '../../../lambdas/creative/media/rank.ts';
import type { SceneFeatures } from '../../../lambdas/creative/types.ts';

function scene(at: number, over: Partial<SceneFeatures> = {}): SceneFeatures {
  return {
    id: `s${String(at).padStart(2, '0')}`,
    startMs: at * 2000,
    endMs: at * 2000 + 2000,
    motion: 0.5,
    brightness: 0.5,
    contrast: 0.5,
    saturation: 0.5,
    sharpness: 0.5,
    loudnessLufs: -20,
    silenceRatio: 0,
    focus: { x: 0.5, y: 0.5 },
    objects: null,
    texts: null,
    words: null,
    frameKey: 'key',
    missing: ['objects', 'texts', 'words'],
    ...over,
  };
}
const objects = (...names: string[]) => names.map((name) => ({ name, count: 1, confidence: 0.9 }));

describe('rankScenes', () => {
  it('adds the parts up with the weights of the specification', () => {
    const only = scene(1, {
      motion: 0.4,
      sharpness: 0.8,
      objects: objects('Cup', 'Cup', 'Coffee'),
      texts: ['Meet Brewly'],
      words: [],
    });
    const [ranked] = rankScenes([only], { heightPixels: 540 });
    const technical = 0.6 * 0.8 + 0.4 * 0.5;
    const expected = 0.25 * 0.4 + 0.2 * (2 / 5) + 0.15 * 1 + 0.15 * DEFAULT_NOVELTY + 0.1 * technical;
    expect(ranked?.score).toBeCloseTo(expected, 12);
    expect(ranked?.missing).toEqual([]);
  });

  it('leaves out what is missing and scales the other weights up', () => {
    const [ranked] = rankScenes([scene(1, { motion: 1, sharpness: 1 })], { heightPixels: 1080 });
    const present = WEIGHTS.motion + WEIGHTS.novelty + WEIGHTS.technical;
    expect(ranked?.missing).toEqual(['objects', 'text', 'transcript']);
    expect(ranked?.score).toBeCloseTo((0.25 + 0.15 * DEFAULT_NOVELTY + 0.1) / present, 12);
    const weights = Object.values(ranked?.parts ?? {}).reduce((sum, part) => sum + part.weight, 0);
    expect(weights).toBeCloseTo(1, 12);
  });

  it('names the better scene of which another is a copy', () => {
    const a = scene(1, { motion: 0.9, brightness: 0.9, objects: objects('Cup'), texts: [], words: [] });
    const copy = scene(2, { ...a, id: 's02', startMs: 4000, motion: 0.89 });
    const other = scene(3, { motion: 0.1, brightness: 0.1, objects: objects('Bag'), texts: [], words: [] });
    const ranked = rankScenes([copy, other, a], { heightPixels: 720 });
    expect(ranked.map((one) => [one.sceneId, one.duplicateOf])).toEqual([
      ['s01', null],
      ['s02', 's01'],
      ['s03', null],
    ]);
  });

  it('gives every scene one rank and a score within 0..1, best first, in any order of input', () => {
    const level = fc.double({ min: 0, max: 1, noNaN: true });
    const any = fc.record({
      motion: level,
      brightness: level,
      sharpness: level,
      hasText: fc.option(fc.boolean()),
    });
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 12 }), (levels) => {
        const scenes = levels.map(({ hasText, ...rest }, at) =>
          scene(at + 1, { ...rest, texts: hasText === null ? null : hasText ? ['Hi'] : [] }),
        );
        const ranked = rankScenes(scenes, { heightPixels: 720 });
        expect(ranked.map((one) => one.rank)).toEqual(scenes.map((_, at) => at + 1));
        for (const [i, one] of ranked.entries()) {
          expect(one.score).toBeGreaterThanOrEqual(0);
          expect(one.score).toBeLessThanOrEqual(ranked[i - 1]?.score ?? 1);
        }
        const again = rankScenes(scenes.toReversed(), { heightPixels: 720 });
        expect(again.map((one) => one.sceneId)).toEqual(ranked.map((one) => one.sceneId));
      }),
    );
  });
});

describe('novelty', () => {
  it('is half when there is nothing to compare with', () => {
    expect(novelty(featureVectors([scene(1)]))).toEqual([DEFAULT_NOVELTY]);
    expect(novelty([])).toEqual([]);
  });

  it('is highest for the odd one out', () => {
    const same = [1, 2, 3, 4].map((at) => scene(at, { brightness: 0.2 + at / 100 }));
    const values = novelty(
      featureVectors([...same, scene(5, { brightness: 0.95, motion: 0.9, saturation: 0.1 })]),
    );
    expect(Math.max(...values)).toBe(values[4]);
    expect(values[4]).toBe(1);
  });

  it('is zero for scenes that are the same', () => {
    expect(novelty(featureVectors([scene(1), scene(2), scene(3)]))).toEqual([0, 0, 0]);
  });
});

describe('cosine', () => {
  it('stays within −1..1 and knows zero vectors', () => {
    const vector = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(vector, vector, (a, b) => {
        const value = cosine(Float64Array.from(a), Float64Array.from(b));
        expect(Math.abs(value)).toBeLessThanOrEqual(1);
      }),
    );
    expect(cosine(new Float64Array(2), new Float64Array(2))).toBe(1);
    expect(cosine(new Float64Array(2), Float64Array.of(1, 0))).toBe(0);
  });
});
