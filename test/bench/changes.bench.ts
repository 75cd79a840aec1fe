// How fast do queued changes reach their accounts, and what does each cost in state transitions?
import { openChanges, type Changes } from '../../lambdas/changes/changes.ts';
import type { ChangeRequest } from '../../lambdas/changes/change.ts';
import { openSettings, openSettingsWriter, Settings } from '../../lambdas/runtime/settings.ts';
import { startWorld, type World } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { testAssembly } from '../support/assembly.ts';

const START = Date.UTC(2026, 10, 20, 9, 0, 0);
const HOUR_MS = 3_600_000;
/** Daily budget of each ad set, cents, and by how much half of the changes raise it. */
const BUDGET = 5_000;
const RAISED = 5_100;
/** As many as the settings of one tenant take. */
const ACCOUNTS_PER_TENANT = 20;
const HISTORIES = 100;

export interface ChangesFigures {
  changes: number;
  accounts: number;
  completed: number;
  changesPerSecond: number;
  peakRssMegabytes: number;
  /** States entered by all executions, per change that was applied. */
  transitionsPerChange: number;
  virtualHours: number;
  violations: readonly string[];
}

export interface ChangesLoad {
  accounts: number;
  changesPerAccount: number;
  seed?: number;
  onProgress?: (done: number, of: number) => void;
}

interface Account {
  tenant: string;
  id: string;
}

