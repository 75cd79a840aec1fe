// Does the same piece of work draw the same numbers, and are they evenly spread?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFor, unpredictable } from '../../lambdas/runtime/random.ts';

describe('randomFor', () => {
  it('repeats for the same parts and differs for others', () => {
    const draw = (...parts: string[]) => {
      const random = randomFor(...parts);
      return [random.next(), random.next(), random.next()];
    };
    expect(draw('run-1', 'Draft')).toEqual(draw('run-1', 'Draft'));
    expect(draw('run-1', 'Draft')).not.toEqual(draw('run-1Draft'));
    expect(draw('a', 'b')).not.toEqual(draw('ab', ''));
  });

  it('is even: chi-squared over 64 cells of 64,000 draws, and no pair correlation', () => {
    const random = randomFor('evenness');
    const cells = Array.from({ length: 64 }, () => 0);
    const pairs = Array.from({ length: 64 }, () => 0);
    let last = 0;
    for (let i = 0; i < 64_000; i += 1) {
      const cell = Math.floor(random.next() * 64);
      cells[cell] = (cells[cell] ?? 0) + 1;
      const pair = (last >> 3) * 8 + (cell >> 3);
      pairs[pair] = (pairs[pair] ?? 0) + 1;
      last = cell;
    }
    const chiSquared = (counts: number[]) => counts.reduce((sum, n) => sum + (n - 1_000) ** 2 / 1_000, 0);
    // 63 degrees of freedom: 99.99 % lie below 114.
    expect(chiSquared(cells)).toBeLessThan(114);
    expect(chiSquared(pairs)).toBeLessThan(114);
  });

  it('has 53 bits: the lowest are as even as the highest', () => {
    const random = randomFor('low bits');
    const odd = Array.from({ length: 10_000 }, () => (random.next() * 2 ** 53) % 2).filter(
      (bit) => bit === 1,
    );
    expect(Math.abs(odd.length - 5_000)).toBeLessThan(250);
  });

  it('stays in range, picks what is there, and shuffles without loss', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.integer(), { minLength: 1 }), (seed, items) => {
        const random = randomFor(seed);
        expect(items).toContain(random.pick(items));
        expect(random.shuffle(items).toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
        const n = random.int(-3, 3);
        expect(n >= -3 && n <= 3 && Number.isInteger(n)).toBe(true);
      }),
    );
    expect(() => randomFor('x').pick([])).toThrow(RangeError);
  });

  it('has an unpredictable sibling in [0, 1)', () => {
    const draws = Array.from({ length: 1_000 }, unpredictable);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(new Set(draws).size).toBe(1_000);
  });
});
