// Do streams tell every change once, and do items expire late?
import { describe, expect, it } from 'vitest';
import { createDynamo, type DynamoEngine } from '../../../lib/local/dynamodb/dynamo.ts';
import type { StreamRecord } from '../../../lib/local/dynamodb/streams.ts';
import type { Json } from '../../../lib/local/types.ts';
import { createTestClock, createTestContext, type TestClock } from './test-clock.ts';

const HOUR_MS = 3_600_000;

async function bench(ttlLagMs?: number): Promise<{
  clock: TestClock;
  engine: DynamoEngine;
  call(operation: string, input: Json): Promise<Json>;
  put(sk: string, more?: Json): Promise<Json>;
}> {
  const clock = createTestClock();
  const engine = createDynamo(createTestContext(clock), ttlLagMs === undefined ? {} : { ttlLagMs });
  const call = (operation: string, input: Json): Promise<Json> =>
    engine.call(operation, input, { principal: { kind: 'administrator' } });
  await call('CreateTable', {
    TableName: 'changes',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
  return {
    clock,
    engine,
    call,
    put: (pk, more = {}) => call('PutItem', { TableName: 'changes', Item: { pk: { S: pk }, ...more } }),
  };
}

async function recordsFrom(call: (operation: string, input: Json) => Promise<Json>): Promise<StreamRecord[]> {
  const { Streams } = await call('ListStreams', { TableName: 'changes' });
  const { ShardIterator } = await call('GetShardIterator', {
    StreamArn: Streams[0].StreamArn,
    ShardId: 'shardId-00000000000000000000-00000001',
    ShardIteratorType: 'TRIM_HORIZON',
  });
  return (await call('GetRecords', { ShardIterator })).Records as StreamRecord[];
}

describe('streams', () => {
  it('record what changed, in order, and only what changed', async () => {
    const { call, put, engine } = await bench();
    const heard: string[] = [];
    const stop = engine.onStream('changes', (record) => heard.push(record.eventName));
    await put('a', { n: { N: '1' } });
    await put('a', { n: { N: '1' } });
    await call('TransactWriteItems', {
      TransactItems: [
        { Put: { TableName: 'changes', Item: { pk: { S: 'a' }, n: { N: '2' } } } },
        { Put: { TableName: 'changes', Item: { pk: { S: 'b' } } } },
      ],
    });
    await call('DeleteItem', { TableName: 'changes', Key: { pk: { S: 'a' } } });
    stop();
    await call('DeleteItem', { TableName: 'changes', Key: { pk: { S: 'b' } } });
    expect(heard).toEqual(['INSERT', 'MODIFY', 'INSERT', 'REMOVE']);
    const records = await recordsFrom(call);
    expect(records.map((record) => [record.eventName, record.dynamodb.Keys['pk'].S])).toEqual([
      ['INSERT', 'a'],
      ['MODIFY', 'a'],
      ['INSERT', 'b'],
      ['REMOVE', 'a'],
      ['REMOVE', 'b'],
    ]);
    expect(records[1]?.dynamodb).toMatchObject({
      OldImage: { pk: { S: 'a' }, n: { N: '1' } },
      NewImage: { pk: { S: 'a' }, n: { N: '2' } },
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    });
    const numbers = records.map((record) => record.dynamodb.SequenceNumber);
    expect(numbers).toEqual(numbers.toSorted());
  });

  it('page, continue after a sequence number, and forget after 24 hours', async () => {
    const { call, put, clock } = await bench();
    await put('old');
    await clock.advance(23 * HOUR_MS);
    await put('new');
    const [first] = await recordsFrom(call);
    const StreamArn = (await call('DescribeTable', { TableName: 'changes' })).Table.LatestStreamArn;
    const iterator = { StreamArn, ShardId: 'shardId-00000000000000000000-00000001' };
    const after = await call('GetShardIterator', {
      ...iterator,
      ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
      SequenceNumber: first?.dynamodb.SequenceNumber,
    });
    const page = await call('GetRecords', { ...after, Limit: 1 });
    expect(page.Records.map((record: Json) => record.dynamodb.Keys.pk.S)).toEqual(['new']);
    expect((await call('GetRecords', { ShardIterator: page.NextShardIterator })).Records).toEqual([]);
    const atStart = await call('GetShardIterator', { ...iterator, ShardIteratorType: 'TRIM_HORIZON' });
    await clock.advance(HOUR_MS);
    expect((await recordsFrom(call)).map((record) => record.dynamodb.Keys['pk'].S)).toEqual(['new']);
    await expect(call('GetRecords', atStart)).rejects.toMatchObject({ code: 'TrimmedDataAccessException' });
  });
});

describe('time to live', () => {
  it('deletes late, as the service, without making the clock busy', async () => {
    const { call, put, clock, engine } = await bench(24 * HOUR_MS);
    await call('UpdateTimeToLive', {
      TableName: 'changes',
      TimeToLiveSpecification: { Enabled: true, AttributeName: 'expiresAt' },
    });
    expect((await call('DescribeTimeToLive', { TableName: 'changes' })).TimeToLiveDescription).toEqual({
      TimeToLiveStatus: 'ENABLED',
      AttributeName: 'expiresAt',
    });
    expect(clock.busyTimers()).toBe(0);
    const seconds = (afterMs: number): Json => ({
      expiresAt: { N: String(Math.floor((clock.now() + afterMs) / 1000)) },
    });
    await put('soon', seconds(HOUR_MS));
    await put('later', seconds(100 * HOUR_MS));
    await put('never', { expiresAt: { S: '1' } });
    await clock.advance(24 * HOUR_MS);
    expect((await call('Scan', { TableName: 'changes' })).Count).toBe(3);
    await clock.advance(2 * HOUR_MS);
    const { Items } = await call('Scan', { TableName: 'changes' });
    expect(Items.map((item: Json) => item.pk.S).toSorted()).toEqual(['later', 'never']);
    expect(await recordsFrom(call)).toMatchObject([
      {
        eventName: 'REMOVE',
        userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
        dynamodb: { Keys: { pk: { S: 'soon' } } },
      },
    ]);
    engine.close();
  });
});
