// How does a test get tables, a bucket, queues and a bus that behave like AWS's?
import { TABLES, type TableName } from '../../lambdas/runtime/tables.ts';
import type { Clock } from '../../lambdas/runtime/clock.ts';
import type { Env, Need } from '../../lambdas/runtime/need.ts';
import { createCloud, type Cloud } from '../../lib/local/cloud.ts';

export interface DataPlane {
  cloud: Cloud;
  /** What a function with every need would find in its environment. */
  env: Record<string, string>;
  /** Moves only when a test says so. */
  clock: Clock & { advance(ms: number): void };
  open<T>(need: Need<T>): T;
}

const START = Date.UTC(2026, 2, 1);

/** Everything the platform stack makes, by the names of `tables.ts`, in one process. Close `cloud` when done. */
export async function startDataPlane(options: { queues?: readonly string[] } = {}): Promise<DataPlane> {
  const cloud = await createCloud({ time: 'real', seed: 1 });
  const env: Record<string, string> = {
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    BUCKET_MEDIA: 'media',
    BUS_NAME: 'platform',
  };
  for (const name of Object.keys(TABLES) as TableName[]) {
    const indexes = TABLES[name].indexes ?? [];
    const keys = ['pk', 'sk', ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
    const schema = (partition: string, sort: string) => [
      { AttributeName: partition, KeyType: 'HASH' },
      { AttributeName: sort, KeyType: 'RANGE' },
    ];
    await cloud.call('dynamodb', 'CreateTable', {
      TableName: `test-${name}`,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...new Set(keys)].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: schema('pk', 'sk'),
      ...(indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: indexes.map((index) => ({
              IndexName: index.name,
              KeySchema: schema(index.partitionKey, index.sortKey),
              Projection: { ProjectionType: 'ALL' },
            })),
          }),
    });
    env[`TABLE_${name.toUpperCase()}`] = `test-${name}`;
  }
  await cloud.call('s3', 'CreateBucket', { Bucket: 'media' });
  await cloud.call('events', 'CreateEventBus', { Name: 'platform' });
  for (const name of options.queues ?? []) {
    const { QueueUrl } = (await cloud.call('sqs', 'CreateQueue', {
      QueueName: name,
      ...(name.endsWith('.fifo') ? { Attributes: { FifoQueue: 'true' } } : {}),
    })) as { QueueUrl: string };
    env[`QUEUE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`] = QueueUrl;
  }
  let nowMs = START;
  const clock = { now: () => nowMs, advance: (ms: number) => void (nowMs += ms) };
  return { cloud, env, clock, open: (need) => need.open(env satisfies Env, { clock }) };
}
