// How does a test write history rows as a function would, when no request is large?
import { openRuns, type Runs } from '../../lambdas/runtime/runs.ts';
import type { World } from '../../lib/laptop/world.ts';

export function openClaimlessRuns(world: World): Runs {
  const none = (): Promise<never> => Promise.reject(new Error('Requests in tests are small.'));
  return openRuns(world.table('runs'), { getJson: none, putJson: none });
}
