// What happened to a change, and to an object in the ad account, in the order in which it happened?
//
// Table history, append-only.
//   pk `<tenant>#story#<change id>`, sk `<at, 15 digits>#<lease>#<move>`             every move of one change
//   pk `<tenant>#timeline#<account>#<kind>/<id>`, sk `<at, 15 digits>#<source id>`   what was done to one object, by whomever
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Item, type Table, type TableAction, type TransactAction } from '../runtime/table.ts';
import { timeText } from './change-item.ts';
import { entityName, type Entity } from './change.ts';
import { MOVES } from './lifecycle.ts';

export interface StoryEntry {
  tenant: string;
  changeId: string;
  /** Epoch milliseconds. */
  at: number;
  /** `claim`, `defer`, `complete`, `approve`, … (lifecycle.ts) */
  move: string;
  lease: number;
  /** Status after the move. */
  status: string;
  /** A person's subject, or the step that did it. */
  actor: string;
  reason: string;
  code?: string;
  details?: Record<string, unknown>;
}

export interface TimelineEntry {
  tenant: string;
  accountId: string;
  entity: Entity;
  at: number;
  /** The change's id, or the platform's id of its own log line. */
  sourceId: string;
  /** `us`, a `person` in the platform's own tools, or the `platform` itself. */
  by: 'us' | 'person' | 'platform';
  actor: string;
  /** `budget`, `status`, `bid`, `created`, … */
  what: string;
  before?: unknown;
  after?: unknown;
  details?: Record<string, unknown>;
}

export interface History {
  /** For the transaction of the move it tells of. */
  telling(entry: StoryEntry): TransactAction;
  /** For a transaction; the same source told again changes nothing. */
  noting(entry: TimelineEntry): TransactAction;
  note(entry: TimelineEntry): Promise<void>;
  story(tenant: string, changeId: string): Promise<StoryEntry[]>;
  /** Oldest first; at most 1,000 entries. */
  timeline(
    tenant: string,
    accountId: string,
    entity: Entity,
    range?: { fromMs?: number; toMs?: number },
  ): Promise<TimelineEntry[]>;
}

const MOST_ENTRIES = 1_000;

export function historyNeed(...actions: readonly TableAction[]): Need<History> {
  const table = tableNeed('history', actions);
  return { ...table, open: (env, context) => openHistory(table.open(env, context)) };
}

export function openHistory(table: Table): History {
  const storyPk = (tenant: string, id: string): string => `${tenant}#story#${id}`;
  const timelinePk = (tenant: string, accountId: string, entity: Entity): string =>
    `${tenant}#timeline#${accountId}#${entityName(entity)}`;
  const noteItem = (entry: TimelineEntry): Item => ({
    pk: timelinePk(entry.tenant, entry.accountId, entry.entity),
    sk: `${timeText(entry.at)}#${entry.sourceId}`,
    ...entry,
  });
  return {
    telling: (entry) => ({
      Put: {
        TableName: table.name,
        Item: {
          pk: storyPk(entry.tenant, entry.changeId),
          sk: `${timeText(entry.at)}#${entry.lease}#${entry.move}`,
          ...entry,
        },
      },
    }),
    noting: (entry) => ({ Put: { TableName: table.name, Item: noteItem(entry) } }),
    note: (entry) => table.put({ Item: noteItem(entry) }),
    async story(tenant, id) {
      const items = await table.queryAll({
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': storyPk(tenant, id) },
        ConsistentRead: true,
      });
      return items
        .map(({ pk: _pk, sk: _sk, ...entry }) => entry as unknown as StoryEntry)
        .toSorted((a, b) => a.at - b.at || a.lease - b.lease || turnOf(a) - turnOf(b));
    },
    async timeline(tenant, accountId, entity, { fromMs = 0, toMs = 1e15 - 1 } = {}) {
      const { items } = await table.query({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: {
          ':pk': timelinePk(tenant, accountId, entity),
          ':from': timeText(fromMs),
          ':to': `${timeText(toMs)}~`,
        },
        Limit: MOST_ENTRIES,
      });
      return items.map(({ pk: _pk, sk: _sk, ...entry }) => entry as unknown as TimelineEntry);
    },
  };
}

/** Of moves within one millisecond: the lifecycle tells them in the order in which they follow each other. */
function turnOf({ move }: StoryEntry): number {
  return Object.keys(MOVES).indexOf(move);
}
