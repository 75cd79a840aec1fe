// How are many sequences played, and how does a failing one become small enough to read?
import type { Command } from './commands.ts';
import { play, type Played } from './sequence.ts';

export interface Summary {
  sequences: number;
  effects: number;
  statuses: Record<string, number>;
  failed: { seed: number; faults: string[]; commands: readonly Command[]; story: string[] }[];
}

/** Stops at `mostFailures`; `onProgress` hears of every hundredth. */
export async function playAll(
  seeds: Iterable<number>,
  { mostFailures = 1, onProgress }: { mostFailures?: number; onProgress?: (done: number) => void } = {},
): Promise<Summary> {
  const summary: Summary = { sequences: 0, effects: 0, statuses: {}, failed: [] };
  for (const seed of seeds) {
    const played = await play(seed);
    summary.sequences += 1;
    summary.effects += played.effects;
    for (const [status, count] of Object.entries(played.statuses))
      summary.statuses[status] = (summary.statuses[status] ?? 0) + count;
    if (summary.sequences % 100 === 0) onProgress?.(summary.sequences);
    if (played.faults.length === 0) continue;
    const { faults, commands, story } = await smaller(seed, played);
    summary.failed.push({ seed, faults, commands, story });
    if (summary.failed.length >= mostFailures) break;
  }
  return summary;
}

/** Leaves out what the failure does not need, one command at a time, last first. */
async function smaller(seed: number, played: Played): Promise<Played> {
  let best = played;
  for (let i = best.commands.length - 1; i >= 0; i -= 1) {
    const tried = await play(seed, best.commands.toSpliced(i, 1));
    if (tried.faults.length > 0) best = tried;
  }
  return best;
}
