// How are tables made, changed and described?
import { randomUUID } from 'node:crypto';
import { ACCOUNT, AwsError, REGION, type Json } from '../types.ts';
import { copyOf, validated, type IndexDescription, type TableDescription } from './dynalite.ts';
import type { DynamoStore } from './store.ts';
import type { Streams } from './streams.ts';

export interface Tables {
  create(input: Json): Json;
  update(input: Json): Json;
  remove(input: Json): Json;
  describe(input: Json): Json;
  list(input: Json): Json;
  describeBackups(input: Json): Json;
  updateBackups(input: Json): Json;
  tags(operation: string, input: Json): Json;
}

interface Extras {
  pointInTimeRecovery: boolean;
  tags: Map<string, string>;
}

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

function describedIndex(tableArn: string, index: Json, status?: string): IndexDescription {
  return {
    ...copyOf(index),
    IndexArn: `${tableArn}/index/${index.IndexName}`,
    IndexSizeBytes: 0,
    ItemCount: 0,
    ...(status === undefined ? {} : { IndexStatus: status }),
  };
}

/** CreateTable, UpdateTable and the like; tables and indexes are ACTIVE at once. */
export function createTables(store: DynamoStore, streams: Streams, now: () => number): Tables {
  const extras = new Map<string, Extras>();

  const extrasOf = (name: string): Extras => {
    store.table(name);
    let found = extras.get(name);
    if (found === undefined) extras.set(name, (found = { pointInTimeRecovery: false, tags: new Map() }));
    return found;
  };

  const shown = (table: TableDescription): Json => {
    const { TableId, ...rest } = copyOf(table);
    return {
      ...rest,
      TableId,
      ItemCount: store.itemCount(table.TableName),
      ...streams.description(table.TableName),
    };
  };

  const backups = (name: string): Json => ({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: {
        PointInTimeRecoveryStatus: extrasOf(name).pointInTimeRecovery ? 'ENABLED' : 'DISABLED',
      },
    },
  });

  const changeIndex = (table: TableDescription, update: Json): void => {
    const indexes = table.GlobalSecondaryIndexes ?? [];
    const name: string = (update.Create ?? update.Delete ?? update.Update ?? {}).IndexName;
    const exists = indexes.some((index) => index.IndexName === name);
    if (update.Create !== undefined) {
      if (exists) throw invalid(`Attempting to create an index which already exists: ${name}`);
      table.GlobalSecondaryIndexes = [...indexes, describedIndex(table.TableArn, update.Create, 'ACTIVE')];
      store.fillIndex(table, name);
    } else if (update.Delete !== undefined) {
      if (!exists) {
        throw new AwsError(
          'ResourceNotFoundException',
          `Requested resource not found: Index: ${name} not found`,
        );
      }
      const left = indexes.filter((index) => index.IndexName !== name);
      if (left.length === 0) delete table.GlobalSecondaryIndexes;
      else table.GlobalSecondaryIndexes = left;
      store.dropIndex(table.TableName, name);
    }
  };

  return {
    create(input) {
      const checked = validated('CreateTable', input, store);
      const name: string = checked.TableName;
      if (store.tables.has(name)) {
        throw new AwsError('ResourceInUseException', `Table already exists: ${name}`);
      }
      const arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
      const { BillingMode, GlobalSecondaryIndexes: global, LocalSecondaryIndexes: local, ...rest } = checked;
      const table: TableDescription = {
        ...rest,
        TableArn: arn,
        TableId: randomUUID(),
        TableStatus: 'ACTIVE',
        CreationDateTime: now() / 1000,
        TableSizeBytes: 0,
        ProvisionedThroughput: {
          NumberOfDecreasesToday: 0,
          ...(checked.ProvisionedThroughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 }),
        },
        DeletionProtectionEnabled: input.DeletionProtectionEnabled === true,
      };
      if (BillingMode === 'PAY_PER_REQUEST') {
        table['BillingModeSummary'] = {
          BillingMode,
          LastUpdateToPayPerRequestDateTime: table['CreationDateTime'],
        };
      }
      if (global)
        table.GlobalSecondaryIndexes = global.map((index: Json) => describedIndex(arn, index, 'ACTIVE'));
      if (local) table.LocalSecondaryIndexes = local.map((index: Json) => describedIndex(arn, index));
      store.addTable(table);
      if (input.StreamSpecification?.StreamEnabled === true) {
        streams.enable(table, input.StreamSpecification.StreamViewType);
      }
      for (const { Key, Value } of input.Tags ?? []) extrasOf(name).tags.set(Key, Value);
      return { TableDescription: shown(table) };
    },
    update(input) {
      const table = store.table(input.TableName);
      if (input.StreamSpecification !== undefined) {
        const wanted = input.StreamSpecification.StreamEnabled === true;
        if (wanted === streams.enabled(table.TableName)) {
          throw invalid(`Table ${wanted ? 'already has an enabled' : 'has no'} stream: ${table.TableName}`);
        }
        if (wanted) streams.enable(table, input.StreamSpecification.StreamViewType);
        else streams.disable(table.TableName);
      }
      if (input.AttributeDefinitions !== undefined) {
        const known = new Map(
          [...table.AttributeDefinitions, ...input.AttributeDefinitions].map((one) => [
            one.AttributeName,
            one,
          ]),
        );
        table.AttributeDefinitions = [...known.values()];
      }
      if (input.BillingMode !== undefined) table['BillingModeSummary'] = { BillingMode: input.BillingMode };
      if (input.ProvisionedThroughput !== undefined) {
        table['ProvisionedThroughput'] = { NumberOfDecreasesToday: 0, ...input.ProvisionedThroughput };
      }
      if (input.DeletionProtectionEnabled !== undefined) {
        table['DeletionProtectionEnabled'] = input.DeletionProtectionEnabled;
      }
      for (const update of input.GlobalSecondaryIndexUpdates ?? []) changeIndex(table, update);
      return { TableDescription: shown(table) };
    },
    remove(input) {
      const table = store.table(input.TableName);
      if (table['DeletionProtectionEnabled'] === true) {
        throw invalid(`Resource cannot be deleted as it is currently protected against deletion.`);
      }
      const last = shown(table);
      streams.disable(table.TableName);
      store.dropTable(table.TableName);
      extras.delete(table.TableName);
      return { TableDescription: { ...last, TableStatus: 'DELETING' } };
    },
    describe: (input) => ({ Table: shown(store.table(input.TableName)) }),
    list(input) {
      const limit: number = input?.Limit ?? 100;
      if (limit < 1 || limit > 100) throw invalid('Limit must be between 1 and 100');
      const after: string = input?.ExclusiveStartTableName ?? '';
      const names = [...store.tables.keys()]
        .filter((name) => name > after)
        .toSorted((a, b) => (a < b ? -1 : 1));
      const page = names.slice(0, limit);
      return { TableNames: page, ...(names.length > limit ? { LastEvaluatedTableName: page.at(-1) } : {}) };
    },
    describeBackups: (input) => backups(input.TableName),
    updateBackups(input) {
      extrasOf(input.TableName).pointInTimeRecovery =
        input.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true;
      return backups(input.TableName);
    },
    tags(operation, input) {
      const { tags } = extrasOf(String(input.ResourceArn).split(':table/')[1] ?? '');
      if (operation === 'TagResource') for (const { Key, Value } of input.Tags) tags.set(Key, Value);
      if (operation === 'UntagResource') for (const key of input.TagKeys) tags.delete(key);
      return operation === 'ListTagsOfResource'
        ? { Tags: [...tags].map(([Key, Value]) => ({ Key, Value })) }
        : {};
    },
  };
}
