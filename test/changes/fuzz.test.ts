// Is a budget moved by a little, the same on every retry, and never out of what is allowed?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzed } from '../../lambdas/changes/fuzz.ts';

const ids = Array.from({ length: 2_000 }, (_, i) => `chg-${i}`);

describe('fuzz', () => {
  it('50.00 with 3 % becomes anything from 48.50 to 51.50', () => {
    const amounts = ids.map((id) => fuzzed(5_000, id, 3));
    expect([Math.min(...amounts), Math.max(...amounts)]).toEqual([4_850, 5_150]);
    // 301 amounts are possible.
    expect(new Set(amounts).size).toBeGreaterThan(280);
    const mean = amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length;
    expect(Math.abs(mean - 5_000)).toBeLessThan(10);
  });

  it('nothing is moved at 0 %, nor what is too small to be moved', () => {
    expect(ids.every((id) => fuzzed(5_000, id, 0) === 5_000)).toBe(true);
    expect(ids.every((id) => fuzzed(33, id, 3) === 33)).toBe(true);
  });

  it('is whole, near, equal on every retry, and stays in a band that held the amount', () => {
    const amount = fc.integer({ min: 1, max: 1e12 });
    const percent = fc.double({ min: 0, max: 10, noNaN: true });
    fc.assert(
      fc.property(amount, percent, fc.string(), fc.tuple(amount, amount), (minor, share, id, [a, b]) => {
        const band = { minMinor: Math.min(a, b), maxMinor: Math.max(a, b) };
        const moved = fuzzed(minor, id, share, band);
        expect(fuzzed(minor, id, share, band)).toBe(moved);
        expect(Number.isSafeInteger(moved) && moved >= 1).toBe(true);
        expect(Math.abs(moved - minor) * 100).toBeLessThanOrEqual(minor * share);
        const within = (value: number) => value >= band.minMinor && value <= band.maxMinor;
        expect(within(minor) ? within(moved) : moved === fuzzed(minor, id, share)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('clamps to the band’s edge', () => {
    const band = { minMinor: 4_990, maxMinor: 5_010 };
    const amounts = ids.map((id) => fuzzed(5_000, id, 3, band));
    expect([Math.min(...amounts), Math.max(...amounts)]).toEqual([4_990, 5_010]);
  });
});
