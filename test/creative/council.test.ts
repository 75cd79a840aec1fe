// Does the council decide over those that answer, and only with a quorum?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ctrScore, decide, JUDGE_WEIGHTS, reviewReasons } from '../../lambdas/creative/council.ts';

const ID = 'v-000000000000';
type Scores = Partial<Record<keyof typeof JUDGE_WEIGHTS, number>>;

function verdict(scores: Scores, threshold = 85) {
  const judges = (['creative', 'psychology', 'logic', 'ctr'] as const).map((judge) => ({
    judge,
    weight: JUDGE_WEIGHTS[judge],
    score: scores[judge] ?? null,
    items: {},
    answeredBy: 'rubric' as const,
    notes: [],
  }));
  return decide(ID, judges, 0, { threshold });
}

describe('the council', () => {
  it('weighs four judges as required', () => {
    expect(Object.values(JUDGE_WEIGHTS).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
    expect(verdict({ creative: 100, psychology: 0, logic: 0, ctr: 0 }).score).toBeCloseTo(40, 10);
    expect(verdict({ creative: 0, psychology: 100, logic: 0, ctr: 0 }).score).toBeCloseTo(30, 10);
    expect(verdict({ creative: 0, psychology: 0, logic: 100, ctr: 0 }).score).toBeCloseTo(20, 10);
    expect(verdict({ creative: 0, psychology: 0, logic: 0, ctr: 100 }).score).toBeCloseTo(10, 10);
  });

  it('approves at exactly the threshold and not just below, for every set of answering judges', () => {
    const score = fc.option(fc.constant(85), { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({ creative: score, psychology: score, logic: score, ctr: score }),
        fc.integer({ min: 50, max: 100 }),
        (answers, level) => {
          const scores = Object.fromEntries(
            Object.entries(answers).flatMap(([judge, value]) => (value ? [[judge, level]] : [])),
          );
          const enough = Object.keys(scores).length >= 2;
          expect(verdict(scores, level).approved).toBe(enough);
          expect(verdict(scores, level + 0.001).approved).toBe(false);
        },
      ),
    );
  });

  it('gives a silent judge’s weight to the others', () => {
    expect(verdict({ creative: 90, psychology: 70 }).score).toBeCloseTo((90 * 4 + 70 * 3) / 7, 5);
    expect(verdict({ logic: 60, ctr: 90 }).score).toBeCloseTo((60 * 2 + 90) / 3, 5);
  });

  it('decides nothing with fewer than two answers', () => {
    for (const scores of [{ creative: 100 }, {}]) {
      expect(verdict(scores)).toMatchObject({ score: null, approved: false, disagreement: 0 });
    }
  });

  it('measures disagreement between the highest and the lowest answer', () => {
    expect(verdict({ creative: 95, psychology: 61, logic: 80 }).disagreement).toBe(34);
  });

  it('marks the usual click-through 75, and 25 points per doubling, within 0..100', () => {
    expect(ctrScore(0.01, 0.01)).toBe(75);
    expect(ctrScore(0.02, 0.01)).toBe(100);
    expect(ctrScore(0.005, 0.01)).toBe(50);
    expect(ctrScore(0.5, 0.01)).toBe(100);
    expect(ctrScore(0, 0.01)).toBe(0);
  });
});

describe('a person must decide', () => {
  const rules = { minimumApproved: 3, maximumDisagreement: 40 };
  const yes = verdict({ creative: 90, psychology: 90 });
  const no = verdict({ creative: 60, psychology: 60 });

  it('never when enough are approved by judges who agree', () => {
    expect(reviewReasons([yes, yes, yes, no], rules, [])).toEqual([]);
  });

  it('when fewer than the minimum are approved', () => {
    expect(reviewReasons([yes, yes, no], rules, [])).toEqual([expect.stringContaining('Only 2 of 3')]);
  });

  it('when the judges of an approved variation differ by more than the bound, not at it', () => {
    const at = verdict({ creative: 100, psychology: 100, logic: 60 });
    const over = verdict({ creative: 100, psychology: 100, logic: 59 });
    expect(at).toMatchObject({ approved: true, disagreement: 40 });
    expect(reviewReasons([yes, yes, at], rules, [])).toEqual([]);
    expect(reviewReasons([yes, yes, over], rules, [])).toEqual([expect.stringContaining('40 points')]);
  });

  it('when a variation had no quorum, or the model failed', () => {
    expect(reviewReasons([yes, yes, yes, verdict({ ctr: 90 })], rules, [])).toEqual([
      expect.stringContaining('Fewer than 2 judges'),
    ]);
    expect(reviewReasons([yes, yes, yes], rules, ['The Oracle failed.'])).toEqual(['The Oracle failed.']);
  });
});
