import { defineConfig } from 'vitest/config';

/** Reads what all others left behind. */
const LAST = 'test/infrastructure/unused-grants.test.ts';

const timing = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // Two cores: more workers only make the media tests wait for each other.
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    ...timing,
    globalSetup: 'test/support/whole-run.ts',
    projects: [
      {
        test: {
          ...timing,
          name: 'suite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/long/**', 'node_modules/**', LAST],
        },
      },
      { test: { ...timing, name: 'last', include: [LAST], sequence: { groupOrder: 1 } } },
    ],
  },
});
