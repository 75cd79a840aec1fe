// Does a budget get where it shall in steps that are never too large?
import { describe, expect, it } from 'vitest';
import { staircase } from '../../lambdas/changes/budget-staircase.ts';

describe('the staircase', () => {
  it.each([
    [10_000, 10_000, 20, []],
    [10_000, 11_000, 20, [11_000]],
    [10_000, 15_000, 20, [12_000, 14_400, 15_000]],
    [999, 1_300, 20, [1_198, 1_300]],
    [999, 790, 20, [800, 790]],
  ] as [number, number, number, number[]][])('from %i to %i within %i %: %j', (from, to, percent, steps) => {
    expect(staircase(from, to, percent)).toEqual(steps);
  });

  it('leads nowhere from an amount that is too small, or in more than fifty steps', () => {
    expect(staircase(4, 5, 20)).toBeUndefined();
    expect(staircase(4, 3, 20)).toBeUndefined();
    expect(staircase(100_000, 100_000_000, 10)).toBeUndefined();
    expect(staircase(100_000, 10_000_000, 10)?.length).toBe(49);
  });
});
