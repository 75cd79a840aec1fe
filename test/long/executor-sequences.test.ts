// Does the executor of changes keep its promises in any number of hostile sequences?
//
// The small world (test/changes/model/small-world.ts) runs the product's tasks, repositories, dispatcher, sweeps and state machine
// against tables in memory, one interleaving per seed: it explores orders of calls, crashes, lost replies and late answers.
//
// The whole embedded cloud (test/changes/model/cloud-sequences.ts) runs one sequence for every hundred of those, at most a hundred (ON_CLOUD=<number>): real functions,
// streams, schedules, roles, retries and the wire, with many accounts side by side; it explores what the small world leaves out.
//
// SEQUENCES=<number> sets how many (default 2,000); SEED=<number> where the seeds begin: the one that is printed for a failure
// plays that sequence again.
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { playOnCloud, type CloudPlayed } from '../changes/model/cloud-sequences.ts';
import { playInWorkers } from '../changes/model/workers.ts';
import { testWorld } from '../support/world.ts';

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

const ON_CLOUD = Number(process.env['ON_CLOUD'] ?? Math.min(100, Math.ceil(SEQUENCES / 100)));
/** Accounts in one world. */
const SIDE_BY_SIDE = 25;

it(`keeps every promise in ${ON_CLOUD} sequences on the embedded cloud`, async () => {
  const startedAt = performance.now();
  const played: CloudPlayed[] = [];
  while (played.length < ON_CLOUD && played.every(({ faults }) => faults.length === 0)) {
    const count = Math.min(SIDE_BY_SIDE, ON_CLOUD - played.length);
    const first = (SEED % 1_000_000) * 1_000 + played.length;
    const world = await testWorld({ seed: SEED });
    try {
      played.push(
        ...(await playOnCloud(
          world,
          Array.from({ length: count }, (_, i) => first + i),
          12,
        )),
      );
    } finally {
      await world.close();
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    process.stdout.write(
      `${played.length}/${ON_CLOUD} on the cloud, ${(played.length / seconds).toFixed(2)}/s\n`,
    );
  }
  const effects = played.reduce((sum, one) => sum + one.effects, 0);
  process.stdout.write(`${played.length} sequences on the cloud, ${effects} changes applied\n`);
  expect(played.flatMap(({ faults }) => faults)).toEqual([]);
  // Otherwise nothing was tried.
  expect(effects).toBeGreaterThan(played.length / 2);
});
