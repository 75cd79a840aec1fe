// What does DynamoDB answer?
import { AwsError, REGION, type Engine, type EngineContext, type Json } from '../types.ts';
import { dynamoAuthorization } from './authorization.ts';
import { act, actAtOnce, copyOf, validated, type ItemAction } from './dynalite.ts';
import { itemBytes } from './item-size.ts';
import { createMeter, type RequestUnits } from './meter.ts';
import { createStore } from './store.ts';
import { createStreams, type StreamRecord } from './streams.ts';
import { createTables } from './tables.ts';
import { createTimeToLive } from './ttl.ts';
import { createTransactions } from './transactions.ts';
import { computeWrite, type WriteAction } from './writes.ts';

export interface DynamoEngine extends Engine {
  readonly service: 'dynamodb';
  /** Called with every stream record of a table, in order, right after the write; returns how to stop. */
  onStream(tableName: string, listener: (record: StreamRecord) => void): () => void;
  /** Read and write request units by table since the start. */
  meter(): Record<string, RequestUnits>;
  /** Removes items whose time (plus lag) has come; returns how many. */
  sweepExpired(): number;
  close(): void;
}

export interface DynamoOptions {
  /** How long an expired item stays: DynamoDB promises nothing, in practice up to 48 h. Default 48 h. */
  ttlLagMs?: number;
}

const DEFAULT_TTL_LAG_MS = 48 * 60 * 60 * 1000;
/** BatchWriteItem: 25 put or delete requests. */
const MAX_BATCH_WRITES = 25;

/** DynamoDB with dynalite's validations and expressions over a store whose writes are single turns. */
export function createDynamo(ctx: EngineContext, options: DynamoOptions = {}): DynamoEngine {
  const now = (): number => ctx.clock.now();
  const meter = createMeter();
  const streams = createStreams(now, ctx.random, REGION);
  let removingExpired = false;
  const store = createStore({
    onChange(table, key, before, after) {
      meter.writeBytes(
        table.TableName,
        Math.max(before === undefined ? 0 : itemBytes(before), after === undefined ? 0 : itemBytes(after)),
      );
      streams.record(table.TableName, key, before, after, removingExpired);
    },
    onIndexWrite: (tableName, bytes) => meter.writeBytes(tableName, bytes),
  });
  const tables = createTables(store, streams, now);
  const transactions = createTransactions(store, now, meter);
  const ttl = createTimeToLive(
    store,
    ctx.clock,
    options.ttlLagMs ?? DEFAULT_TTL_LAG_MS,
    (tableName, item) => {
      const table = store.table(tableName);
      removingExpired = true;
      try {
        store.commit(table, store.keyOf(table, item), undefined);
      } finally {
        removingExpired = false;
      }
    },
  );

  const write = (action: WriteAction, input: Json): Json => {
    const checked = validated(action, input, store);
    try {
      const { table, key, after, answer } = computeWrite(store, action, checked);
      store.commit(table, key, after);
      return copyOf(answer);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
      const table = store.table(checked.TableName);
      const current = store.item(
        table,
        action === 'PutItem' ? store.keyOf(table, checked.Item) : checked.Key,
      );
      meter.writeBytes(table.TableName, current === undefined ? 0 : itemBytes(current));
      if (input.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' || current === undefined) throw error;
      throw new AwsError(error.code, error.message, error.status, { Item: copyOf(current) });
    }
  };

  const batchWrite = (input: Json): Json => {
    const checked = validated('BatchWriteItem', input, store);
    const requests = Object.entries(checked.RequestItems as Record<string, Json[]>).flatMap(
      ([TableName, list]) =>
        list.map((request): { action: WriteAction; input: Json } =>
          request.PutRequest
            ? { action: 'PutItem', input: { TableName, Item: request.PutRequest.Item } }
            : { action: 'DeleteItem', input: { TableName, Key: request.DeleteRequest.Key } },
        ),
    );
    if (requests.length > MAX_BATCH_WRITES) {
      throw new AwsError('ValidationException', `Too many items requested for the BatchWriteItem call`);
    }
    const writes = requests.map((request) => computeWrite(store, request.action, request.input));
    const keys = new Set(writes.map(({ table, key }) => JSON.stringify([table.TableName, key])));
    if (keys.size !== writes.length) {
      throw new AwsError('ValidationException', 'Provided list of item keys contains duplicates');
    }
    for (const { table, key, after } of writes) store.commit(table, key, after);
    return { UnprocessedItems: {} };
  };

  /** Capacity is always counted and shown only to those who asked. */
  const read = async (action: ItemAction, input: Json): Promise<Json> => {
    const wanted = input?.ReturnConsumedCapacity ?? 'NONE';
    const checked = validated(
      action,
      wanted === 'NONE' ? { ...input, ReturnConsumedCapacity: 'TOTAL' } : input,
      store,
    );
    const answer =
      action === 'GetItem' ? actAtOnce(store, action, checked) : await act(store, action, checked);
    for (const used of [answer.ConsumedCapacity ?? []].flat()) {
      meter.readUnits(used.TableName, used.CapacityUnits ?? 0.5);
    }
    const { ConsumedCapacity, ...rest } = answer;
    return copyOf(wanted === 'NONE' ? rest : { ...rest, ConsumedCapacity });
  };

  const run = (operation: string, input: Json): Json => {
    switch (operation) {
      case 'GetItem':
      case 'BatchGetItem':
      case 'Query':
      case 'Scan':
        return read(operation, input);
      case 'PutItem':
      case 'UpdateItem':
      case 'DeleteItem':
        return write(operation, input);
      case 'BatchWriteItem':
        return batchWrite(input);
      case 'TransactWriteItems':
        return transactions.write(input);
      case 'TransactGetItems':
        return transactions.read(input);
      case 'CreateTable':
        return tables.create(input);
      case 'UpdateTable':
        return tables.update(input);
      case 'DeleteTable':
        ttl.forget(input.TableName);
        return tables.remove(input);
      case 'DescribeTable':
        return tables.describe(input);
      case 'ListTables':
        return tables.list(input);
      case 'TagResource':
      case 'UntagResource':
      case 'ListTagsOfResource':
        return tables.tags(operation, input);
      case 'UpdateTimeToLive':
        return ttl.update(input);
      case 'DescribeTimeToLive':
        return ttl.describe(input);
      case 'DescribeContinuousBackups':
        return tables.describeBackups(input);
      case 'UpdateContinuousBackups':
        return tables.updateBackups(input);
      case 'ListStreams':
        return streams.list(input);
      case 'DescribeStream':
        return streams.describe(input);
      case 'GetShardIterator':
        return streams.iterator(input);
      case 'GetRecords':
        return streams.read(input);
      default:
        throw new AwsError(
          'UnknownOperationException',
          `The embedded DynamoDB has no operation ${operation}`,
        );
    }
  };

  return {
    service: 'dynamodb',
    authorization: dynamoAuthorization,
    async call(operation, input) {
      const done = ctx.clock.work(`dynamodb ${operation}`);
      try {
        return await run(operation, input);
      } finally {
        done();
      }
    },
    onStream: (tableName, listener) => streams.listen(tableName, listener),
    meter: () => meter.total(),
    sweepExpired: () => ttl.sweep(),
    close: () => ttl.close(),
  };
}
