// Which changes match, newest first?
import * as z from 'zod';
import { InvalidInput } from '../runtime/errors.ts';
import type { Item, Table } from '../runtime/table.ts';
import { entityKey, fromItem, statusKey, timeKey, timeText } from './change-item.ts';
import { CHANGE_STATUSES, ENTITY_KINDS, type Change, type Entity } from './change.ts';
import { Instant } from './new-change.ts';

export const ChangeFilter = z
  .object({
    status: z.enum(CHANGE_STATUSES).optional(),
    entity: z
      .string()
      .regex(new RegExp(`^(${ENTITY_KINDS.join('|')})/\\w{1,64}$`), 'is not an object such as adset/1234')
      .optional(),
    accountId: z
      .string()
      .regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)')
      .optional(),
    origin: z
      .string()
      .max(241)
      .regex(/^[^/]+\/.+$/, 'is not an origin such as creative/run-…')
      .optional(),
    from: Instant.optional().describe('Queued at or after'),
    to: Instant.optional().describe('Queued before'),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    cursor: z.string().max(2_000).optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be after from',
  });
export type ChangeFilter = z.output<typeof ChangeFilter>;

/** Of `adset/1234`. */
export function entityOf(name: string): Entity {
  const [kind, id = ''] = name.split('/');
  return { kind: kind as Entity['kind'], id };
}

/** How much is looked at for one answer: where few match, pages come back short, with a cursor. */
const MOST_PAGES = 5;
const PAGE = 200;

/** Which index is read, what its partition is, and the keys of a position in it. */
interface Shelf {
  index: 'byEntity' | 'byStatus' | 'byTime';
  partition: 'entityPk' | 'statusPk' | 'timePk';
  sort: 'createdSk' | 'notBefore';
  value: string;
}

function shelfOf(tenant: string, { entity, accountId, status }: ChangeFilter): Shelf {
  if (entity !== undefined && accountId !== undefined) {
    const value = entityKey(tenant, accountId, entityOf(entity));
    return { index: 'byEntity', partition: 'entityPk', sort: 'createdSk', value };
  }
  if (status !== undefined)
    return { index: 'byStatus', partition: 'statusPk', sort: 'notBefore', value: statusKey(tenant, status) };
  return { index: 'byTime', partition: 'timePk', sort: 'createdSk', value: timeKey(tenant) };
}

/**
 * By when they were queued; with a status (and no entity) by when they are or were due, the latest first. An `entity` needs its
 * `accountId`. A page may be shorter than `limit` and still have a cursor. @throws InvalidInput for a cursor of another list.
 */
export async function listChanges(
  table: Pick<Table, 'query'>,
  tenant: string,
  filter: ChangeFilter,
): Promise<{ changes: Change[]; cursor?: string }> {
  const shelf = shelfOf(tenant, filter);
  const found: Item[] = [];
  let position: Record<string, unknown> | undefined =
    filter.cursor === undefined ? undefined : readCursor(filter.cursor, tenant, shelf);
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { items, lastKey } = await table.query({
      ...queryOf(shelf, filter),
      ...(position === undefined ? {} : { ExclusiveStartKey: position }),
    });
    found.push(...items);
    position = lastKey;
    if (position === undefined || found.length > filter.limit) break;
  }
  const items = found.slice(0, filter.limit);
  const last = items.at(-1);
  const next = found.length > items.length && last !== undefined ? last : position;
  return {
    changes: items.map(fromItem),
    ...(next === undefined ? {} : { cursor: writeCursor(next, shelf) }),
  };
}

function queryOf(shelf: Shelf, { status, accountId, origin, from, to }: ChangeFilter) {
  const values: Record<string, unknown> = { ':partition': shelf.value };
  const names: Record<string, string> = {};
  const filters: string[] = [];
  let keys = `${shelf.partition} = :partition`;
  if (from !== undefined || to !== undefined) {
    values[':from'] = timeText(from ?? 0);
    // Everything of the millisecond before `to` sorts below this.
    values[':to'] = `${timeText((to ?? 1e15) - 1)}~`;
    const range = 'createdSk BETWEEN :from AND :to';
    if (shelf.sort === 'createdSk') keys += ` AND ${range}`;
    else filters.push(range);
  }
  if (status !== undefined && shelf.index !== 'byStatus') {
    names['#status'] = 'status';
    values[':status'] = status;
    filters.push('#status = :status');
  }
  if (accountId !== undefined && shelf.index !== 'byEntity') {
    values[':account'] = accountId;
    filters.push('accountId = :account');
  }
  if (origin !== undefined) {
    const slash = origin.indexOf('/');
    Object.assign(names, { '#origin': 'origin', '#area': 'area', '#id': 'id' });
    Object.assign(values, { ':area': origin.slice(0, slash), ':originId': origin.slice(slash + 1) });
    filters.push('#origin.#area = :area', '#origin.#id = :originId');
  }
  return {
    IndexName: shelf.index,
    KeyConditionExpression: keys,
    ExpressionAttributeValues: values,
    ...(filters.length === 0 ? {} : { FilterExpression: filters.join(' AND ') }),
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ScanIndexForward: false,
    Limit: PAGE,
  };
}

function writeCursor(row: Record<string, unknown>, { partition, sort }: Shelf): string {
  const key = { pk: row['pk'], sk: row['sk'], [partition]: row[partition], [sort]: row[sort] };
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function readCursor(
  cursor: string,
  tenant: string,
  { partition, sort, value }: Shelf,
): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parsed = undefined;
  }
  const Position = z.strictObject({
    pk: z.literal(`${tenant}#change`),
    sk: z.string(),
    [partition]: z.literal(value),
    [sort]: z.string(),
  });
  const position = Position.safeParse(parsed);
  if (!position.success)
    throw new InvalidInput('The cursor is not one that this list gave out.', { path: 'cursor' });
  return position.data;
}
