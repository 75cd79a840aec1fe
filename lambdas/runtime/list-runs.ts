// Which runs does a tenant have, and which runs of all tenants have not ended?
//
// Indexes byTime and byOpen of the table runs: see runs.ts.
import * as z from 'zod';
import { InvalidInput } from './errors.ts';
import { OPEN_SHARDS } from './run-keys.ts';
import type { RunStatus } from './runs.ts';
import type { Item, Table } from './table.ts';

export interface RunFilter {
  stateMachine?: string;
  status?: RunStatus;
  /** ISO 8601; from ≤ startedAt < to. */
  from?: string;
  to?: string;
  /** 1..100 */
  limit: number;
  cursor?: string;
}

const Cursor = z.object({ pk: z.string(), sk: z.string(), tenantPk: z.string(), startedAt: z.string() });

/** Newest first; `cursor` when there are more. @throws InvalidInput for a cursor that this list did not give out. */
export async function listRuns(
  table: Pick<Table, 'query'>,
  tenant: string,
  filter: RunFilter,
): Promise<{ rows: Item[]; cursor?: string }> {
  const [lower, upper] = [filter.from ?? '0000', filter.to === undefined ? '9999' : before(filter.to)];
  // DynamoDB refuses an interval that is none.
  if (lower > upper) return { rows: [] };
  const found: Item[] = [];
  let from: Record<string, unknown> | undefined =
    filter.cursor === undefined ? undefined : readCursor(filter.cursor, tenant);
  const conditions = [
    ...(filter.stateMachine === undefined ? [] : ['stateMachine = :machine']),
    ...(filter.status === undefined ? [] : ['#status = :status']),
  ];
  do {
    // Filters apply after the page is read, so pages of matches may need several reads.
    const page = await table.query({
      IndexName: 'byTime',
      KeyConditionExpression: 'tenantPk = :tenant AND startedAt BETWEEN :from AND :to',
      ...(conditions.length === 0 ? {} : { FilterExpression: conditions.join(' AND ') }),
      ...(filter.status === undefined ? {} : { ExpressionAttributeNames: { '#status': 'status' } }),
      ExpressionAttributeValues: {
        ':tenant': tenant,
        ':from': lower,
        // BETWEEN includes its upper end; ours does not.
        ':to': upper,
        ...(filter.stateMachine === undefined ? {} : { ':machine': filter.stateMachine }),
        ...(filter.status === undefined ? {} : { ':status': filter.status }),
      },
      ScanIndexForward: false,
      Limit: filter.limit,
      ...(from === undefined ? {} : { ExclusiveStartKey: from }),
    });
    found.push(...page.items);
    from = page.lastKey;
  } while (from !== undefined && found.length < filter.limit);
  const items = found.slice(0, filter.limit);
  const last = items.at(-1);
  const more = from !== undefined || found.length > filter.limit;
  return { rows: items, ...(more && last !== undefined ? { cursor: writeCursor(last) } : {}) };
}

/** In no order. */
export async function listOpenBefore(table: Pick<Table, 'queryAll'>, iso: string): Promise<Item[]> {
  const shards = Array.from({ length: OPEN_SHARDS }, (_, shard) =>
    table.queryAll({
      IndexName: 'byOpen',
      KeyConditionExpression: 'openPk = :open AND startedAt < :before',
      ExpressionAttributeValues: { ':open': `platform#open#${shard}`, ':before': iso },
    }),
  );
  return (await Promise.all(shards)).flat();
}

// Just below an ISO time, in string order.
function before(iso: string): string {
  return new Date(Date.parse(iso) - 1).toISOString();
}

function writeCursor(row: Item): string {
  const { pk, sk, tenantPk, startedAt } = row;
  return Buffer.from(JSON.stringify({ pk, sk, tenantPk, startedAt })).toString('base64url');
}

function readCursor(cursor: string, tenant: string): z.infer<typeof Cursor> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    value = undefined;
  }
  const parsed = Cursor.safeParse(value);
  if (!parsed.success || parsed.data.tenantPk !== tenant || !parsed.data.pk.startsWith(`${tenant}#run#`)) {
    throw new InvalidInput('The cursor is not one that this list gave out.', { path: 'cursor' });
  }
  return parsed.data;
}
