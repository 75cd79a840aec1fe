// In which steps does a budget get from one amount to another without moving too fast?

const SCALE = 100_000n;
/** A step waits for all before it; nobody gets back from further away. */
export const MOST_STEPS = 50;

/**
 * The amounts after each step, the last one `toMinor`; each lies within ±percent of the one before, rounded inwards. Undefined when
 * a step would be less than one minor unit, or there would be more than 50. Amounts in minor units, percent to a thousandth. Pure.
 */
export function staircase(fromMinor: number, toMinor: number, percent: number): number[] | undefined {
  const share = BigInt(Math.round(percent * 1_000));
  const steps: number[] = [];
  let now = fromMinor;
  while (now !== toMinor) {
    const next =
      toMinor > now
        ? Math.min(toMinor, floor(now, SCALE + share))
        : Math.max(toMinor, ceil(now, SCALE - share));
    if (next === now || steps.length === MOST_STEPS) return undefined;
    steps.push(next);
    now = next;
  }
  return steps;
}

function floor(minor: number, share: bigint): number {
  return Number((BigInt(minor) * share) / SCALE);
}

function ceil(minor: number, share: bigint): number {
  return Number((BigInt(minor) * share + SCALE - 1n) / SCALE);
}
