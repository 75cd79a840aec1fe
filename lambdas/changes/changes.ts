// Which changes wait, and how does one get into the queue?
//
// Table changes. A change: pk `<tenant>#change`, sk the change id.
// Index byStatus: statusPk `<tenant>#<STATUS>` + notBefore (text of fixed width): what is due, oldest first.
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Item, type Table, type TransactAction } from '../runtime/table.ts';
import { ChangeRequest, changeId, type Change, type ChangeStatus } from './change.ts';

export interface NewChange {
  tenant: string;
  request: ChangeRequest;
  /** HELD waits for a person; PENDING is due at once. */
  status: 'HELD' | 'PENDING';
  nowMs: number;
}

export interface Changes {
  /** Writes that queue the changes, for one transaction with whatever belongs together with them. */
  queueing(changes: readonly NewChange[]): { changes: Change[]; actions: TransactAction[] };
  transact(actions: readonly TransactAction[]): Promise<void>;
  get(tenant: string, id: string): Promise<Change | undefined>;
  /** Changes in one status, by when they are due; every page. */
  inStatus(tenant: string, status: ChangeStatus): Promise<Change[]>;
  /** True when it was still waiting and is now CANCELLED, or already was. @throws Conflict when it is being applied. */
  cancel(tenant: string, id: string, reason: string, nowMs: number): Promise<boolean>;
  /** As `cancel`, by whoever queued it, whose later attempt may queue it again; a person's cancellation stays a person's. */
  retract(tenant: string, id: string, reason: string, nowMs: number): Promise<boolean>;
}

/** Digits of an epoch millisecond until the year 33658. */
const TIME_WIDTH = 15;

export function changesNeed(...actions: readonly Parameters<typeof tableNeed>[1][]): Need<Changes> {
  const table = tableNeed(
    'changes',
    actions.flatMap((access) => (typeof access === 'string' ? [] : [...access])),
  );
  return { ...table, open: (env, context) => openChanges(table.open(env, context)) };
}

export function openChanges(table: Table): Changes {
  const key = (tenant: string, id: string) => ({ pk: `${tenant}#change`, sk: id });

  async function take(
    tenant: string,
    id: string,
    { reason, nowMs, retracted }: { reason: string; nowMs: number; retracted: boolean },
  ): Promise<boolean> {
    try {
      await table.update({
        Key: key(tenant, id),
        UpdateExpression:
          'SET #status = :cancelled, statusPk = :statusPk, cancelledAt = :now, cancelReason = :reason, retracted = :retracted',
        ConditionExpression: '#status IN (:held, :pending)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':cancelled': 'CANCELLED',
          ':held': 'HELD',
          ':pending': 'PENDING',
          ':statusPk': `${tenant}#CANCELLED`,
          ':now': nowMs,
          ':reason': reason,
          ':retracted': retracted,
        },
      });
      return true;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const found = await table.get(key(tenant, id));
      if (found === undefined) return false;
      if (found['status'] === 'CANCELLED') return true;
      throw error;
    }
  }

  return {
    queueing(changes) {
      const made = changes.map(({ tenant, request, status, nowMs }): Change => ({
        ...ChangeRequest.parse(request),
        id: changeId(tenant, request),
        tenant,
        status,
        notBefore: nowMs,
        createdAt: nowMs,
      }));
      const actions = made.map((change): TransactAction => ({
        Put: {
          TableName: table.name,
          Item: toItem(change),
          ConditionExpression: 'attribute_not_exists(pk) OR retracted = :yes',
          ExpressionAttributeValues: { ':yes': true },
        },
      }));
      return { changes: made, actions };
    },
    transact: (actions) => table.transact(actions),
    async get(tenant, id) {
      const item = await table.get(key(tenant, id));
      return item && fromItem(item);
    },
    async inStatus(tenant, status) {
      const items = await table.queryAll({
        IndexName: 'byStatus',
        KeyConditionExpression: 'statusPk = :status',
        ExpressionAttributeValues: { ':status': `${tenant}#${status}` },
      });
      return items.map(fromItem);
    },
    cancel: (tenant, id, reason, nowMs) => take(tenant, id, { reason, nowMs, retracted: false }),
    retract: (tenant, id, reason, nowMs) => take(tenant, id, { reason, nowMs, retracted: true }),
  };
}

function toItem(change: Change): Item {
  return {
    pk: `${change.tenant}#change`,
    sk: change.id,
    statusPk: `${change.tenant}#${change.status}`,
    ...change,
    notBefore: String(change.notBefore).padStart(TIME_WIDTH, '0'),
    // Kept a year after it can no longer be applied.
    expiresAtSeconds: Math.floor(change.expiresAt / 1000) + 365 * 86_400,
  };
}

function fromItem({
  pk: _pk,
  sk: _sk,
  statusPk: _statusPk,
  expiresAtSeconds: _ttl,
  ...change
}: Item): Change {
  return { ...(change as unknown as Change), notBefore: Number(change['notBefore']) };
}