/** Half of the changes raise the budget of an ad set by two percent, half pause an ad; every object is changed once. */
export async function benchChanges(load: ChangesLoad): Promise<ChangesFigures> {
  const world = await startWorld({
    time: 'virtual',
    startAt: START,
    seed: load.seed ?? 1,
    assembly: testAssembly(),
    ffmpeg: null,
  });
  try {
    const accounts = await connect(world, load.accounts);
    const changes = openChanges(world.table('changes'));
    for (const account of accounts) await queueAll(world, changes, account, load.changesPerAccount);
    const total = load.accounts * load.changesPerAccount;
    const startedAt = performance.now();
    const virtualStart = world.cloud.clock.now();
    let [done, peak] = [0, 0];
    while (done < total) {
      await world.cloud.advance(HOUR_MS);
      peak = Math.max(peak, process.memoryUsage.rss());
      const before = done;
      done = await ended(changes, accounts);
      load.onProgress?.(done, total);
      if (done === before && world.cloud.clock.now() - virtualStart > 400 * HOUR_MS)
        throw new Error(`${total - done} changes never ended.`);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const completed = await inStatus(changes, accounts, 'COMPLETED');
    return {
      changes: total,
      accounts: load.accounts,
      completed,
      changesPerSecond: total / seconds,
      peakRssMegabytes: peak / 1_048_576,
      transitionsPerChange: (await transitions(world)) / completed,
      virtualHours: (world.cloud.clock.now() - virtualStart) / HOUR_MS,
      violations: accounts.flatMap((account) => violationsOf(world, account, load.changesPerAccount)),
    };
  } finally {
    await world.close();
  }
}

async function connect(world: World, count: number): Promise<Account[]> {
  const accounts: Account[] = [];
  const [token = ''] = DEFAULT_ACCOUNT.tokens;
  const writer = openSettingsWriter(world.table('settings'), world.table('audit').name);
  for (let from = 0; from < count; from += ACCOUNTS_PER_TENANT) {
    const tenant = `bench-${from / ACCOUNTS_PER_TENANT}`;
    await world.cloud.call('secretsmanager', 'CreateSecret', {
      Name: `impresario/tenants/${tenant}/meta`,
      SecretString: JSON.stringify({ accessToken: token }),
    });
    const ids = Array.from({ length: Math.min(ACCOUNTS_PER_TENANT, count - from) }, (_, index) =>
      String(7_000_000_000 + from + index),
    );
    for (const id of ids) world.sandbox.meta.addAccount({ ...DEFAULT_ACCOUNT, id });
    const { version } = await openSettings(world.table('settings')).current(tenant);
    await writer.save({
      tenant,
      expectedVersion: version,
      settings: Settings.parse({
        adAccounts: ids.map((id) => ({
          id,
          currency: DEFAULT_ACCOUNT.currency,
          timeZone: DEFAULT_ACCOUNT.timeZone,
          pageId: DEFAULT_ACCOUNT.pageIds[0],
          secret: `tenants/${tenant}/meta`,
        })),
        changes: { blastRadius: { perRunMinor: 100_000_000, perDayMinor: 100_000_000 } },
      }),
      actor: 'bench',
      nowMs: world.cloud.clock.now(),
    });
    accounts.push(...ids.map((id) => ({ tenant, id })));
  }
  return accounts;
}

async function queueAll(
  world: World,
  changes: Changes,
  { tenant, id }: Account,
  count: number,
): Promise<void> {
  const { meta } = world.sandbox;
  const nowMs = world.cloud.clock.now();
  const campaign = meta.addCampaign(id);
  for (let index = 0; index < count; index += 1) {
    const adSet = meta.addAdSet(campaign, { dailyBudget: BUDGET });
    const common = {
      accountId: id,
      currency: DEFAULT_ACCOUNT.currency,
      reason: 'Measured.',
      expectedValueMinor: index,
      origin: { area: 'bench', id: `${id}-${index}`, actor: 'bench' },
      expiresAt: nowMs + 1_000 * HOUR_MS,
    };
    const request: ChangeRequest =
      index % 2 === 0
        ? {
            ...common,
            entity: { kind: 'adset', id: adSet },
            kind: 'BUDGET_INCREASE',
            from: BUDGET,
            to: RAISED,
          }
        : {
            ...common,
            entity: { kind: 'ad', id: meta.addAd(adSet) },
            kind: 'PAUSE',
            from: 'ACTIVE',
            to: 'PAUSED',
          };
    await changes.queue({ tenant, request, status: 'PENDING', nowMs });
  }
}

async function inStatus(
  changes: Changes,
  accounts: readonly Account[],
  status: 'COMPLETED',
): Promise<number> {
  const tenants = [...new Set(accounts.map(({ tenant }) => tenant))];
  const found = await Promise.all(tenants.map((tenant) => changes.inStatus(tenant, status)));
  return found.reduce((sum, one) => sum + one.length, 0);
}

async function ended(changes: Changes, accounts: readonly Account[]): Promise<number> {
  let sum = 0;
  for (const { tenant, id } of accounts) {
    let after: Record<string, unknown> | undefined;
    do {
      const page = await changes.ranked(tenant, id, 'over', { limit: 1_000, ...(after ? { after } : {}) });
      sum += page.changes.length;
      after = page.next;
    } while (after !== undefined);
  }
  return sum;
}

/** States entered by every execution: those of a sample, for all. */
async function transitions(world: World): Promise<number> {
  const { stateMachines } = (await world.cloud.call('states', 'ListStateMachines', {})) as {
    stateMachines: { name: string; stateMachineArn: string }[];
  };
  const stateMachineArn = stateMachines.find(({ name }) =>
    name.endsWith('change-execution'),
  )?.stateMachineArn;
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = (await world.cloud.call('states', 'ListExecutions', {
      stateMachineArn,
      maxResults: 1_000,
      ...(nextToken === undefined ? {} : { nextToken }),
    })) as { executions: { executionArn: string }[]; nextToken?: string };
    arns.push(...page.executions.map(({ executionArn }) => executionArn));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  const step = Math.max(1, Math.floor(arns.length / HISTORIES));
  const sample = arns.filter((_, index) => index % step === 0);
  let entered = 0;
  for (const executionArn of sample) {
    const { events } = (await world.cloud.call('states', 'GetExecutionHistory', {
      executionArn,
      maxResults: 1_000,
    })) as { events: { type: string }[] };
    entered += events.filter(({ type }) => type.endsWith('StateEntered')).length;
  }
  return (entered / sample.length) * arns.length;
}

/** What must not be in the account's own log: an object changed twice, a bucket exceeded, an effect missing. */
function violationsOf(world: World, { id }: Account, expected: number): string[] {
  const effects = world.sandbox.meta.effects(id).filter(({ by }) => by === 'api');
  const times = effects.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  const crowded = times.filter((at, index) => index >= 15 && at - (times[index - 15] ?? 0) < HOUR_MS);
  const objects = new Set(effects.map(({ objectId }) => objectId));
  return [
    ...(objects.size === effects.length ? [] : [`${id}: an object was changed twice`]),
    ...(effects.length === expected ? [] : [`${id}: ${effects.length} effects of ${expected}`]),
    ...crowded.map((at) => `${id}: more than 15 changes in the hour before ${new Date(at).toISOString()}`),
  ];
}
