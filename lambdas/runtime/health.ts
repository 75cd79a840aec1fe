// Does everything that we stand on answer, and does anything wait too long?
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import type { Clock } from './clock.ts';
import { variable, type Need, type Needs } from './need.ts';
import { tableNeed, type Table } from './table.ts';
import { TABLES, type TableName } from './tables.ts';
import { readWorkers, type Workers } from './workers.ts';

export const Health = z.object({
  /** `degraded`: works, but a vendor is away, a debt is open or a worker is late. */
  status: z.enum(['ok', 'degraded', 'failing']),
  checkedAt: z.string(),
  tables: z.record(z.string(), z.enum(['ok', 'failing'])),
  queues: z.record(z.string(), z.object({ waiting: z.number().int(), inFlight: z.number().int() })),
  /** Undefined when their table does not answer. */
  openCircuits: z.number().int().optional(),
  pendingChanges: z.number().int().optional(),
  compensationDebts: z.number().int().optional(),
  openRuns: z.number().int().optional(),
  oldestPendingSeconds: z.number().optional().describe('As of the last sweep'),
  nextTokenExpiryAt: z.string().optional().describe('The next vendor token to end, as of the last sweep'),
  workers: z.record(z.string(), z.object({ lastSuccessAt: z.string(), secondsAgo: z.number() })),
  /** What is wrong, one sentence each, without names of tenants. */
  problems: z.array(z.string()),
});
export type Health = z.infer<typeof Health>;

export interface HealthCheck {
  /** At most one look per ten seconds: the address is public. Never throws. */
  look(): Promise<Health>;
}

const REMEMBERED_MS = 10_000;
/** Scheduled workers come every five minutes. */
const LATE_MS = 20 * 60_000;
/** Time for a person to connect again. */
const EXPIRY_WARNING_MS = 7 * 86_400_000;
const NAMES = Object.keys(TABLES) as TableName[];

const tables: Record<string, Need<Table>> = Object.fromEntries(
  NAMES.map((name) => [
    name,
    tableNeed(name, name === 'circuits' || name === 'runs' ? ['GetItem', 'Query'] : ['GetItem']),
  ]),
);
const everyQueue = { kind: 'queue', name: '*' } as const;

const parts: Needs = tables;

export const healthNeed: Need<HealthCheck> = {
  grants: [
    ...Object.values(parts).flatMap(({ grants }) => [...grants]),
    { actions: ['sqs:GetQueueAttributes'], on: everyQueue },
    { actions: ['sqs:ListQueues'], on: { kind: 'any', reason: 'Listing queues has no resource.' } },
  ],
  env: {
    ...(Object.assign({}, ...Object.values(parts).map(({ env }) => env)) as Need<unknown>['env']),
    QUEUES: { of: everyQueue, attribute: 'name' },
  },
  open(env, context) {
    const opened = new Map(NAMES.map((name) => [name, tables[name]?.open(env, context) as Table]));
    const client = sharedClient(env, 'sqs', () => new SQSClient(awsClientConfig(env, 'SQS')));
    const prefix = variable(env, 'QUEUES').replace(/\*$/, '');
    return openHealth(opened, () => depths(client, prefix), context.clock);
  },
};

type Depths = Record<string, { waiting: number; inFlight: number }>;

export function openHealth(
  opened: ReadonlyMap<TableName, Table>,
  queues: () => Promise<Depths>,
  clock: Clock,
): HealthCheck {
  let last: { at: number; health: Promise<Health> } | undefined;
  return {
    look() {
      const at = clock.now();
      if (last === undefined || at - last.at >= REMEMBERED_MS)
        last = { at, health: look(opened, queues, at) };
      return last.health;
    },
  };
}

