// Does the embedded DynamoDB behave as the SDK and its guide expect?
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeContinuousBackupsCommand,
  DynamoDBClient,
  ListTablesCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamo, type DynamoEngine } from '../../../lib/local/dynamodb/dynamo.ts';
import { serveJson, type TestServer } from './json-server.ts';
import { createTestClock, createTestContext } from './test-clock.ts';

const TABLE = {
  TableName: 'changes',
  BillingMode: 'PAY_PER_REQUEST' as const,
  AttributeDefinitions: ['pk', 'sk', 'statusPk', 'notBefore'].map((AttributeName) => ({
    AttributeName,
    AttributeType: 'S' as const,
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' as const },
    { AttributeName: 'sk', KeyType: 'RANGE' as const },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byStatus',
      KeySchema: [
        { AttributeName: 'statusPk', KeyType: 'HASH' as const },
        { AttributeName: 'notBefore', KeyType: 'RANGE' as const },
      ],
      Projection: { ProjectionType: 'ALL' as const },
    },
  ],
};

let engine: DynamoEngine;
let server: TestServer;
let client: DynamoDBClient;
let documents: DynamoDBDocumentClient;

beforeAll(async () => {
  engine = createDynamo(createTestContext(createTestClock()));
  server = await serveJson(engine);
  client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  documents = DynamoDBDocumentClient.from(client);
  await client.send(new CreateTableCommand(TABLE));
});

afterAll(async () => {
  engine.close();
  client.destroy();
  await server.close();
});

const indexed = async (status: string): Promise<unknown[]> => {
  const { Items } = await documents.send(
    new QueryCommand({
      TableName: 'changes',
      IndexName: 'byStatus',
      KeyConditionExpression: 'statusPk = :s',
      ExpressionAttributeValues: { ':s': status },
    }),
  );
  return (Items ?? []).map((item) => item['sk']);
};

describe('single items through the SDK', () => {
  it('writes, reads and updates with conditions, and keeps the index in step', async () => {
    const key = { pk: 't1', sk: 'a' };
    await documents.send(
      new PutCommand({ TableName: 'changes', Item: { ...key, statusPk: 't1#HELD', notBefore: '1', n: 1 } }),
    );
    expect(await indexed('t1#HELD')).toEqual(['a']);
    const updated = await documents.send(
      new UpdateCommand({
        TableName: 'changes',
        Key: key,
        UpdateExpression:
          'SET statusPk = :p, n = n + :one, tags = list_append(if_not_exists(tags, :none), :tag)',
        ConditionExpression: 'attribute_exists(pk) AND n = :one',
        ExpressionAttributeValues: { ':p': 't1#PENDING', ':one': 1, ':none': [], ':tag': ['x'] },
        ReturnValues: 'ALL_NEW',
      }),
    );
    expect(updated.Attributes).toEqual({ ...key, statusPk: 't1#PENDING', notBefore: '1', n: 2, tags: ['x'] });
    expect(await indexed('t1#HELD')).toEqual([]);
    expect(await indexed('t1#PENDING')).toEqual(['a']);
    await documents.send(new DeleteCommand({ TableName: 'changes', Key: key }));
    expect(await indexed('t1#PENDING')).toEqual([]);
    expect((await documents.send(new GetCommand({ TableName: 'changes', Key: key }))).Item).toBeUndefined();
  });

  it('returns the old item with a failed condition when asked, on put, update and delete', async () => {
    const Item = { pk: 't2', sk: 'a', revision: 7 };
    await documents.send(new PutCommand({ TableName: 'changes', Item }));
    const condition = {
      TableName: 'changes',
      ConditionExpression: 'revision = :r',
      ExpressionAttributeValues: { ':r': 6 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    };
    const Key = { pk: 't2', sk: 'a' };
    for (const command of [
      new PutCommand({ ...condition, Item }),
      new DeleteCommand({ ...condition, Key }),
      new UpdateCommand({ ...condition, Key, UpdateExpression: 'REMOVE revision' }),
    ]) {
      const failure: unknown = await documents.send(command as PutCommand).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        name: 'ConditionalCheckFailedException',
        Item: { pk: { S: 't2' }, sk: { S: 'a' }, revision: { N: '7' } },
      });
    }
    expect((await documents.send(new GetCommand({ TableName: 'changes', Key }))).Item).toEqual(Item);
  });

  it('refuses a consistent read on an index, an item above 400 KB and an empty index key', async () => {
    await expect(
      documents.send(
        new QueryCommand({
          TableName: 'changes',
          IndexName: 'byStatus',
          ConsistentRead: true,
          KeyConditionExpression: 'statusPk = :s',
          ExpressionAttributeValues: { ':s': 'x' },
        }),
      ),
    ).rejects.toThrow('Consistent reads are not supported on global secondary indexes');
    const put = (more: Record<string, unknown>): Promise<unknown> =>
      documents.send(new PutCommand({ TableName: 'changes', Item: { pk: 't3', sk: 'big', ...more } }));
    // 'é' is two bytes in UTF-8: 210,000 of them are above 400 KB although fewer characters are.
    await expect(put({ text: 'é'.repeat(210_000) })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(put({ statusPk: '', notBefore: '1' })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await put({ text: 'x'.repeat(409_000) });
    const grow = new UpdateCommand({
      TableName: 'changes',
      Key: { pk: 't3', sk: 'big' },
      UpdateExpression: 'SET more = :m, statusPk = :s, notBefore = :s',
      ExpressionAttributeValues: { ':m': 'x'.repeat(1000), ':s': 'grown' },
    });
    await expect(documents.send(grow)).rejects.toThrow(
      'Item size to update has exceeded the maximum allowed size',
    );
    expect(await indexed('grown')).toEqual([]);
  });

  it('loses no increment under concurrent updates', async () => {
    const Key = { pk: 't4', sk: 'counter' };
    const add = new UpdateCommand({
      TableName: 'changes',
      Key,
      UpdateExpression: 'ADD n :one',
      ExpressionAttributeValues: { ':one': 1 },
    });
    await Promise.all(Array.from({ length: 40 }, () => documents.send(add)));
    const { Item } = await documents.send(
      new GetCommand({ TableName: 'changes', Key, ConsistentRead: true }),
    );
    expect(Item?.['n']).toBe(40);
  });

  it('writes and reads batches', async () => {
    const items = Array.from({ length: 25 }, (_, at) => ({
      pk: { S: 't5' },
      sk: { S: String(at).padStart(2, '0') },
    }));
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: { changes: items.map((Item) => ({ PutRequest: { Item } })) },
      }),
    );
    const { Responses } = await documents.send(
      new BatchGetCommand({
        RequestItems: {
          changes: {
            Keys: [
              { pk: 't5', sk: '03' },
              { pk: 't5', sk: 'none' },
            ],
          },
        },
      }),
    );
    expect(Responses?.['changes']).toEqual([{ pk: 't5', sk: '03' }]);
    const duplicate = { PutRequest: { Item: items[0] } };
    await expect(
      client.send(new BatchWriteItemCommand({ RequestItems: { changes: [duplicate, duplicate] } })),
    ).rejects.toThrow('Provided list of item keys contains duplicates');
  });
});

