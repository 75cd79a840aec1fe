// Does the executor of changes keep its promises in any number of hostile sequences?
//
// The small world (test/changes/model/small-world.ts) runs the product's tasks, repositories, dispatcher, sweeps and state machine
// against tables in memory, one interleaving per seed: it explores orders of calls, crashes, lost replies and late answers.
//
// SEQUENCES=<number> sets how many (default 2,000); SEED=<number> where the seeds begin: the one that is printed for a failure
// plays that sequence again.
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { playInWorkers } from '../changes/model/workers.ts';

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 2_000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);

it(`keeps every promise in ${SEQUENCES} sequences`, async () => {
  process.stdout.write(`SEED=${SEED} SEQUENCES=${SEQUENCES}\n`);
  const startedAt = performance.now();
  const { sequences, effects, statuses, failed } = await playInWorkers(
    { from: SEED, count: SEQUENCES, workers: Math.min(2, availableParallelism()) },
    (done) => {
      const seconds = (performance.now() - startedAt) / 1_000;
      process.stdout.write(`${done}/${SEQUENCES} sequences, ${(done / seconds).toFixed(1)}/s\n`);
    },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stdout.write(
    `${sequences} sequences, ${effects} changes applied, ${failed.length} violations, ${(sequences / seconds).toFixed(1)}/s\n` +
      `${JSON.stringify(statuses)}\n`,
  );
  for (const { seed } of failed) process.stdout.write(`Again: SEED=${seed} SEQUENCES=1\n`);
  expect(failed).toEqual([]);
  // Otherwise nothing was tried.
  expect(sequences).toBe(SEQUENCES);
  expect(effects).toBeGreaterThanOrEqual(SEQUENCES > 100 ? SEQUENCES : 0);
});