async function look(
  opened: ReadonlyMap<TableName, Table>,
  queues: () => Promise<Depths>,
  nowMs: number,
): Promise<Health> {
  const problems: string[] = [];
  let failing = false;
  /** What fails here is what health is about: it becomes a problem in the answer. */
  const tried = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      failing = true;
      problems.push(`No answer from ${what}: ${error instanceof Error ? error.name : 'unknown'}.`);
      return undefined;
    }
  };
  const states = await Promise.all(
    [...opened].map(async ([name, table]): Promise<[string, 'ok' | 'failing']> => {
      const read = await tried(`table ${name}`, async () => {
        await table.get({ pk: 'platform#health', sk: 'look' });
        return true;
      });
      return [name, read === true ? 'ok' : 'failing'];
    }),
  );
  const working = new Set(states.filter(([, state]) => state === 'ok').map(([name]) => name));
  const circuits = opened.get('circuits');
  const runs = opened.get('runs');
  const openCircuits =
    circuits && working.has('circuits')
      ? await tried('the list of circuits', async () => countOpen(circuits, nowMs))
      : undefined;
  const workers =
    runs && working.has('runs') ? await tried('the list of workers', () => readWorkers(runs)) : undefined;
  const depth = await tried('the queues', queues);
  problems.push(...concerns(openCircuits ?? 0, workers, depth ?? {}, nowMs));
  const gauges = workers?.gauges;
  return {
    status: failing ? 'failing' : problems.length > 0 ? 'degraded' : 'ok',
    checkedAt: new Date(nowMs).toISOString(),
    tables: Object.fromEntries(states),
    queues: depth ?? {},
    openCircuits,
    pendingChanges: gauges?.pendingChanges,
    compensationDebts: gauges?.compensationDebts,
    openRuns: gauges?.openRuns,
    oldestPendingSeconds:
      gauges?.oldestPendingAt === undefined
        ? undefined
        : (nowMs - Date.parse(gauges.oldestPendingAt)) / 1_000,
    nextTokenExpiryAt: gauges?.nextTokenExpiryAt,
    workers: Object.fromEntries(
      (workers?.lastSuccess ?? []).map(({ worker, at }) => [
        worker,
        { lastSuccessAt: at, secondsAgo: (nowMs - Date.parse(at)) / 1_000 },
      ]),
    ),
    problems,
  };
}

function concerns(
  openCircuits: number,
  workers: Workers | undefined,
  depth: Depths,
  nowMs: number,
): string[] {
  const late = (workers?.lastSuccess ?? []).filter(({ at }) => nowMs - Date.parse(at) > LATE_MS);
  const dead = Object.entries(depth).filter(
    ([name, { waiting }]) => name.includes('dead-letters') && waiting > 0,
  );
  const debts = workers?.gauges?.compensationDebts ?? 0;
  const expiry = workers?.gauges?.nextTokenExpiryAt;
  return [
    ...(openCircuits > 0 ? [`${openCircuits} circuits are open: a vendor is failing.`] : []),
    ...(debts > 0 ? [`${debts} effects could not be undone yet.`] : []),
    ...(expiry !== undefined && Date.parse(expiry) - nowMs < EXPIRY_WARNING_MS
      ? [`A vendor token ends at ${expiry}: connect again.`]
      : []),
    ...late.map(({ worker, at }) => `${worker} last succeeded at ${at}.`),
    ...dead.map(([name, { waiting }]) => `${waiting} messages wait on ${name}.`),
  ];
}

async function countOpen(circuits: Table, nowMs: number): Promise<number> {
  const rows = await circuits.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': 'platform#open-circuits' },
  });
  return rows.filter(({ expiresAt }) => Number(expiresAt) * 1_000 > nowMs).length;
}

/** Every queue of the stage, by our name for it. */
async function depths(client: SQSClient, prefix: string): Promise<Depths> {
  const { QueueUrls = [] } = await client.send(
    new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 1_000 }),
  );
  const found = await Promise.all(
    QueueUrls.map(async (QueueUrl) => {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      );
      const name = QueueUrl.split('/').at(-1)?.slice(prefix.length) ?? QueueUrl;
      const depth = {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      };
      return [name, depth] as const;
    }),
  );
  return Object.fromEntries(found.toSorted(([a], [b]) => a.localeCompare(b)));
}
