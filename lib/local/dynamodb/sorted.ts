// Where does a table or an index keep its items, in key order?
import type { Item } from './dynalite.ts';

export interface Range {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
  reverse?: boolean;
  /** Absent or negative: no limit. */
  limit?: number;
}

/** More new keys than this are sorted in together, fewer are inserted one by one. */
const INSERT_ONE_BY_ONE = 32;

export interface SortedItems {
  readonly size: number;
  get(key: string): Item | undefined;
  set(key: string, item: Item): void;
  delete(key: string): void;
  /** A snapshot, in key order (UTF-16 code units; dynalite's keys are ASCII). */
  range(range: Range): Item[];
  values(): IterableIterator<Item>;
}

/** A map whose keys are put in order only when a range is read. */
export function createSortedItems(): SortedItems {
  const items = new Map<string, Item>();
  let keys: string[] = [];
  let added = new Set<string>();
  let removed = false;

  const firstAtLeast = (key: string): number => {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const settle = (): void => {
    if (removed) {
      keys = keys.filter((key) => items.has(key));
      removed = false;
    }
    const fresh = [...added].filter((key) => items.has(key));
    added = new Set();
    if (fresh.length <= INSERT_ONE_BY_ONE) {
      for (const key of fresh) {
        const at = firstAtLeast(key);
        if (keys[at] !== key) keys.splice(at, 0, key);
      }
    } else {
      keys = [...new Set([...keys, ...fresh])].toSorted((a, b) => (a < b ? -1 : 1));
    }
  };

  return {
    get size() {
      return items.size;
    },
    get: (key) => items.get(key),
    set(key, item) {
      if (!items.has(key)) added.add(key);
      items.set(key, item);
    },
    delete(key) {
      if (items.delete(key)) removed = true;
      added.delete(key);
    },
    range(range) {
      settle();
      let low = range.gte === undefined ? 0 : firstAtLeast(range.gte);
      if (range.gt !== undefined) {
        const at = firstAtLeast(range.gt);
        low = Math.max(low, keys[at] === range.gt ? at + 1 : at);
      }
      let high = range.lt === undefined ? keys.length : firstAtLeast(range.lt);
      if (range.lte !== undefined) {
        const at = firstAtLeast(range.lte);
        high = Math.min(high, keys[at] === range.lte ? at + 1 : at);
      }
      const limit = range.limit === undefined || range.limit < 0 ? Infinity : range.limit;
      const found: Item[] = [];
      for (let step = 0; step < high - low && found.length < limit; step += 1) {
        const item = items.get(keys[range.reverse === true ? high - 1 - step : low + step] as string);
        if (item !== undefined) found.push(item);
      }
      return found;
    },
    values: () => items.values(),
  };
}
