// Where are tables, items and index entries kept, and how do dynalite's actions read them?
import { Stream } from 'node:stream';
import { AwsError } from '../types.ts';
import {
  copyOf,
  dynaliteDb,
  type DynaliteStore,
  type IndexDescription,
  type Item,
  type ItemDatabase,
  type TableDescription,
} from './dynalite.ts';
import { MAX_ITEM_BYTES, itemBytes } from './item-size.ts';
import { createSortedItems, type Range, type SortedItems } from './sorted.ts';

export interface DynamoStore extends DynaliteStore {
  readonly tables: ReadonlyMap<string, TableDescription>;
  addTable(table: TableDescription): void;
  dropTable(name: string): void;
  /** @throws AwsError ResourceNotFoundException */
  table(name: string): TableDescription;
  /** The stored item itself: never change it. */
  item(table: TableDescription, key: Item): Item | undefined;
  items(tableName: string): Item[];
  itemCount(tableName: string): number;
  /** Writes one already checked item (undefined removes) with its index entries, in this turn. */
  commit(table: TableDescription, key: Item, item: Item | undefined): void;
  fillIndex(table: TableDescription, indexName: string): void;
  dropIndex(tableName: string, indexName: string): void;
  keyOf(table: TableDescription, item: Item): Item;
}

export function indexesOf(table: TableDescription): IndexDescription[] {
  return [...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])];
}

/** A range as the stream dynalite's queries subscribe to: read at once, emitted after they subscribed. */
function emitting(found: readonly Item[]): Stream {
  const source = new Stream();
  queueMicrotask(() => {
    for (const item of found) source.emit('data', item);
    source.emit('end');
  });
  return source;
}

function readOnly(sorted: SortedItems): ItemDatabase & { createValueStream(range: Range): Stream } {
  const refuse = (): never => {
    throw new Error('Items are written through commit only');
  };
  return {
    lock: refuse,
    put: refuse,
    del: refuse,
    get: (key, callback) => callback(null, sorted.get(key)),
    createValueStream: (range) => emitting(sorted.range(range)),
  };
}

/**
 * All tables in memory behind the store interface of dynalite's actions. Every access is synchronous and a write is one
 * call of `commit`, so single-item operations are atomic. Stored items are never changed in place.
 */
export function createStore(hooks: {
  onChange(table: TableDescription, key: Item, oldItem: Item | undefined, newItem: Item | undefined): void;
  /** An index entry was written or removed. */
  onIndexWrite(tableName: string, bytes: number): void;
}): DynamoStore {
  const tables = new Map<string, TableDescription>();
  const parts = new Map<string, SortedItems>();

  const part = (name: string): SortedItems => {
    let found = parts.get(name);
    if (found === undefined) parts.set(name, (found = createSortedItems()));
    return found;
  };
  const itemsOf = (tableName: string): SortedItems => part(`item~${tableName}`);
  const entriesOf = (tableName: string, indexName: string): SortedItems =>
    part(`index~${tableName}~${indexName}`);

  const putEntry = (tableName: string, indexName: string, key: string, projected: Item): void => {
    const entries = entriesOf(tableName, indexName);
    const next = copyOf(projected);
    const before = entries.get(key);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(next)) return;
    entries.set(key, next);
    hooks.onIndexWrite(tableName, itemBytes(next));
  };
  const removeEntry = (tableName: string, indexName: string, key: string): void => {
    const entries = entriesOf(tableName, indexName);
    const before = entries.get(key);
    if (before === undefined) return;
    entries.delete(key);
    hooks.onIndexWrite(tableName, itemBytes(before));
  };

  return {
    options: { maxItemSize: MAX_ITEM_BYTES },
    tables,
    addTable: (description) => void tables.set(description.TableName, description),
    dropTable(name) {
      tables.delete(name);
      for (const key of parts.keys()) {
        if (key === `item~${name}` || key.startsWith(`index~${name}~`)) parts.delete(key);
      }
    },
    table(name) {
      const found = tables.get(name);
      if (found === undefined)
        throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
      return found;
    },
    getTable(name, checkStatus, callback) {
      const done = typeof checkStatus === 'function' ? checkStatus : callback;
      const found = tables.get(name);
      if (found !== undefined) done?.(null, found);
      else done?.(new AwsError('ResourceNotFoundException', 'Requested resource not found'));
    },
    getItemDb: (tableName) => readOnly(itemsOf(tableName)),
    getIndexDb: (_kind, tableName, indexName) => readOnly(entriesOf(tableName, indexName)),
    item: (table, key) => itemsOf(table.TableName).get(dynaliteDb.createKey(key, table)),
    items: (tableName) => [...itemsOf(tableName).values()],
    itemCount: (tableName) => itemsOf(tableName).size,
    commit(table, key, item) {
      const name = table.TableName;
      const sortedKey = dynaliteDb.createKey(key, table);
      const items = itemsOf(name);
      const before = items.get(sortedKey);
      const { puts, deletes } = dynaliteDb.getIndexActions(indexesOf(table), before, item, table);
      for (const entry of deletes) removeEntry(name, entry.index, entry.key);
      for (const entry of puts) putEntry(name, entry.index, entry.key, entry.item);
      const next = copyOf(item);
      if (next === undefined) items.delete(sortedKey);
      else items.set(sortedKey, next);
      hooks.onChange(table, key, before, next);
    },
    fillIndex(table, indexName) {
      const index = indexesOf(table).filter((candidate) => candidate.IndexName === indexName);
      for (const item of itemsOf(table.TableName).values()) {
        const { puts } = dynaliteDb.getIndexActions(index, undefined, item, table);
        for (const entry of puts) putEntry(table.TableName, indexName, entry.key, entry.item);
      }
    },
    dropIndex: (tableName, indexName) => void parts.delete(`index~${tableName}~${indexName}`),
    keyOf: (table, item) =>
      Object.fromEntries(table.KeySchema.map(({ AttributeName }) => [AttributeName, item[AttributeName]])),
  };
}
