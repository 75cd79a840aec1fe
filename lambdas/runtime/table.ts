// How does a repository read and write its table?
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
  type DeleteCommandInput,
  type PutCommandInput,
  type QueryCommandInput,
  type TransactWriteCommandInput,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { variable, type Need } from './need.ts';
import type { TableName } from './tables.ts';

export interface Key {
  pk: string;
  sk: string;
}

export type Item = Record<string, unknown> & Key;

type Rest<T> = Omit<T, 'TableName'>;
type Action = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
type Named<T> = T extends { TableName: unknown } ? Omit<T, 'TableName'> & { TableName?: string } : T;

/** One write of a transaction; without a TableName it is this table's. */
export type TransactAction = { [K in keyof Action]: Named<NonNullable<Action[K]>> };

/**
 * lib-dynamodb with the table's name filled in, `undefined` members dropped, and failures under our names: Conflict
 * (condition failed), RateLimited, Unavailable, InvalidInput (item above 400 KB). Anything else is a bug and passes as is.
 */
export interface Table {
  readonly name: string;
  /** Strongly consistent unless told otherwise. */
  get(key: Key, options?: { consistent?: boolean }): Promise<Item | undefined>;
  put(input: Rest<PutCommandInput> & { Item: Item }): Promise<void>;
  /** Answers the attributes that ReturnValues asks for. */
  update(input: Rest<UpdateCommandInput> & { Key: Key }): Promise<Record<string, unknown>>;
  delete(input: Rest<DeleteCommandInput> & { Key: Key }): Promise<void>;
  /** One page. */
  query(input: Rest<QueryCommandInput>): Promise<{ items: Item[]; lastKey?: Record<string, unknown> }>;
  /** Every page. For partitions with a known bound only. */
  queryAll(input: Rest<QueryCommandInput>): Promise<Item[]>;
  /** All or nothing, at most 100 actions. */
  transact(actions: readonly TransactAction[], clientRequestToken?: string): Promise<void>;
}

export type TableAction =
  | 'GetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem';

const ACCESS = {
  read: ['GetItem', 'Query'],
  write: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  transact: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
} as const;

/** `read`, `write` (with reads), `transact` (with both), or exactly the actions that are used. */
export type TableAccess = keyof typeof ACCESS | readonly TableAction[];

export function tableNeed(name: TableName, access: TableAccess): Need<Table> {
  const actions: readonly TableAction[] = typeof access === 'string' ? ACCESS[access] : access;
  const key = tableVariable(name);
  return {
    grants: [{ actions: actions.map((action) => `dynamodb:${action}`), on: { kind: 'table', name } }],
    env: { [key]: { of: { kind: 'table', name }, attribute: 'name' } },
    open: (env) => openTable(documentClient(env), variable(env, key)),
  };
}

/** `runs` → `TABLE_RUNS`. */
export function tableVariable(name: TableName): string {
  return `TABLE_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Shared by all tables of a function. */
export function documentClient(env: Readonly<Record<string, string | undefined>>): DynamoDBDocumentClient {
  return sharedClient(env, 'dynamodb', () =>
    DynamoDBDocumentClient.from(new DynamoDBClient(awsClientConfig(env, 'DYNAMODB')), {
      marshallOptions: { removeUndefinedValues: true },
    }),
  );
}

export function openTable(client: DynamoDBDocumentClient, name: string): Table {
  const what = (operation: string): string => `${operation} on table ${name}`;
  const table: Table = {
    name,
    async get(key, { consistent = true } = {}) {
      const command = new GetCommand({
        TableName: name,
        Key: { pk: key.pk, sk: key.sk },
        ConsistentRead: consistent,
      });
      const { Item: item } = await awsCall(what('GetItem'), () => client.send(command));
      return item as Item | undefined;
    },
    async put(input) {
      await awsCall(what('PutItem'), () => client.send(new PutCommand({ ...input, TableName: name })));
    },
    async update(input) {
      const answer = await awsCall(what('UpdateItem'), () =>
        client.send(new UpdateCommand({ ...input, TableName: name })),
      );
      return answer.Attributes ?? {};
    },
    async delete(input) {
      await awsCall(what('DeleteItem'), () => client.send(new DeleteCommand({ ...input, TableName: name })));
    },
    async query(input) {
      const command = new QueryCommand({ ...input, TableName: name });
      const page = await awsCall(what('Query'), () => client.send(command));
      const items = (page.Items ?? []) as Item[];
      return page.LastEvaluatedKey === undefined ? { items } : { items, lastKey: page.LastEvaluatedKey };
    },
    async queryAll(input) {
      const items: Item[] = [];
      let from: Record<string, unknown> | undefined;
      do {
        const page = await table.query(from === undefined ? input : { ...input, ExclusiveStartKey: from });
        items.push(...page.items);
        from = page.lastKey;
      } while (from !== undefined);
      return items;
    },
    async transact(actions, clientRequestToken) {
      const named = actions.map((action) =>
        Object.fromEntries(
          Object.entries(action).map(([kind, input]) => [kind, { TableName: name, ...input }]),
        ),
      ) as Action[];
      const command = new TransactWriteCommand({
        TransactItems: named,
        ...(clientRequestToken === undefined ? {} : { ClientRequestToken: clientRequestToken }),
      });
      await awsCall(what('TransactWriteItems'), () => client.send(command));
    },
  };
  return table;
}