describe('queries and scans', () => {
  it('return every item once, in order, whatever the page size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (sortKeys, Limit, forward) => {
          const table = createDynamo(createTestContext(createTestClock()));
          const call = (operation: string, input: unknown): Promise<unknown> =>
            table.call(operation, input, { principal: { kind: 'administrator' } });
          await call('CreateTable', TABLE);
          for (const sk of sortKeys) {
            await call('PutItem', { TableName: 'changes', Item: { pk: { S: 'p' }, sk: { S: sk } } });
          }
          const read = async (operation: string, more: object): Promise<string[]> => {
            const found: string[] = [];
            let ExclusiveStartKey: unknown;
            do {
              const page = (await call(operation, {
                TableName: 'changes',
                Limit,
                ExclusiveStartKey,
                ...more,
              })) as {
                Items: { sk: { S: string } }[];
                LastEvaluatedKey?: unknown;
              };
              found.push(...page.Items.map(({ sk }) => sk.S));
              ExclusiveStartKey = page.LastEvaluatedKey;
            } while (ExclusiveStartKey !== undefined);
            return found;
          };
          const ordered = sortKeys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(
            await read('Query', {
              KeyConditionExpression: 'pk = :p',
              ExpressionAttributeValues: { ':p': { S: 'p' } },
              ScanIndexForward: forward,
            }),
          ).toEqual(forward ? ordered : ordered.toReversed());
          expect((await read('Scan', {})).toSorted()).toEqual(sortKeys.toSorted());
        },
      ),
      { numRuns: 40 },
    );
  });

  it('answer key ranges, filters and projections', async () => {
    for (const sk of ['a#1', 'a#2', 'b#1', 'b#2', 'c']) {
      await documents.send(
        new PutCommand({ TableName: 'changes', Item: { pk: 't6', sk, last: sk.at(-1), weight: 1 } }),
      );
    }
    const keys = async (
      condition: string,
      values: Record<string, string>,
      more: object = {},
    ): Promise<unknown> =>
      (
        await documents.send(
          new QueryCommand({
            TableName: 'changes',
            KeyConditionExpression: `pk = :p AND ${condition}`,
            ExpressionAttributeValues: { ':p': 't6', ...values },
            ...more,
          }),
        )
      ).Items?.map((item) => item['sk']);
    expect(await keys('begins_with(sk, :s)', { ':s': 'a#' })).toEqual(['a#1', 'a#2']);
    expect(await keys('sk BETWEEN :s AND :t', { ':s': 'a#2', ':t': 'b#1' })).toEqual(['a#2', 'b#1']);
    expect(await keys('sk > :s', { ':s': 'b#1' })).toEqual(['b#2', 'c']);
    expect(await keys('sk <= :s', { ':s': 'a#2' })).toEqual(['a#1', 'a#2']);
    expect(
      await keys(
        'sk < :s',
        { ':s': 'c', ':l': '2' },
        { FilterExpression: '#l = :l', ExpressionAttributeNames: { '#l': 'last' } },
      ),
    ).toEqual(['a#2', 'b#2']);
    const scanned = await documents.send(
      new ScanCommand({
        TableName: 'changes',
        FilterExpression: 'pk = :p',
        ProjectionExpression: 'weight',
        ExpressionAttributeValues: { ':p': 't6' },
      }),
    );
    expect(scanned.Items).toEqual(Array.from({ length: 5 }, () => ({ weight: 1 })));
  });
});

