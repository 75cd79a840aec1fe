// How does a test take a change through single steps of its execution, against real tables and the simulated ad account?
import { afterAll, afterEach, beforeAll } from 'vitest';
import type * as z from 'zod';
import { CHANGE_EXECUTION } from '../../lambdas/changes/change-execution.ts';
import type { Change, ChangeRequest } from '../../lambdas/changes/change.ts';
import { openChanges, type Changes } from '../../lambdas/changes/changes.ts';
import { openHistory, type History } from '../../lambdas/changes/history.ts';
import { openKillSwitches, type KillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { openLedgers, type Ledgers } from '../../lambdas/changes/ledgers.ts';
import { leasesNeed, type Leases } from '../../lambdas/changes/leases.ts';
import { beginAttemptNeed } from '../../lambdas/runtime/begin-attempt.ts';
import { bucketNeed, type Bucket } from '../../lambdas/runtime/bucket.ts';
import type { Task, TaskContext, TaskDoubles } from '../../lambdas/runtime/define-task.ts';
import type { Need, Needs } from '../../lambdas/runtime/need.ts';
import { executionName } from '../../lambdas/runtime/run-id.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import type { TableName } from '../../lambdas/runtime/tables.ts';
import { seedRunningCampaign, type RunningCampaign } from '../../lib/laptop/running-campaign.ts';
import type { Cloud } from '../../lib/local/cloud.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { startSandbox, type Sandbox } from '../../lib/sandbox/sandbox.ts';
import { startDataPlane, type DataPlane } from '../runtime/data-plane.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';
import { walkOf, type Walk } from './change-walk.ts';
import { connected, vendors } from './connections.ts';
import { hear, HEARD, said, type Said } from './heard.ts';

export const ACCOUNT = DEFAULT_ACCOUNT.id;
export const EXECUTIONS = `impresario-test-${CHANGE_EXECUTION}`;
type Names = readonly string[];

/** Asked for by a test; what it leaves out is the rise of the first ad set's budget from 50.00 to 55.00. */
export type Asked = Partial<ChangeRequest>;

/** A tenant of its own with the running campaign in its ad account. */
export interface ChangeAccount extends RunningCampaign {
  readonly tenant: string;
  queue(asked?: Asked, status?: 'PENDING' | 'HELD'): Promise<Change>;
  /** Queued, dispatched and claimed. */
  taken(asked?: Asked): Promise<Change>;
  /** Names the next lease and opens its run, as the dispatcher does. */
  dispatched(change: Change): Promise<Change>;
  claimed(change: Change): Promise<Change>;
  get(id: string): Promise<Change>;
  walk(change: Change): Walk;
  /** What was said of this tenant on the bus since any account last asked. */
  said(): Promise<Said[]>;
  run<I extends z.ZodType, O extends z.ZodType, N extends Needs, E extends Names, U extends Names>(
    task: Task<I, O, N, E, U>,
    change: Pick<Change, 'id' | 'lease'>,
    input: z.input<I>,
    context?: Partial<TaskContext> & Record<string, unknown>,
  ): Promise<z.output<O>>;
}

export interface ChangeRig {
  cloud: Cloud;
  sandbox: Sandbox;
  clock: DataPlane['clock'];
  changes: Changes;
  histories: History;
  switches: KillSwitches;
  ledgers: Ledgers;
  leases: Leases;
  bucket: Bucket;
  table(name: TableName): Table;
  open<T>(need: Need<T>): T;
  /** The needs of a trigger, open. */
  openAll(needs: Needs): Record<string, unknown>;
  account(chosen?: z.input<typeof Settings>['changes']): Promise<ChangeAccount>;
  /** What happened in the ad account, by whomever. */
  effects(): { objectId: string; field: string; before: unknown; after: unknown; by: string }[];
  /** Names of the executions that were started. */
  executions(): Promise<string[]>;
  metrics: OutputLines['metrics'];
}

const DAY_MS = 86_400_000;
/** An execution that waits an hour is still RUNNING. */
const DEFINITION = {
  QueryLanguage: 'JSONata',
  StartAt: 'Stay',
  States: { Stay: { Type: 'Wait', Seconds: 3600, End: true } },
};

/** One data plane and sandbox per test file; after each test the ad account is empty and every switch and fault is off. */
export function useChangeRig(): ChangeRig {
  const rig = {} as ChangeRig;
  let plane: DataPlane;
  let output: OutputLines;
  let tenants = 0;
  let machine = '';

  beforeAll(async () => {
    output = captureOutput();
    plane = await startDataPlane({ queues: ['audit-chain.fifo', HEARD] });
    await hear(plane);
    const made = (await plane.cloud.call('states', 'CreateStateMachine', {
      name: EXECUTIONS,
      roleArn: 'arn:aws:iam::000000000000:role/machine',
      definition: JSON.stringify(DEFINITION),
    })) as { stateMachineArn: string };
    machine = made.stateMachineArn;
    rig.sandbox = await startSandbox({ now: plane.clock.now, random: () => 0.5 });
    Object.assign(plane.env, vendors(rig.sandbox), { STATE_MACHINE_CHANGE_EXECUTION: machine });
    rig.table = (name) => plane.open(tableNeed(name, 'transact'));
    Object.assign(rig, {
      cloud: plane.cloud,
      clock: plane.clock,
      open: plane.open,
      changes: openChanges(rig.table('changes')),
      histories: openHistory(rig.table('history')),
      switches: openKillSwitches(rig.table('changes')),
      ledgers: openLedgers(rig.table('limits')),
      leases: plane.open(leasesNeed('dispatch', 'claim', 'begin', 'finish')),
      bucket: plane.open(bucketNeed([])),
    } satisfies Partial<ChangeRig>);
  });
  afterEach(() => {
    plane.cloud.faults.clear();
    rig.sandbox.reset();
    output.clear();
  });
  afterAll(async () => {
    output.stop();
    await rig.sandbox.close();
    await plane.cloud.close();
  });

  rig.metrics = () => output.metrics();
  rig.openAll = (needs) => ({
    ...Object.fromEntries(Object.entries(needs).map(([name, need]) => [name, plane.open(need) as unknown])),
    clock: plane.clock,
  });
  rig.effects = () =>
    rig.sandbox.meta
      .effects(ACCOUNT)
      .map(({ objectId, field, before, after, by }) => ({ objectId, field, before, after, by }));
  rig.executions = async () => {
    const { executions } = (await plane.cloud.call('states', 'ListExecutions', {
      stateMachineArn: machine,
    })) as { executions: { name: string }[] };
    return executions.map(({ name }) => name);
  };
  rig.account = async (chosen = {}) => {
    tenants += 1;
    const tenant = `tenant-${tenants}`;
    // What an earlier test left in the vendor's own windows is over.
    plane.clock.advance(DAY_MS);
    const secret = { accessToken: DEFAULT_ACCOUNT.tokens[0] };
    await plane.cloud.call('secretsmanager', 'CreateSecret', {
      Name: `impresario/tenants/${tenant}/meta`,
      SecretString: JSON.stringify(secret),
    });
    const settings = Settings.parse({ ...connected(tenant), changes: chosen });
    const rows = rig.table('settings');
    await rows.put({ Item: { pk: `${tenant}#settings`, sk: 'current', version: 1, settings } });
    const account = openAccount(rig, tenant, seedRunningCampaign(rig.sandbox.meta));
    account.said = async () => (await said(plane)).filter(({ detail }) => detail['tenant'] === tenant);
    return account;
  };
  return rig;
}

/** What the state machine would try again passes; anything else is a bug. */
export async function outages(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (error) {
    if (!(error instanceof Error && ['Unavailable', 'RateLimited'].includes(error.name))) throw error;
  }
}

let decisions = 0;

function openAccount(rig: ChangeRig, tenant: string, running: RunningCampaign): ChangeAccount {
  const { changes, leases, clock } = rig;
  const account = {
    tenant,
    ...running,
    async queue(asked = {}, status = 'PENDING') {
      decisions += 1;
      const request: ChangeRequest = {
        accountId: ACCOUNT,
        entity: { kind: 'adset', id: running.adSetIds[0] ?? '' },
        kind: 'BUDGET_INCREASE',
        from: 5_000,
        to: 5_500,
        currency: DEFAULT_ACCOUNT.currency,
        reason: 'The numbers say so.',
        origin: { area: 'budget', id: `decision-${decisions}`, actor: 'test' },
        expiresAt: clock.now() + DAY_MS,
        ...asked,
      };
      return (await changes.queue({ tenant, request, status, nowMs: clock.now() })).change;
    },
    async get(id) {
      const change = await changes.get(tenant, id);
      if (change === undefined) throw new Error(`There is no change ${id}.`);
      return change;
    },
    async dispatched(change) {
      const lease = await leases.dispatch(change, clock.now());
      if (lease === undefined) throw new Error(`${change.id} could not be dispatched.`);
      await rig.open(beginAttemptNeed)({
        tenant,
        runId: change.id,
        stateMachine: CHANGE_EXECUTION,
        attempt: lease,
        request: { changeId: change.id, lease },
        nowMs: clock.now(),
      });
      return account.get(change.id);
    },
    async claimed(change) {
      const { id, lease } = change;
      const claim = await leases.claim(tenant, id, { lease, holder: executionName(id, lease) }, clock.now());
      if (!claim.claimed) throw new Error(claim.reason);
      return claim.change;
    },
    taken: async (asked) => account.claimed(await account.dispatched(await account.queue(asked))),
    run: async (task, change, input, context = {}) =>
      task.run({ run: { id: change.id, tenant, attempt: change.lease }, state: task.name, input }, {
        ...rig.openAll(task.needs),
        ...context,
      } as unknown as TaskDoubles<never, never, never>),
    walk: (change) => walkOf(account, change),
  } as ChangeAccount;
  return account;
}
