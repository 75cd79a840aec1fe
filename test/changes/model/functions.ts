// What may each function of the executor reach in the small world, and what sets it off?
import { task as applyChange } from '../../../lambdas/changes/apply-change.task.ts';
import { openChanges, type Changes } from '../../../lambdas/changes/changes.ts';
import { task as checkPolicy } from '../../../lambdas/changes/check-policy.task.ts';
import { task as claimChange } from '../../../lambdas/changes/claim-change.task.ts';
import { dispatch, type DispatchContext } from '../../../lambdas/changes/dispatch.ts';
import { trigger as expireChanges } from '../../../lambdas/changes/expire-changes.trigger.ts';
import { openHistory } from '../../../lambdas/changes/history.ts';
import { task as keepRecord } from '../../../lambdas/changes/keep-record.task.ts';
import { openKillSwitches } from '../../../lambdas/changes/kill-switches.ts';
import { openLeases } from '../../../lambdas/changes/leases.ts';
import { openLedgers } from '../../../lambdas/changes/ledgers.ts';
import { openLocks } from '../../../lambdas/changes/locks.ts';
import { task as readLive } from '../../../lambdas/changes/read-live.task.ts';
import { task as recordChange } from '../../../lambdas/changes/record-change.task.ts';
import { task as releaseChange } from '../../../lambdas/changes/release-change.task.ts';
import { task as reserveLimits } from '../../../lambdas/changes/reserve-limits.task.ts';
import { trigger as sweepChanges } from '../../../lambdas/changes/sweep-changes.trigger.ts';
import { task as verifyChange } from '../../../lambdas/changes/verify-change.task.ts';
import { wakes } from '../../../lambdas/changes/wake.ts';
import { trigger as wakeChanges } from '../../../lambdas/changes/wake-changes.trigger.ts';
import { openWithdrawals, type Withdrawals } from '../../../lambdas/changes/withdrawals.ts';
import { silentLog } from '../../../lambdas/runtime/log.ts';
import type { Item } from '../../../lambdas/runtime/table.ts';
import type { Process } from './agenda.ts';
import type { Answer } from './machine.ts';
import type { Road } from './memory-tables.ts';
import { TENANT, type SmallWorld } from './small-world.ts';

export interface Functions {
  /** A task, as its state invokes it. */
  invoke(task: string, envelope: unknown, timeoutMs: number): Promise<Answer>;
  /** By the minute. */
  sweep(): Promise<Answer>;
  /** Every ten minutes. */
  expire(): Promise<Answer>;
  /** For one line of the stream. */
  wake(before: Item | undefined, after: Item | undefined): Promise<Answer> | undefined;
  /** Repositories for whoever decides from outside. */
  desk(road: Road): {
    changes: Changes;
    withdrawals: Withdrawals;
    switches: ReturnType<typeof openKillSwitches>;
    audit: string;
  };
}

const TASKS = Object.fromEntries(
  [
    claimChange,
    readLive,
    checkPolicy,
    reserveLimits,
    applyChange,
    verifyChange,
    recordChange,
    keepRecord,
    releaseChange,
  ].map((task) => [
    task.name,
    task as unknown as { run(envelope: unknown, opened: object): Promise<unknown> },
  ]),
);

type Run = (
  name: string,
  body: (road: Road, process: Process) => Promise<unknown>,
  timeoutMs?: number,
) => Promise<Answer>;

export function functionsOf(world: SmallWorld, run: Run): Functions {
  const { agenda: time, settings } = world;
  const clock = { now: time.now };
  /** Records that waited for the tables, by key. */
  const bucket = new Map<string, string>();

  const settingsReader = {
    get: async () => settings,
    tenants: async () => [TENANT],
    adAccount: async () => settings.adAccounts[0],
  };

  function opened(road: Road, process: Process, changeId: string): Record<string, unknown> {
    const { tables, machine, platform } = world;
    const changesTable = tables.open('changes', road);
    const limitsTable = tables.open('limits', road);
    const audit = 'audit';
    const changes = openChanges(changesTable);
    const switches = openKillSwitches(changesTable);
    const history = openHistory(tables.open('history', road));
    const locks = openLocks(limitsTable);
    const leases = openLeases({ changes, switches, history, locks, audit });
    return {
      changes,
      switches,
      leases,
      timelines: history,
      ledgers: openLedgers(limitsTable),
      withdrawals: openWithdrawals({ changes, history, audit }),
      ads: platform.port(process, changeId),
      settings: settingsReader,
      bus: { publish: async () => void (await road()) },
      runs: { closeSteps: async () => undefined, close: async () => true, get: async () => undefined },
      announceStart: async () => undefined,
      beginAttempt: async () => (await road()) === 'done',
      machine: {
        async start(name: string, input: unknown) {
          const fate = await road();
          if (fate !== 'refused') machine.start(name, input);
          if (fate !== 'done')
            throw Object.assign(new Error('Step Functions is out of reach.'), { name: 'Unavailable' });
        },
        async describe(name: string) {
          await road();
          return machine.find(name);
        },
      },
      // Another service than the tables: late like them, and there when they are not.
      bucket: {
        async putJson(key: string, value: unknown) {
          await road();
          bucket.set(key, JSON.stringify(value));
          return true;
        },
        async getJson(key: string) {
          await road();
          const found = bucket.get(key);
          return found === undefined ? undefined : (JSON.parse(found) as unknown);
        },
        async delete(key: string) {
          await road();
          bucket.delete(key);
        },
        async list(prefix: string) {
          await road();
          return [...bucket.keys()]
            .filter((key) => key.startsWith(prefix))
            .map((key) => ({ key, sizeBytes: 1 }));
        },
      },
      clock,
      log: silentLog,
    };
  }

  const onTime = () => ({ scheduledTime: new Date(time.now()).toISOString() });

  // oxlint-disable-next-line typescript/no-explicit-any -- each trigger takes its own needs out of these
  function triggered(road: Road, process: Process): any {
    const needs = opened(road, process, '');
    const start = (tenant: string, account: string) =>
      dispatch(tenant, account, needs as unknown as DispatchContext);
    return { ...needs, dispatch: start, gauges: { record: async () => undefined } };
  }

  return {
    async invoke(name, envelope, timeoutMs) {
      const task = TASKS[name];
      if (task === undefined) throw new Error(`There is no task ${name}.`);
      const { run: owner } = envelope as { run: { id: string } };
      return run(name, (road, process) => task.run(envelope, opened(road, process, owner.id)), timeoutMs);
    },
    sweep: () =>
      run('SweepChanges', (road, process) => sweepChanges.run(onTime(), triggered(road, process)), 55_000),
    expire: () =>
      run('ExpireChanges', (road, process) => expireChanges.run(onTime(), triggered(road, process))),
    wake(before, after) {
      const keys = { pk: (after ?? before)?.pk, sk: (after ?? before)?.sk };
      const eventName = before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY';
      const record = {
        eventName,
        sequenceNumber: '1',
        expired: false,
        keys,
        ...(after === undefined ? {} : { newImage: after }),
        ...(before === undefined ? {} : { oldImage: before }),
      } as const;
      if (wakes(record, time.now()) === undefined) return undefined;
      return run('WakeChanges', (road, process) => wakeChanges.run(record, triggered(road, process)));
    },
    desk(road) {
      const { changes, withdrawals, switches } = opened(
        road,
        { name: 'desk', dead: false },
        '',
      ) as unknown as ReturnType<Functions['desk']>;
      return { changes, withdrawals, switches, audit: 'audit' };
    },
  };
}
