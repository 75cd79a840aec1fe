// Which writes to the table changes let a waiting change start?
import type { StreamRecord } from '../runtime/stream-record.ts';
import type { ChangeStatus } from './change.ts';
import { isOver } from './lifecycle.ts';

export interface Wake {
  tenant: string;
  /** All of the tenant's accounts when undefined. */
  accountId?: string;
}

/** A new or released change that is due, one that is over (others may have waited for it), or a kill switch that was turned off. Pure. */
export function wakes(
  { eventName, keys, newImage, oldImage }: StreamRecord,
  nowMs: number,
): Wake | undefined {
  const [tenant = '', kind] = String(keys['pk']).split('#');
  if (kind === 'switch') {
    if (eventName !== 'REMOVE') return undefined;
    const [scope, id] = String(keys['sk']).split('#');
    return scope === 'account' && id !== undefined ? { tenant, accountId: id } : { tenant };
  }
  if (kind !== 'change' || newImage === undefined) return undefined;
  if (oldImage?.['status'] === newImage['status']) return undefined;
  const status = newImage['status'] as ChangeStatus;
  const due = status === 'PENDING' && Number(newImage['notBefore']) <= nowMs;
  return due || isOver(status) ? { tenant, accountId: String(newImage['accountId']) } : undefined;
}
