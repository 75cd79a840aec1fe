// Does the executor keep its promises whatever happens around it, in whatever order?
//
// Some sequences of the small world (model/small-world.ts); test/long/executor-sequences.test.ts plays any number of others, and
// some on the whole embedded cloud.
import { beforeAll, expect, it, vi } from 'vitest';
import { playAll } from './model/sequences.ts';

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 80);
const SEEDS = Array.from({ length: SEQUENCES }, (_, i) => i);

beforeAll(() => void vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'true'));

it(`keeps every promise in ${SEQUENCES} sequences`, async () => {
  const { failed, effects, statuses } = await playAll(SEEDS);
  expect(failed).toEqual([]);
  // Otherwise nothing was tried.
  expect(effects).toBeGreaterThan(SEEDS.length);
  const seen = Object.keys(statuses).map((status) => status.split(' ')[0]);
  expect(seen).toEqual(expect.arrayContaining(['COMPLETED', 'BLOCKED', 'SUPERSEDED', 'EXPIRED']));
}, 120_000);
