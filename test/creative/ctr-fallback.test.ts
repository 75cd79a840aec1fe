// Does the fallback answer in its four bands, labelled, whatever is missing?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CTR_FEATURES, type CtrFeatures } from '../../lambdas/creative/ctr-features.ts';
import { fallbackCtr } from '../../lambdas/creative/ctr-fallback.ts';

const all = (level: number | null): CtrFeatures =>
  Object.fromEntries(CTR_FEATURES.map((name) => [name, level])) as unknown as CtrFeatures;
const ctr = (features: CtrFeatures): number => fallbackCtr('s01', features).probability;

describe('the fallback', () => {
  it('has the bands of the requirements, open below', () => {
    // Opening motion is full at 0.3.
    const at = (level: number): CtrFeatures => ({ ...all(level), openingMotion: 0.3 * level });
    expect([0.86, 0.85, 0.71, 0.7, 0.51, 0.5, 0].map((level) => ctr(at(level)))).toEqual([
      0.08, 0.05, 0.05, 0.03, 0.03, 0.01, 0.01,
    ]);
  });

  it('weighs psychology 40, hook 35 and appeal 25', () => {
    const psychology = { addressesViewer: 1, hasSpeech: 1, hasCallToAction: 1 };
    const hook = { hookIsQuestion: 1, hookHasNumber: 1, openingMotion: 1 };
    const appeal = { contrast: 1, saturation: 1, sharpness: 1 };
    const score = (...parts: object[]): number => ctr(Object.assign({}, all(0), ...parts) as CtrFeatures);
    expect([
      score(psychology),
      score(psychology, hook),
      score(psychology, appeal),
      score(hook, appeal),
    ]).toEqual([0.01, 0.05, 0.03, 0.03]);
    expect(score(psychology, hook, appeal)).toBe(0.08);
  });

  it('renormalises over what is known, and assumes the lowest band of nothing', () => {
    expect(ctr({ ...all(null), addressesViewer: 1 })).toBe(0.08);
    expect(ctr(all(null))).toBe(0.01);
  });

  it('is always labelled and inside its interval', () => {
    const level = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(
        fc.array(level, { minLength: CTR_FEATURES.length, maxLength: CTR_FEATURES.length }),
        (levels) => {
          const given = Object.fromEntries(CTR_FEATURES.map((name, index) => [name, levels[index] ?? null]));
          const one = fallbackCtr('s01', given as unknown as CtrFeatures);
          expect(one).toMatchObject({ subject: 's01', source: 'fallback', modelVersion: 'fallback' });
          expect(one.low).toBeLessThan(one.probability);
          expect(one.high).toBeGreaterThan(one.probability);
          expect(one.high).toBeLessThan(1);
        },
      ),
    );
  });
});
