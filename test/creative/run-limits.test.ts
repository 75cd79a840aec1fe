// How many runs may a tenant have?
import { describe, expect, it } from 'vitest';
import { limitReached } from '../../lambdas/creative/run-limits.ts';

const NOW = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;
const limits = { runsPerDay: 3, openRuns: 2 };
const run = (status: 'running' | 'succeeded' | 'awaiting-upload', hoursAgo: number) => ({
  status,
  startedAt: new Date(NOW - hoursAgo * HOUR_MS).toISOString(),
});

describe('limits', () => {
  it.each([
    ['nothing yet', [], /^nothing$/],
    ['the last of the day', [run('succeeded', 1), run('succeeded', 2)], /^nothing$/],
    [
      'a full day',
      [run('succeeded', 1), run('succeeded', 2), run('succeeded', 23)],
      /3 runs .*limits\.runsPerDay/,
    ],
    [
      'yesterday does not count',
      [run('succeeded', 1), run('succeeded', 2), run('succeeded', 24)],
      /^nothing$/,
    ],
    ['as many open as allowed', [run('running', 1), run('awaiting-upload', 30)], /2 runs .*limits\.openRuns/],
  ] as const)('%s', (_name, recent, expected) => {
    const said = limitReached(recent, limits, NOW);
    expect(said ?? 'nothing').toMatch(expected);
  });
});
