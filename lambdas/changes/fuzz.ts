// By how much is a budget moved at random, the same on every retry?
import { randomFor } from '../runtime/random.ts';

/**
 * Up to ±percent, each whole minor unit as likely, fixed by the change; at 0 the amount itself. An amount that lies within the band
 * is never moved out of it; one that does not is judged by others as it is moved.
 */
export function fuzzed(
  amountMinor: number,
  changeId: string,
  percent: number,
  band: { minMinor: number; maxMinor: number } = { minMinor: 1, maxMinor: Number.MAX_SAFE_INTEGER },
): number {
  const spread = Math.floor((amountMinor * percent) / 100);
  if (spread <= 0) return amountMinor;
  const moved = randomFor('fuzz', changeId).int(amountMinor - spread, amountMinor + spread);
  const inside = amountMinor >= band.minMinor && amountMinor <= band.maxMinor;
  return inside ? Math.min(band.maxMinor, Math.max(band.minMinor, moved)) : moved;
}
