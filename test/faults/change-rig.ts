// How does a test queue a change, break something on its way into the account, and see what became of it?
import type * as z from 'zod';
import { changeId, type Change, type ChangeRequest } from '../../lambdas/changes/change.ts';
import { openChanges, type Changes } from '../../lambdas/changes/changes.ts';
import { openHistory, type History } from '../../lambdas/changes/history.ts';
import { openKillSwitches, type KillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { openLedgers, type Ledgers } from '../../lambdas/changes/ledgers.ts';
import { isOver } from '../../lambdas/changes/lifecycle.ts';
import { ChangeSettings } from '../../lambdas/runtime/settings-schema.ts';
import { settingsKey } from '../../lambdas/runtime/settings.ts';
import type { FaultHandle } from '../../lib/local/faults.ts';
import type { Json } from '../../lib/local/types.ts';
import type { World, WorldOptions } from '../../lib/laptop/world.ts';
import type { SandboxAccount } from '../../lib/sandbox/meta/accounts.ts';
import { MEDIA_BUCKET, testWorld } from '../support/world.ts';
import type { RunFault } from './rig.ts';
import { newTenant } from './tenants.ts';

export const EXECUTOR = 'change-execution';
export const EXECUTOR_ARN = `arn:aws:states:us-east-1:000000000000:stateMachine:impresario-dev-${EXECUTOR}`;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** One change of a tenant that has an account to itself: a campaign with two ad sets of 50.00 a day and an ad each. */
export interface ChangeSubject {
  tenant: string;
  account: SandboxAccount;
  campaignId: string;
  adSetIds: readonly string[];
  adIds: readonly string[];
  /** Raises the first ad set's budget to 55.00 unless the test says otherwise. */
  request: ChangeRequest;
  id: string;
}

export type Wanted = Pick<ChangeRequest, 'entity' | 'kind' | 'from' | 'to'> & Partial<ChangeRequest>;

export interface ChangeRig {
  readonly world: World;
  readonly changes: Changes;
  readonly histories: History;
  readonly switches: KillSwitches;
  readonly ledgers: Ledgers;
  subject(wanted?: (on: Omit<ChangeSubject, 'request' | 'id'>) => Wanted): Promise<ChangeSubject>;
  /** Adds a fault that only executions of this change meet. */
  break(subject: ChangeSubject, fault: RunFault): FaultHandle;
  queue(subject: ChangeSubject): Promise<Change>;
  change(subject: ChangeSubject): Promise<Change>;
  /** Until it is over; for `withinMs` of cloud time, ten hours when absent. */
  over(subject: ChangeSubject, withinMs?: number): Promise<Change>;
  /** Its executions, oldest first. */
  executions(
    subject: ChangeSubject,
  ): Promise<{ name: string; arn: string; status: string; error?: string }[]>;
  /** Keys of records that wait in the bucket. */
  records(subject: ChangeSubject): Promise<string[]>;
  /** No sweep looks after it any more, so that a hundred subjects do not slow each other down. */
  retire(subject: ChangeSubject): Promise<void>;
  close(): Promise<void>;
}

/** `changesChosen`: what its tenants chose; the defaults when absent. */
export async function startChangeRig(
  changesChosen: z.input<typeof ChangeSettings> = {},
  options: Partial<WorldOptions> = {},
): Promise<ChangeRig> {
  const world = await testWorld(options);
  const chosen = { changes: ChangeSettings.parse(changesChosen) };
  const { cloud } = world;
  const { meta } = world.sandbox;
  const changes = openChanges(world.table('changes'));
  let made = 0;

  const rig: ChangeRig = {
    world,
    changes,
    histories: openHistory(world.table('history')),
    switches: openKillSwitches(world.table('changes')),
    ledgers: openLedgers(world.table('limits')),
    async subject(wanted = raised) {
      made += 1;
      const tenant = `tenant-${String(made).padStart(5, '0')}`;
      const account = await newTenant(world, tenant, made, chosen);
      const campaignId = meta.addCampaign(account.id, { name: 'Evergreen' });
      const adSetIds = ['Commuters', 'Students'].map((name) =>
        meta.addAdSet(campaignId, { name, dailyBudget: 5_000 }),
      );
      const adIds = adSetIds.map((adSetId) => meta.addAd(adSetId));
      const on = { tenant, account, campaignId, adSetIds, adIds };
      const request: ChangeRequest = {
        accountId: account.id,
        currency: account.currency,
        reason: 'The numbers say so.',
        origin: { area: 'budget', id: `decision-${made}`, actor: 'test' },
        expiresAt: cloud.clock.now() + 24 * HOUR_MS,
        ...wanted(on),
      };
      return { ...on, request, id: changeId(tenant, request) };
    },
    break: ({ id }, fault) => cloud.faults.add({ ...fault, event: id }),
    async queue({ tenant, request }) {
      const { change } = await changes.queue({
        tenant,
        request,
        status: 'PENDING',
        nowMs: cloud.clock.now(),
      });
      return change;
    },
    async change({ tenant, id }) {
      const found = await changes.get(tenant, id);
      if (found === undefined) throw new Error(`There is no change ${id}.`);
      return found;
    },
    async over(subject, withinMs = 10 * HOUR_MS) {
      await cloud.until(async () => isOver((await rig.change(subject)).status), { withinMs });
      // What an execution does after its change is over: its row, its word on the bus.
      await cloud.settle();
      return rig.change(subject);
    },
    async executions({ id }) {
      const { executions = [] } = await cloud.call('states', 'ListExecutions', {
        stateMachineArn: EXECUTOR_ARN,
        maxResults: 1_000,
      });
      const own = executions.filter(({ name }: Json) => String(name).startsWith(id));
      return own
        .map(({ name, executionArn, status, error }: Json) => ({ name, arn: executionArn, status, error }))
        .toReversed();
    },
    async records({ tenant }) {
      const { Contents = [] } = await cloud.call('s3', 'ListObjectsV2', {
        Bucket: MEDIA_BUCKET,
        Prefix: `${tenant}/records/`,
      });
      return Contents.map(({ Key }: Json) => Key as string);
    },
    async retire({ tenant }) {
      const table = world.table('settings');
      await table.delete({ Key: { pk: 'platform#tenant', sk: tenant } });
      await table.delete({ Key: { pk: settingsKey(tenant), sk: 'current' } });
    },
    close: () => world.close(),
  };
  return rig;
}

function raised({ adSetIds: [id = ''] }: Pick<ChangeSubject, 'adSetIds'>): Wanted {
  return { entity: { kind: 'adset', id }, kind: 'BUDGET_INCREASE', from: 5_000, to: 5_500 };
}
