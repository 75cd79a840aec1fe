// How do a hundred writes happen together or not at all?
import { AwsError, type Json } from '../types.ts';
import { actAtOnce, copyOf, dynaliteDb, validated, type Item } from './dynalite.ts';
import { itemBytes } from './item-size.ts';
import type { Meter } from './meter.ts';
import type { DynamoStore } from './store.ts';
import { computeWrite, type ComputedWrite, type WriteAction } from './writes.ts';

/** Quotas of TransactWriteItems: 100 items, 4 MB, tokens remembered for 10 minutes. */
const MAX_ITEMS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const TOKEN_MS = 10 * 60 * 1000;

export const TRANSACT_ACTIONS: Readonly<Record<string, WriteAction>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'DeleteItem',
};

interface Planned {
  kind: string;
  action: WriteAction;
  checked: Json;
  key: Item;
  /** Return the old item with a failed condition. */
  showOld: boolean;
}

interface Reason {
  Code: string;
  Message?: string;
  Item?: Item;
}

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

/** The one member of `{ Put | Update | Delete | ConditionCheck | Get: request }`. */
export function onlyKind(entry: Json): string {
  const kinds = Object.keys(entry ?? {}).filter((kind) => entry[kind] !== undefined && entry[kind] !== null);
  if (kinds.length !== 1) throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  return kinds[0] as string;
}

function bounded(entries: unknown): Json[] {
  if (!Array.isArray(entries) || entries.length < 1 || entries.length > MAX_ITEMS) {
    throw invalid(
      "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: " +
        `Member must have length less than or equal to ${MAX_ITEMS} and greater than or equal to 1`,
    );
  }
  return entries;
}

export interface Transactions {
  write(input: Json): Json;
  read(input: Json): Json;
}

/** Every new item is computed before the first is stored; all of it in one turn of the event loop. */
export function createTransactions(store: DynamoStore, now: () => number, meter: Meter): Transactions {
  const tokens = new Map<string, { request: string; atMs: number }>();

  const plan = (entry: Json): Planned => {
    const kind = onlyKind(entry);
    const action = TRANSACT_ACTIONS[kind];
    const request = entry[kind];
    if (action === undefined) throw invalid(`TransactItems cannot contain ${kind}`);
    if (kind === 'ConditionCheck' && request.ConditionExpression === undefined) {
      throw invalid('A ConditionCheck needs a ConditionExpression');
    }
    const checked = validated(action, request, store);
    const table = store.table(checked.TableName);
    const wrong =
      kind === 'Put'
        ? dynaliteDb.validateItem(checked.Item, table)
        : dynaliteDb.validateKey(checked.Key, table);
    if (wrong) throw invalid(wrong.message);
    const key: Item = kind === 'Put' ? store.keyOf(table, checked.Item) : checked.Key;
    return { kind, action, checked, key, showOld: request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' };
  };

  const outcome = (planned: Planned): { reason: Reason; write?: ComputedWrite } => {
    try {
      return { reason: { Code: 'None' }, write: computeWrite(store, planned.action, planned.checked) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const failed = error.code === 'ConditionalCheckFailedException';
      const reason: Reason = {
        Code: failed ? 'ConditionalCheckFailed' : 'ValidationError',
        Message: error.message,
      };
      const current = store.item(store.table(planned.checked.TableName), planned.key);
      if (failed && planned.showOld && current !== undefined) reason.Item = copyOf(current);
      return { reason };
    }
  };

  const remembered = (token: string, request: string): boolean => {
    for (const [known, { atMs }] of tokens) {
      if (now() - atMs < TOKEN_MS) break;
      tokens.delete(known);
    }
    const before = tokens.get(token);
    if (before !== undefined && before.request !== request) {
      throw new AwsError(
        'IdempotentParameterMismatchException',
        'Request with the same ClientRequestToken but different parameters was received',
      );
    }
    return before !== undefined;
  };

  return {
    write(input) {
      const entries = bounded(input?.TransactItems);
      const token: unknown = input.ClientRequestToken;
      const request = JSON.stringify(entries);
      if (typeof token === 'string' && remembered(token, request)) return {};
      const all = entries.map(plan);
      const seen = new Set(
        all.map(({ checked, key }) => {
          const table = store.table(checked.TableName);
          return `${table.TableName}/${dynaliteDb.createKey(key, table)}`;
        }),
      );
      if (seen.size !== all.length) {
        throw invalid('Transaction request cannot include multiple operations on one item');
      }
      const outcomes = all.map(outcome);
      const reasons = outcomes.map(({ reason }) => reason);
      if (reasons.some(({ Code }) => Code !== 'None')) {
        throw new AwsError(
          'TransactionCanceledException',
          'Transaction cancelled, please refer cancellation reasons for specific reasons ' +
            `[${reasons.map(({ Code }) => Code).join(', ')}]`,
          400,
          { CancellationReasons: reasons },
        );
      }
      const sizes = outcomes.map(({ write }) => (write?.after === undefined ? 0 : itemBytes(write.after)));
      if (sizes.reduce((sum, bytes) => sum + bytes, 0) > MAX_BYTES) {
        throw invalid('Collection size of all items in the transaction exceeds 4 MB');
      }
      meter.twice(() => {
        for (const [at, { kind }] of all.entries()) {
          const write = outcomes[at]?.write;
          if (write !== undefined && kind !== 'ConditionCheck')
            store.commit(write.table, write.key, write.after);
        }
      });
      if (typeof token === 'string') tokens.set(token, { request, atMs: now() });
      return {};
    },
    read(input) {
      const found = bounded(input?.TransactItems).map((entry) => {
        const checked = validated('GetItem', entry?.Get, store);
        const { Item: item } = actAtOnce(store, 'GetItem', checked);
        const stored = store.item(store.table(checked.TableName), checked.Key);
        meter.twice(() =>
          meter.readBytes(checked.TableName, stored === undefined ? 0 : itemBytes(stored), true),
        );
        return item === undefined ? {} : { Item: copyOf(item) };
      });
      return { Responses: found };
    },
  };
}
