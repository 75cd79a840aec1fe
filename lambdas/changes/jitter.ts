// How long does a change wait before it is applied, so that not all come at once?
import { randomFor } from '../runtime/random.ts';

/** Whole seconds in [min, max], fixed by the change; spreads the load, may be 0. */
export function jitterSeconds(changeId: string, { min, max }: { min: number; max: number }): number {
  return randomFor('jitter', changeId).int(min, max);
}
