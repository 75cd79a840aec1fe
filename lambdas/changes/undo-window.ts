// Which changes were applied within a time?
import type { Table } from '../runtime/table.ts';
import { fromItem, statusKey, timeText } from './change-item.ts';
import type { Change, Entity } from './change.ts';
import { wasApplied, type Applied } from './undo-plan.ts';

export interface Window {
  /** Applied at or after, and before; epoch milliseconds. */
  fromMs: number;
  toMs: number;
  accountId?: string | undefined;
  entity?: Entity | undefined;
  origin?: { area: string; id: string } | undefined;
}

/** A completed change keeps the time that its last dispatch put it off to: a little after that, and its execution takes at most so long. */
const APPLIED_AFTER_MS = 3_600_000;
/** Later, where an effect was only found out about by a later execution. */
const FOUND_OUT_AFTER_MS = 86_400_000;

/** In any order; stops reading once there are more than `most`. */
export async function appliedWithin(
  table: Pick<Table, 'query'>,
  tenant: string,
  window: Window,
  most: number,
): Promise<Applied[]> {
  const found: Applied[] = [];
  let position: Record<string, unknown> | undefined;
  do {
    const { items, lastKey } = await table.query({
      ...queryOf(tenant, window),
      ...(position === undefined ? {} : { ExclusiveStartKey: position }),
    });
    found.push(...items.map((item): Change => fromItem(item)).filter(wasApplied));
    position = lastKey;
  } while (position !== undefined && found.length <= most);
  return found;
}

function queryOf(tenant: string, { fromMs, toMs, accountId, entity, origin }: Window) {
  const names: Record<string, string> = { '#result': 'result', '#at': 'executedAt' };
  const values: Record<string, unknown> = {
    ':status': statusKey(tenant, 'COMPLETED'),
    ':dispatchedFrom': timeText(Math.max(0, fromMs - APPLIED_AFTER_MS)),
    ':dispatchedTo': timeText(toMs + FOUND_OUT_AFTER_MS),
    ':from': fromMs,
    ':to': toMs,
  };
  const filters = ['#result.#at >= :from', '#result.#at < :to'];
  if (accountId !== undefined) {
    values[':account'] = accountId;
    filters.push('accountId = :account');
  }
  if (entity !== undefined) {
    Object.assign(names, { '#entity': 'entity', '#kind': 'kind', '#id': 'id' });
    Object.assign(values, { ':kind': entity.kind, ':entity': entity.id });
    filters.push('#entity.#kind = :kind', '#entity.#id = :entity');
  }
  if (origin !== undefined) {
    Object.assign(names, { '#origin': 'origin', '#area': 'area', '#id': 'id' });
    Object.assign(values, { ':area': origin.area, ':origin': origin.id });
    filters.push('#origin.#area = :area', '#origin.#id = :origin');
  }
  return {
    IndexName: 'byStatus',
    KeyConditionExpression: 'statusPk = :status AND notBefore BETWEEN :dispatchedFrom AND :dispatchedTo',
    FilterExpression: filters.join(' AND '),
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
