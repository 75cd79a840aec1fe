// Which random numbers does this piece of work get, the same ones on every retry?
import { createHash, randomBytes } from 'node:crypto';

/** A sequence fixed by its seed: the n-th number depends on the seed and n alone. */
export interface Random {
  /** [0, 1), 53 bits. */
  next(): number;
  /** Whole number in [low, high], both included. */
  int(low: number, high: number): number;
  /** @throws RangeError when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T;
  /** A new array; the given one is left as it is. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Seeded by the parts, in order; `('a','b')` and `('ab')` are different seeds. */
export function randomFor(...parts: readonly (string | number)[]): Random {
  const seed = createHash('sha256').update(JSON.stringify(parts)).digest();
  const [a, b] = [seed.readUInt32LE(0), seed.readUInt32LE(4)];
  let counter = 0;

  const next = (): number => {
    counter += 1;
    const high = mix(a ^ Math.imul(counter, 0x9e3779b1), b) >>> 5;
    const low = mix(b ^ Math.imul(counter, 0x85ebca6b), a) >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    int,
    pick(items) {
      const item = items[int(0, items.length - 1)];
      if (items.length === 0) throw new RangeError('There is nothing to pick from.');
      return item as (typeof items)[number];
    },
    shuffle(items) {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i -= 1) {
        const j = int(0, i);
        [result[i], result[j]] = [result[j] as (typeof items)[number], result[i] as (typeof items)[number]];
      }
      return result;
    },
  };
}

/** [0, 1) from the operating system, for ids that nobody may guess or repeat. */
export function unpredictable(): number {
  const bytes = randomBytes(7);
  return (bytes.readUIntBE(0, 6) * 32 + ((bytes[6] ?? 0) & 31)) / 0x20000000000000;
}

// murmur3's finaliser over two words: every input bit reaches every output bit.
function mix(word: number, key: number): number {
  let h = (word ^ Math.imul(key, 0xcc9e2d51)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 16)) + key, 0x27d4eb2f);
  return (h ^ (h >>> 15)) >>> 0;
}
