// How do tables behave that lie in memory and let every call be delayed, refused or robbed of its reply?
import { Conflict, Unavailable } from '../../../lambdas/runtime/errors.ts';
import type { Item, Key, Table, TransactAction } from '../../../lambdas/runtime/table.ts';
import { TABLES, type TableName } from '../../../lambdas/runtime/tables.ts';
import { holds, updated } from './expressions.ts';

/** What becomes of one call: `lost` happens and its reply does not arrive. */
export type Fate = 'done' | 'refused' | 'lost';

/** Waits as long as the call is under way, then says how it ends; never answers a caller that was killed. */
export type Road = () => Promise<Fate>;

interface Row {
  item: Item | undefined;
  previous: Item | undefined;
  writtenAt: number;
}

export interface Write {
  table: string;
  before: Item | undefined;
  after: Item | undefined;
}

export interface MemoryTables {
  /** The table as one process sees it. */
  open(name: TableName, road: Road): Table;
  /** Everything, at once, by nobody. */
  all(name: TableName): Item[];
}

export interface MemoryTablesOptions {
  now(): number;
  /** Whether an index shows a row that was written just now as it was before. */
  lags(writtenAt: number): boolean;
  onWrite(write: Write): void;
}

const without = (item: Item): Item =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as Item;

export function memoryTables({ now, lags, onWrite }: MemoryTablesOptions): MemoryTables {
  const data = new Map<string, Map<string, Row>>();
  const rowsOf = (name: string): Map<string, Row> => {
    const found = data.get(name) ?? new Map<string, Row>();
    data.set(name, found);
    return found;
  };
  const idOf = ({ pk, sk }: Key): string => `${pk}\u0000${sk}`;
  const read = (name: string, key: Key): Item | undefined => rowsOf(name).get(idOf(key))?.item;

  function write(name: string, key: Key, after: Item | undefined): void {
    const rows = rowsOf(name);
    const before = rows.get(idOf(key))?.item;
    rows.set(idOf(key), { item: after, previous: before, writtenAt: now() });
    onWrite({ table: name, before, after });
  }

  interface Step {
    name: string;
    key: Key;
    passes: boolean;
    after?: () => Item | undefined;
  }
  function stepOf(own: string, action: TransactAction): Step {
    const [[kind, input]] = Object.entries(action) as unknown as [[string, Record<string, unknown>]];
    const name = (input['TableName'] as string | undefined) ?? own;
    const key = (kind === 'Put' ? input['Item'] : input['Key']) as Key;
    const item = read(name, key);
    const names = input['ExpressionAttributeNames'] as Record<string, string> | undefined;
    const values = input['ExpressionAttributeValues'] as Record<string, unknown> | undefined;
    const passes = holds(input['ConditionExpression'] as string | undefined, item, names, values);
    const step = { name, key, passes };
    if (kind === 'ConditionCheck') return step;
    if (kind === 'Delete') return { ...step, after: () => undefined };
    if (kind === 'Put') return { ...step, after: () => without(input['Item'] as Item) };
    const expression = input['UpdateExpression'] as string;
    return { ...step, after: () => without(updated(expression, { ...key, ...item }, names, values) as Item) };
  }
  function commit(steps: readonly Step[]): void {
    if (steps.some(({ passes }) => !passes)) throw new Conflict('The condition of a write does not hold.');
    const written = steps.map((step) => ({ step, after: step.after?.() }));
    for (const { step, after } of written) if (step.after !== undefined) write(step.name, step.key, after);
  }

  function select(
    name: string,
    input: Record<string, unknown>,
  ): { items: Item[]; lastKey?: Record<string, unknown> } {
    const index = TABLES[name as TableName].indexes?.find((one) => one.name === input['IndexName']);
    if (input['IndexName'] !== undefined && index === undefined)
      throw new Error(`${name} has no such index.`);
    const sort = index?.sortKey ?? 'sk';
    const names = input['ExpressionAttributeNames'] as Record<string, string> | undefined;
    const values = input['ExpressionAttributeValues'] as Record<string, unknown> | undefined;
    const limit = (input['Limit'] as number | undefined) ?? Infinity;
    const matching: Item[] = [];
    for (const { item, previous, writtenAt } of rowsOf(name).values()) {
      const seen = index !== undefined && lags(writtenAt) ? previous : item;
      if (seen === undefined) continue;
      if (holds(input['KeyConditionExpression'] as string, seen, names, values)) matching.push(seen);
    }
    const place = (item: Item): string => `${String(item[sort])}\u0000${idOf(item)}`;
    matching.sort((a, b) => (place(a) < place(b) ? -1 : 1));
    if (input['ScanIndexForward'] === false) matching.reverse();
    const start = input['ExclusiveStartKey'] as Item | undefined;
    const from = start === undefined ? 0 : matching.findIndex((item) => place(item) > place(start));
    const rest = from < 0 ? [] : matching.slice(from);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    const items = page.filter((item) =>
      holds(input['FilterExpression'] as string | undefined, item, names, values),
    );
    return rest.length > limit && last !== undefined ? { items, lastKey: last } : { items };
  }

  return {
    all: (name) => [...rowsOf(name).values()].flatMap(({ item }) => item ?? []),
    open(name, road) {
      const call = async <T>(act: () => T): Promise<T> => {
        const fate = await road();
        if (fate === 'refused') throw new Unavailable('DynamoDB is out of reach.');
        const answer = act();
        if (fate === 'lost') throw new Unavailable('The reply was lost.');
        return answer;
      };
      const table: Table = {
        name,
        get: (key) => call(() => read(name, key)),
        put: (input) => call(() => commit([stepOf(name, { Put: input })])),
        delete: (input) => call(() => commit([stepOf(name, { Delete: input })])),
        update: (input) =>
          call(() => {
            commit([stepOf(name, { Update: input } as TransactAction)]);
            return {};
          }),
        query: (input) => call(() => select(name, input as Record<string, unknown>)),
        queryAll: (input) =>
          call(() => ({ items: select(name, input as Record<string, unknown>).items })).then(
            ({ items }) => items,
          ),
        transact: (actions) => call(() => commit(actions.map((action) => stepOf(name, action)))),
      };
      return table;
    },
  };
}
