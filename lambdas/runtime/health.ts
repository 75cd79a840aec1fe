// Does everything that we stand on answer, and does anything wait too long?
import { readFileSync } from 'node:fs';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import type { Clock } from './clock.ts';
import { variable, type Need, type Needs } from './need.ts';
import { tableNeed, type Table } from './table.ts';
import { TABLES, type TableName } from './tables.ts';
import { ChangeGauges, lateWorkers, readWorkers, type KnownWorker, type Workers } from './workers.ts';

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
  changes: ChangeGauges.optional().describe('The queue of changes, as of its last sweep'),
  workers: z
    .record(z.string(), z.object({ lastSuccessAt: z.string().nullable(), secondsAgo: z.number().nullable() }))
    .describe('Every worker that comes by the clock; null: it has not succeeded yet'),
  /** What is wrong, one sentence each, without names of tenants. */
  problems: z.array(z.string()),
});
export type Health = z.infer<typeof Health>;

export interface HealthCheck {
  /** At most one look per ten seconds: the address is public. Never throws. */
  look(): Promise<Health>;
}

const REMEMBERED_MS = 10_000;
/** Written beside the code when it is bundled, from the schedules of every trigger (lib/aws/app.ts). */
const WORKER_LIST = 'workers.json';
/** This very function: it is deployed anew whenever a worker comes or goes. */
const itself = { kind: 'function', task: 'Health' } as const;
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
    { actions: ['lambda:GetFunctionConfiguration'], on: itself },
  ],
  env: {
    ...(Object.assign({}, ...Object.values(parts).map(({ env }) => env)) as Need<unknown>['env']),
    QUEUES: { of: everyQueue, attribute: 'name' },
    FUNCTION_HEALTH: { of: itself, attribute: 'name' },
  },
  open(env, context) {
    const opened = new Map(NAMES.map((name) => [name, tables[name]?.open(env, context) as Table]));
    const client = sharedClient(env, 'sqs', () => new SQSClient(awsClientConfig(env, 'SQS')));
    const prefix = variable(env, 'QUEUES').replace(/\*$/, '');
    const lambda = sharedClient(env, 'lambda', () => new LambdaClient(awsClientConfig(env, 'LAMBDA')));
    const name = variable(env, 'FUNCTION_HEALTH');
    const known = JSON.parse(readFileSync(new URL(WORKER_LIST, import.meta.url), 'utf8')) as KnownWorker[];
    return openHealth(
      {
        tables: opened,
        queues: () => depths(client, prefix),
        known,
        deployedAtMs: () => deployedAtMs(lambda, name),
      },
      context.clock,
    );
  },
};

type Depths = Record<string, { waiting: number; inFlight: number }>;

interface Looked {
  tables: ReadonlyMap<TableName, Table>;
  queues(): Promise<Depths>;
  known: readonly KnownWorker[];
  /** Epoch milliseconds since when these workers are known. */
  deployedAtMs(): Promise<number>;
}

export function openHealth(looked: Looked, clock: Clock): HealthCheck {
  let last: { at: number; health: Promise<Health> } | undefined;
  return {
    look() {
      const at = clock.now();
      if (last === undefined || at - last.at >= REMEMBERED_MS) last = { at, health: look(looked, at) };
      return last.health;
    },
  };
}

async function look(
  { tables: opened, queues, known, deployedAtMs: deployed }: Looked,
  nowMs: number,
): Promise<Health> {
  const problems: string[] = [];
  let failing = false;
  const noAnswer = (what: string, error: unknown): undefined => {
    problems.push(`No answer from ${what}: ${error instanceof Error ? error.name : 'unknown'}.`);
  };
  /** What fails here is what health is about: it becomes a problem in the answer. */
  const tried = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      failing = true;
      return noAnswer(what, error);
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
  const isNew = workers !== undefined && known.some(({ worker }) => !workers.lastSuccess.has(worker));
  const since = isNew
    ? await deployed().catch((error: unknown) => noAnswer('its own deployment', error))
    : undefined;
  problems.push(
    ...concerns(openCircuits ?? 0, workers, depth ?? {}, nowMs),
    ...(workers === undefined ? [] : lateWorkers(known, workers.lastSuccess, since, nowMs)),
  );
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
    changes: workers?.changes,
    workers: workers === undefined ? {} : seen(known, workers, nowMs),
    problems,
  };
}

function seen(known: readonly KnownWorker[], { lastSuccess }: Workers, nowMs: number): Health['workers'] {
  return Object.fromEntries(
    known.map(({ worker }) => {
      const at = lastSuccess.get(worker);
      const secondsAgo = at === undefined ? null : (nowMs - Date.parse(at)) / 1_000;
      return [worker, { lastSuccessAt: at ?? null, secondsAgo }];
    }),
  );
}

function concerns(
  openCircuits: number,
  workers: Workers | undefined,
  depth: Depths,
  nowMs: number,
): string[] {
  const dead = Object.entries(depth).filter(
    ([name, { waiting }]) => name.includes('dead-letters') && waiting > 0,
  );
  const debts = workers?.gauges?.compensationDebts ?? 0;
  const expiry = workers?.gauges?.nextTokenExpiryAt;
  return [
    ...(openCircuits > 0 ? [`${openCircuits} circuits are open: a vendor is failing.`] : []),
    ...((workers?.changes?.stoppedAccounts ?? 0) > 0
      ? [`${workers?.changes?.stoppedAccounts} ad accounts are stopped: connect them again.`]
      : []),
    ...(debts > 0 ? [`${debts} effects could not be undone yet.`] : []),
    ...(expiry !== undefined && Date.parse(expiry) - nowMs < EXPIRY_WARNING_MS
      ? [`A vendor token ends at ${expiry}: connect again.`]
      : []),
    ...dead.map(([name, { waiting }]) => `${waiting} messages wait on ${name}.`),
  ];
}

async function deployedAtMs(client: LambdaClient, name: string): Promise<number> {
  const command = new GetFunctionConfigurationCommand({ FunctionName: name });
  const { LastModified } = await client.send(command);
  return Date.parse(LastModified ?? '');
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
