// Are changes spread over the whole time, each always to the same second?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jitterSeconds } from '../../lambdas/changes/jitter.ts';

describe('jitter', () => {
  it('3 to 18 seconds: every one of them about as often', () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 16_000; i += 1) {
      const seconds = jitterSeconds(`chg-${i}`, { min: 3, max: 18 });
      counts.set(seconds, (counts.get(seconds) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 3));
    expect([Math.min(...counts.values()) > 850, Math.max(...counts.values()) < 1_150]).toEqual([true, true]);
  });

  it('is whole, within its bounds, may be none, and is the same on every retry', () => {
    const bounds = fc
      .tuple(fc.nat(300), fc.nat(300))
      .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
    fc.assert(
      fc.property(fc.string(), bounds, (id, { min, max }) => {
        const seconds = jitterSeconds(id, { min, max });
        expect(Number.isInteger(seconds) && seconds >= min && seconds <= max).toBe(true);
        expect(jitterSeconds(id, { min, max })).toBe(seconds);
      }),
    );
    expect(jitterSeconds('chg-1', { min: 0, max: 0 })).toBe(0);
  });
});
