// What would one write make of its item, before anything is stored?
import { AwsError, type Json } from '../types.ts';
import {
  actAtOnce,
  copyOf,
  dynaliteDb,
  type DynaliteStore,
  type Item,
  type TableDescription,
} from './dynalite.ts';
import { refuseOversized } from './item-size.ts';
import { indexesOf, type DynamoStore } from './store.ts';

export type WriteAction = 'PutItem' | 'UpdateItem' | 'DeleteItem';

export interface ComputedWrite {
  table: TableDescription;
  key: Item;
  before: Item | undefined;
  after: Item | undefined;
  /** dynalite's answer (`Attributes`, `ConsumedCapacity`); refers to stored items, so copy before handing out. */
  answer: Json;
}

/** The store as one write sees it: what it would store is caught instead. */
function catching(
  store: DynamoStore,
  current: Item | undefined,
  caught: (item: Item | undefined) => void,
): DynaliteStore {
  const nothing = (callback: (error?: unknown) => void): void => callback(null);
  return {
    options: store.options,
    getTable: (name, check, callback) => store.getTable(name, check, callback),
    getItemDb: () => ({
      lock: (_key, run) => run((callback) => callback),
      get: (_key, callback) => callback(null, current),
      put(_key, item, callback) {
        caught(copyOf(item));
        callback(null);
      },
      del(_key, callback) {
        caught(undefined);
        callback(null);
      },
    }),
    getIndexDb: () => ({
      lock: (_key, run) => run((callback) => callback),
      get: (_key, callback) => callback(null),
      put: (_key, _item, callback) => nothing(callback),
      del: (_key, callback) => nothing(callback),
    }),
  };
}

function refuseEmptyIndexKeys(table: TableDescription, item: Item): void {
  for (const index of indexesOf(table)) {
    for (const { AttributeName: name } of index.KeySchema) {
      if (item[name]?.S !== '' && item[name]?.B !== '') continue;
      throw new AwsError(
        'ValidationException',
        'One or more parameter values are not valid. A value specified for a secondary index key is not supported. ' +
          `The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${index.IndexName}, IndexKey: ${name}`,
      );
    }
  }
}

/**
 * Evaluates a write's condition and expressions against the stored item and stores nothing.
 * @param checked the request as `validated` returned it
 * @throws AwsError ConditionalCheckFailedException, ValidationException, ResourceNotFoundException
 */
export function computeWrite(store: DynamoStore, action: WriteAction, checked: Json): ComputedWrite {
  const table = store.table(checked.TableName);
  const wrong =
    action === 'PutItem'
      ? dynaliteDb.validateItem(checked.Item, table)
      : dynaliteDb.validateKey(checked.Key, table);
  if (wrong) throw new AwsError('ValidationException', wrong.message);
  const key: Item = action === 'PutItem' ? store.keyOf(table, checked.Item) : copyOf(checked.Key);
  const before = store.item(table, key);
  let after = before;
  const answer = actAtOnce(
    catching(store, before, (item) => (after = item)),
    action,
    checked,
  );
  if (after !== undefined && action !== 'DeleteItem') {
    refuseEmptyIndexKeys(table, after);
    refuseOversized(after, action === 'PutItem' ? 'put' : 'update');
  }
  return { table, key, before, after, answer };
}
