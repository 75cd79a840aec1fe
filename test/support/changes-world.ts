// How does a test queue changes against a simulated ad account and watch what becomes of them?
import type { Change, ChangeRequest } from '../../lambdas/changes/change.ts';
import { openChanges, type Changes } from '../../lambdas/changes/changes.ts';
import { openHistory, type History } from '../../lambdas/changes/history.ts';
import { openKillSwitches, type KillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { openLedgers, type Ledgers } from '../../lambdas/changes/ledgers.ts';
import { seedRunningCampaign, type RunningCampaign } from '../../lib/laptop/running-campaign.ts';
import type { World, WorldOptions } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { testWorld } from './world.ts';

export const TENANT = 'demo';
export const ACCOUNT = DEFAULT_ACCOUNT.id;

export interface ChangesWorld extends RunningCampaign {
  world: World;
  changes: Changes;
  histories: History;
  switches: KillSwitches;
  ledgers: Ledgers;
  now(): number;
  /** Queues it as any area does. */
  queue(
    request: Partial<ChangeRequest> & Pick<ChangeRequest, 'entity' | 'kind' | 'from' | 'to'>,
  ): Promise<Change>;
  get(id: string): Promise<Change>;
  /** What really happened in the account, without how it was made. */
  effects(): { objectId: string; field: string; before: unknown; after: unknown; by: string; atMs: number }[];
  close(): Promise<void>;
}

let decisions = 0;

/** A month-old campaign with five ad sets of 50.00 a day and an ad each; nothing is queued. */
export async function changesWorld(options: Partial<WorldOptions> = {}): Promise<ChangesWorld> {
  const world = await testWorld(options);
  const running = seedRunningCampaign(world.sandbox.meta);
  const changes = openChanges(world.table('changes'));
  const now = (): number => world.cloud.clock.now();
  return {
    ...running,
    world,
    changes,
    histories: openHistory(world.table('history')),
    switches: openKillSwitches(world.table('changes')),
    ledgers: openLedgers(world.table('limits')),
    now,
    async queue(given) {
      decisions += 1;
      const request: ChangeRequest = {
        accountId: ACCOUNT,
        currency: DEFAULT_ACCOUNT.currency,
        reason: 'The numbers say so.',
        origin: { area: 'budget', id: `decision-${decisions}`, actor: 'test' },
        expiresAt: now() + 86_400_000,
        ...given,
      };
      return (await changes.queue({ tenant: TENANT, request, status: 'PENDING', nowMs: now() })).change;
    },
    async get(id) {
      const change = await changes.get(TENANT, id);
      if (change === undefined) throw new Error(`There is no change ${id}.`);
      return change;
    },
    effects: () =>
      world.sandbox.meta.effects(ACCOUNT).map(({ objectId, field, before, after, by, atMs }) => ({
        objectId,
        field,
        before,
        after,
        by,
        atMs,
      })),
    close: () => world.close(),
  };
}