describe('tables', () => {
  it('describes keys, indexes, billing and backups, and fills an index added later', async () => {
    const { GlobalSecondaryIndexes: _, ...plain } = TABLE;
    await client.send(
      new CreateTableCommand({
        ...plain,
        TableName: 'later',
        AttributeDefinitions: TABLE.AttributeDefinitions.slice(0, 2),
      }),
    );
    await documents.send(
      new PutCommand({ TableName: 'later', Item: { pk: 'p', sk: 's', statusPk: 'x', notBefore: '1' } }),
    );
    await client.send(
      new UpdateTableCommand({
        TableName: 'later',
        AttributeDefinitions: TABLE.AttributeDefinitions,
        GlobalSecondaryIndexUpdates: [{ Create: TABLE.GlobalSecondaryIndexes[0] }],
      }),
    );
    const { Count } = await documents.send(
      new QueryCommand({
        TableName: 'later',
        IndexName: 'byStatus',
        KeyConditionExpression: 'statusPk = :s',
        ExpressionAttributeValues: { ':s': 'x' },
      }),
    );
    expect(Count).toBe(1);
    await client.send(
      new UpdateContinuousBackupsCommand({
        TableName: 'later',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    );
    const backups = await client.send(new DescribeContinuousBackupsCommand({ TableName: 'later' }));
    expect(
      backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
    ).toBe('ENABLED');
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'later' }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/later',
      ItemCount: 1,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    });
    expect((await client.send(new ListTablesCommand({}))).TableNames).toEqual(['changes', 'later']);
    await client.send(new DeleteTableCommand({ TableName: 'later' }));
    await expect(client.send(new DescribeTableCommand({ TableName: 'later' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(
      documents.send(new GetCommand({ TableName: 'later', Key: { pk: 'p', sk: 's' } })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(client.send(new CreateTableCommand(TABLE))).rejects.toMatchObject({
      name: 'ResourceInUseException',
    });
  });

  it('counts request units: a kilobyte per write unit, four per consistent read, double in transactions', async () => {
    const table = createDynamo(createTestContext(createTestClock()));
    const call = (operation: string, input: unknown): Promise<unknown> =>
      table.call(operation, input, { principal: { kind: 'administrator' } });
    await call('CreateTable', { ...TABLE, TableName: 'metered' });
    const Item = { pk: { S: 'p' }, sk: { S: 's' }, text: { S: 'x'.repeat(2000) } };
    await call('PutItem', { TableName: 'metered', Item });
    expect(table.meter()['metered']).toEqual({ readUnits: 0, writeUnits: 2 });
    await call('TransactWriteItems', { TransactItems: [{ Put: { TableName: 'metered', Item } }] });
    expect(table.meter()['metered']?.writeUnits).toBe(6);
    await call('GetItem', { TableName: 'metered', Key: { pk: Item.pk, sk: Item.sk }, ConsistentRead: true });
    await call('GetItem', { TableName: 'metered', Key: { pk: Item.pk, sk: Item.sk } });
    expect(table.meter()['metered']?.readUnits).toBe(1.5);
  });

  it('names the operation it does not have', async () => {
    await expect(
      engine.call('ExecuteStatement', {}, { principal: { kind: 'administrator' } }),
    ).rejects.toMatchObject({ code: 'UnknownOperationException' });
  });
});
