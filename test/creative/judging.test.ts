// Are planted flaws mended within three rewrites, and does a silent judge count for nothing?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictCtr } from '../../lambdas/creative/ctr-model.ts';
import { fallbackCtr } from '../../lambdas/creative/ctr-fallback.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { judgeUntilApproved, type Panel } from '../../lambdas/creative/judging.ts';
import { planProblems } from '../../lambdas/creative/plan-check.ts';
import { rewrite } from '../../lambdas/creative/rewrite.ts';
import { mark } from '../../lambdas/creative/rubric.ts';
import type { Variation } from '../../lambdas/creative/types.ts';
import { Unavailable } from '../../lambdas/runtime/errors.ts';
import type { Model } from '../../lambdas/ports/model/model.ts';
import { BRIEF, creativeRun, scenesOf, SHA256 } from '../support/creative-run.ts';

const panel: Panel = {
  brief: BRIEF,
  scenes: scenesOf('t'),
  sourceSha256: SHA256,
  predictor: {
    source: 'model',
    modelVersion: '0',
    predict: (subject, features) => predictCtr(PRIOR_MODEL, subject, features),
  },
  rules: { threshold: 85 },
  usualCtr: 0.01,
  model: null,
  seed: 1,
};
const [GOOD] = creativeRun('t').plan.variations;
if (!GOOD) throw new Error('no plan');

const FLAWS: readonly ((one: Variation) => Variation)[] = [
  (one) => ({ ...one, hook: { type: 'urgency', text: 'Hurry, only 5 left' } }),
  (one) => ({ ...one, primaryText: '97% of doctors recommend it.' }),
  (one) => ({ ...one, headline: 'The best of all' }),
  (one) => ({ ...one, shots: one.shots.toReversed() }),
  (one) => ({ ...one, shots: one.shots.map((shot) => ({ ...shot, textOverlay: '' })) }),
  (one) => ({ ...one, callToAction: { type: 'download', text: 'Guaranteed download' } }),
  (one) => ({ ...one, hashtags: ['#BestLamp', '#Calm'] }),
  (one) => ({ ...one, emotionalTriggers: [] }),
];

/** Answers every judge with the same share of the points. */
function scripted(answer: () => number): Model {
  return {
    complete: async ({ system, schema }) => {
      const share = answer();
      const items = [...system.matchAll(/(\w+) \(0 to (\d+)\)/g)].map(([, item, max]) => ({
        item,
        points: share * Number(max),
        note: '',
      }));
      return schema.parse({ items });
    },
  } as Model;
}

describe('judging', () => {
  it('mends any set of planted flaws within three rewrites, honestly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...FLAWS], { minLength: 1 }), async (flaws) => {
        const flawed = flaws.reduce((one, plant) => plant(one), GOOD);
        const { variation, verdict } = await judgeUntilApproved(panel, flawed);
        expect(verdict).toMatchObject({ approved: true, variationId: variation.id });
        expect(verdict.rewrites).toBeLessThanOrEqual(3);
        // Small flaws may stay; what was rewritten says only what the brief says.
        const untouched = variation.id === flawed.id;
        expect(untouched).toBe(verdict.rewrites === 0);
        expect(untouched ? [] : planProblems([variation], scenesOf('t'), BRIEF)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('does not touch what is approved at once', async () => {
    const { variation, verdict } = await judgeUntilApproved(panel, GOOD);
    expect(variation).toEqual(GOOD);
    expect(verdict).toMatchObject({ approved: true, rewrites: 0 });
    const marks = (['creative', 'psychology', 'logic'] as const).flatMap((name) => mark(name, GOOD, BRIEF));
    const perfect = marks.map((one) => ({ ...one, points: one.max }));
    expect(rewrite(GOOD, perfect, BRIEF, SHA256)).toBe(GOOD);
  });

  it('keeps the best version when nothing reaches the threshold, after at most three rewrites', async () => {
    let asked = 0;
    const falling = scripted(() => 0.5 - 0.001 * asked++);
    const flawed = { ...GOOD, primaryText: '97% agree.' };
    const { variation, verdict } = await judgeUntilApproved({ ...panel, model: falling }, flawed);
    expect(verdict).toMatchObject({ approved: false, rewrites: 0 });
    expect(variation).toEqual(flawed);
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThanOrEqual(12);
  });

  it('lets a model judge by its own points, capped by each item', async () => {
    const generous = {
      complete: ({ schema, system }) => {
        const items = [...system.matchAll(/(\w+) \(0 to/g)].map(([, item]) => ({
          item,
          points: 30,
          note: 'fine',
        }));
        return Promise.resolve(schema.parse({ items }));
      },
    } as Model;
    const { verdict } = await judgeUntilApproved({ ...panel, model: generous }, GOOD);
    for (const one of verdict.judges.filter(({ judge }) => judge !== 'ctr'))
      expect(one).toMatchObject({ score: 100, answeredBy: 'model' });
  });

  it('counts a failing judge as nothing: with the click-through model alone there is no quorum', async () => {
    const failing: Model = {
      complete: () => Promise.reject(new Unavailable('no model')),
    } as unknown as Model;
    const { verdict } = await judgeUntilApproved({ ...panel, model: failing }, GOOD);
    expect(verdict).toMatchObject({ score: null, approved: false });
    expect(verdict.judges.map(({ answeredBy }) => answeredBy)).toEqual([
      'nobody',
      'nobody',
      'nobody',
      'ctr-model',
    ]);
  });

  it('does not hide a bug behind a silent judge', async () => {
    const broken = { complete: () => Promise.reject(new TypeError('bug')) } as unknown as Model;
    await expect(judgeUntilApproved({ ...panel, model: broken }, GOOD)).rejects.toThrow(TypeError);
  });

  it('lets a fallback click-through score judge nobody', async () => {
    const fallback = { source: 'fallback', modelVersion: 'fallback', predict: fallbackCtr } as const;
    const { verdict } = await judgeUntilApproved({ ...panel, predictor: fallback }, GOOD);
    expect(verdict.judges.find(({ judge }) => judge === 'ctr')).toMatchObject({
      score: null,
      answeredBy: 'nobody',
    });
    expect(verdict.approved).toBe(true);
  });
});
