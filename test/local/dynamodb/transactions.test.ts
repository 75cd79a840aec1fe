// Are transactions all or nothing?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDynamo } from '../../../lib/local/dynamodb/dynamo.ts';
import type { Json } from '../../../lib/local/types.ts';
import { createTestClock, createTestContext, type TestClock } from './test-clock.ts';

interface Bench {
  clock: TestClock;
  call(operation: string, input: Json): Promise<Json>;
  all(): Promise<Json[]>;
}

async function bench(): Promise<Bench> {
  const clock = createTestClock();
  const engine = createDynamo(createTestContext(clock));
  const call = (operation: string, input: Json): Promise<Json> =>
    engine.call(operation, input, { principal: { kind: 'administrator' } });
  await call('CreateTable', {
    TableName: 'runs',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
  });
  return { clock, call, all: async () => (await call('Scan', { TableName: 'runs' })).Items };
}

const key = (sk: string): Json => ({ pk: { S: 'p' }, sk: { S: sk } });
const put = (sk: string, n = '0'): Json => ({
  Put: { TableName: 'runs', Item: { ...key(sk), n: { N: n } } },
});

describe('TransactWriteItems', () => {
  it('applies puts, updates, deletes and checks together', async () => {
    const { call, all } = await bench();
    await call('TransactWriteItems', { TransactItems: [put('a', '1'), put('b', '1'), put('c', '1')] });
    await call('TransactWriteItems', {
      TransactItems: [
        {
          ConditionCheck: {
            TableName: 'runs',
            Key: key('a'),
            ConditionExpression: 'n = :n',
            ExpressionAttributeValues: { ':n': { N: '1' } },
          },
        },
        {
          Update: {
            TableName: 'runs',
            Key: key('b'),
            UpdateExpression: 'ADD n :n',
            ExpressionAttributeValues: { ':n': { N: '4' } },
          },
        },
        { Delete: { TableName: 'runs', Key: key('c') } },
      ],
    });
    expect(Object.fromEntries((await all()).map((item) => [item.sk.S, item.n.N]))).toEqual({
      a: '1',
      b: '5',
    });
  });

  it('tells the reason of every item and shows the old one', async () => {
    const { call, all } = await bench();
    await call('TransactWriteItems', { TransactItems: [put('a', '7')] });
    const conditional = put('a', '8');
    conditional.Put.ConditionExpression = 'attribute_not_exists(pk)';
    conditional.Put.ReturnValuesOnConditionCheckFailure = 'ALL_OLD';
    await expect(
      call('TransactWriteItems', { TransactItems: [put('b'), conditional] }),
    ).rejects.toMatchObject({
      code: 'TransactionCanceledException',
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
      fields: {
        CancellationReasons: [
          { Code: 'None' },
          {
            Code: 'ConditionalCheckFailed',
            Message: 'The conditional request failed',
            Item: { ...key('a'), n: { N: '7' } },
          },
        ],
      },
    });
    expect(await all()).toHaveLength(1);
  });

  it('leaves nothing behind when an update fails while it is applied', async () => {
    const { call, all } = await bench();
    await call('PutItem', { TableName: 'runs', Item: { ...key('text'), n: { S: 'not a number' } } });
    const failing = {
      Update: {
        TableName: 'runs',
        Key: key('text'),
        UpdateExpression: 'SET n = n + :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      },
    };
    for (const TransactItems of [
      [put('a'), failing],
      [failing, put('a')],
    ]) {
      await expect(call('TransactWriteItems', { TransactItems })).rejects.toMatchObject({
        code: 'TransactionCanceledException',
        fields: {
          CancellationReasons: expect.arrayContaining([expect.objectContaining({ Code: 'ValidationError' })]),
        },
      });
    }
    expect(await all()).toEqual([{ ...key('text'), n: { S: 'not a number' } }]);
  });

  it('is all or nothing for any mixture', async () => {
    const step = fc.record({
      sk: fc.constantFrom('a', 'b', 'c', 'd'),
      kind: fc.constantFrom('new', 'old', 'add', 'gone'),
    });
    const steps = fc.uniqueArray(step, { selector: ({ sk }) => sk, minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 6 }), async (transactions) => {
        const { call, all } = await bench();
        const model = new Map<string, number>();
        for (const transaction of transactions) {
          const next = new Map(model);
          let possible = true;
          const TransactItems = transaction.map(({ sk, kind }) => {
            if (kind === 'gone') {
              next.delete(sk);
              return { Delete: { TableName: 'runs', Key: key(sk) } };
            }
            if (kind === 'add') {
              if (model.has(sk)) next.set(sk, (model.get(sk) ?? 0) + 1);
              else possible = false;
              return {
                Update: {
                  TableName: 'runs',
                  Key: key(sk),
                  UpdateExpression: 'SET n = n + :one',
                  ExpressionAttributeValues: { ':one': { N: '1' } },
                },
              };
            }
            if (model.has(sk) !== (kind === 'old')) possible = false;
            next.set(sk, 0);
            const entry = put(sk);
            entry.Put.ConditionExpression =
              kind === 'old' ? 'attribute_exists(pk)' : 'attribute_not_exists(pk)';
            return entry;
          });
          const applied = await call('TransactWriteItems', { TransactItems }).then(
            () => true,
            () => false,
          );
          expect(applied).toBe(possible);
          if (possible) {
            model.clear();
            for (const [sk, n] of next) model.set(sk, n);
          }
          expect(new Map((await all()).map((item) => [item.sk.S, Number(item.n.N)]))).toEqual(model);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('remembers a client request token for ten minutes', async () => {
    const { call, clock } = await bench();
    const request = {
      ClientRequestToken: 'token',
      TransactItems: [
        {
          Update: {
            TableName: 'runs',
            Key: key('a'),
            UpdateExpression: 'ADD n :n',
            ExpressionAttributeValues: { ':n': { N: '1' } },
          },
        },
      ],
    };
    const count = async (): Promise<string> =>
      (await call('GetItem', { TableName: 'runs', Key: key('a') })).Item.n.N as string;
    await call('TransactWriteItems', request);
    await clock.advance(9 * 60_000);
    await call('TransactWriteItems', request);
    expect(await count()).toBe('1');
    await expect(call('TransactWriteItems', { ...request, TransactItems: [put('b')] })).rejects.toMatchObject(
      { code: 'IdempotentParameterMismatchException' },
    );
    await clock.advance(61_000);
    await call('TransactWriteItems', request);
    expect(await count()).toBe('2');
  });

  it('refuses two operations on one item, more than 100 items, and a table that is not there', async () => {
    const { call } = await bench();
    await expect(call('TransactWriteItems', { TransactItems: [put('a'), put('a')] })).rejects.toThrow(
      'Transaction request cannot include multiple operations on one item',
    );
    const many = Array.from({ length: 101 }, (_, at) => put(String(at)));
    await expect(call('TransactWriteItems', { TransactItems: many })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await call('TransactWriteItems', { TransactItems: many.slice(1) });
    const elsewhere = put('a');
    elsewhere.Put.TableName = 'nowhere';
    await expect(call('TransactWriteItems', { TransactItems: [elsewhere] })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});

describe('TransactGetItems', () => {
  it('answers in order, with nothing for what is not there', async () => {
    const { call } = await bench();
    await call('TransactWriteItems', { TransactItems: [put('a', '1'), put('b', '2')] });
    const get = (sk: string): Json => ({
      Get: { TableName: 'runs', Key: key(sk), ProjectionExpression: 'n' },
    });
    expect(await call('TransactGetItems', { TransactItems: [get('b'), get('x'), get('a')] })).toEqual({
      Responses: [{ Item: { n: { N: '2' } } }, {}, { Item: { n: { N: '1' } } }],
    });
  });
});
