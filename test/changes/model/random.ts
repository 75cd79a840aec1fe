// Where do a sequence's random numbers come from?

export interface Random {
  /** [0, 1) */
  next(): number;
  /** Whole numbers in [low, high]. */
  int(low: number, high: number): number;
  chance(share: number): boolean;
  pick<T>(values: readonly T[]): T;
}

/** Mulberry32: the same seed gives the same numbers on every machine. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: <T>(values: readonly T[]) => values[int(0, values.length - 1)] as T,
  };
}
