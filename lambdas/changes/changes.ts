// Which changes wait, and how does one get into the queue?
//
// Table changes. A change: pk `<tenant>#change`, sk the change id. Kill switches lie beside them (kill-switches.ts).
// Index byStatus: statusPk `<tenant>#<STATUS>` + notBefore (text of fixed width): what is due, oldest first.
// Index byRank:   accountPk `<tenant>#<account>#<queue>` + rank: what waits for one account, or is taken, the most urgent first.
// Index byEntity: entityPk `<tenant>#<account>#<kind>/<id>` + createdSk: what was ever asked of one object.
// Index byTime:   timePk `<tenant>#change` + createdSk: all changes of a tenant.
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table, type TableAction, type TransactAction } from '../runtime/table.ts';
import {
  changeKey,
  entityKey,
  fromItem,
  moving,
  queueKey,
  statusKey,
  timeText,
  toItem,
  type Queue,
  type Step,
} from './change-item.ts';
import {
  ChangeRequest,
  changeId,
  type Approval,
  type Change,
  type ChangeStatus,
  type Entity,
} from './change.ts';
import { isOver } from './lifecycle.ts';

export interface NewChange {
  tenant: string;
  request: ChangeRequest;
  /** HELD waits for a person; PENDING is due at once. */
  status: 'HELD' | 'PENDING';
  /** Why it is held, for a person. */
  reason?: string;
  /** By whoever asked, when they may approve. */
  approval?: Approval;
  nowMs: number;
}

export interface Changes {
  /** One conditional write; false when the same intent was queued before, whatever became of it. */
  queue(change: NewChange): Promise<{ change: Change; queued: boolean }>;
  /** Writes that queue the changes, for one transaction with whatever belongs together with them. */
  queueing(changes: readonly NewChange[]): { changes: Change[]; actions: TransactAction[] };
  transact(actions: readonly TransactAction[]): Promise<void>;
  get(tenant: string, id: string): Promise<Change | undefined>;
  /** Changes in one status, by when they are due; every page. */
  inStatus(tenant: string, status: ChangeStatus): Promise<Change[]>;
  /** One page of an account's changes in one queue, the most urgent first. */
  ranked(
    tenant: string,
    accountId: string,
    queue: Queue,
    page?: {
      limit?: number;
      after?: Record<string, unknown>;
      /** Only what is due by then, in epoch milliseconds, and what an execution was started for; a page may hold fewer. */
      dueBy?: number;
    },
  ): Promise<{ changes: Change[]; next?: Record<string, unknown> }>;
  /** What was asked of one object at or after `sinceMs`, newest first; at most 200. */
  ofEntity(tenant: string, accountId: string, entity: Entity, sinceMs?: number): Promise<Change[]>;
  /** One move along the lifecycle, by itself. @throws Conflict when the change does not stand where the move begins. */
  move(change: Pick<Change, 'tenant' | 'id' | 'accountId'>, step: Step): Promise<void>;
  /** Remembers which change took this one back; its status stays. */
  markUndone(tenant: string, id: string, undoneBy: string): Promise<void>;
  /** True when it was still waiting and is now CANCELLED, or already was; false when it is over. @throws Conflict when it is being applied. */
  cancel(tenant: string, id: string, reason: string, nowMs: number): Promise<boolean>;
  /** As `cancel`, by whoever queued it, whose later attempt may queue it again; a person's cancellation stays a person's. */
  retract(tenant: string, id: string, reason: string, nowMs: number): Promise<boolean>;
}

/** An object's recent past; more than that decides nothing. */
const ENTITY_PAGE = 200;

export function changesNeed(...actions: readonly (readonly TableAction[])[]): Need<Changes> {
  const table = tableNeed('changes', actions.flat());
  return { ...table, open: (env, context) => openChanges(table.open(env, context)) };
}

export function openChanges(table: Table): Changes {
  const make = ({ tenant, request, status, reason, approval, nowMs }: NewChange): Change => {
    const parsed = ChangeRequest.parse(request);
    return {
      ...parsed,
      id: changeId(tenant, request),
      tenant,
      status,
      statusReason: reason ?? '',
      statusCode: '',
      notBefore: Math.max(nowMs, parsed.notBefore ?? 0),
      createdAt: nowMs,
      updatedAt: nowMs,
      lease: 0,
      leasedUntil: 0,
      attempts: 0,
      deferrals: 0,
      ...(approval === undefined ? {} : { approval }),
    };
  };
  const putting = (change: Change): NonNullable<TransactAction['Put']> => ({
    TableName: table.name,
    Item: toItem(change),
    ConditionExpression: 'attribute_not_exists(pk) OR retracted = :yes',
    ExpressionAttributeValues: { ':yes': true },
  });

  const changes: Changes = {
    async queue(given) {
      const change = make(given);
      try {
        const { TableName: _table, ...put } = putting(change);
        await table.put({ ...put, Item: toItem(change) });
        return { change, queued: true };
      } catch (error) {
        const existing = error instanceof Conflict ? await changes.get(given.tenant, change.id) : undefined;
        if (existing === undefined) throw error;
        return { change: existing, queued: false };
      }
    },
    queueing(given) {
      const made = given.map(make);
      return { changes: made, actions: made.map((change): TransactAction => ({ Put: putting(change) })) };
    },
    transact: (actions) => table.transact(actions),
    async get(tenant, id) {
      const item = await table.get(changeKey(tenant, id));
      return item && fromItem(item);
    },
    async inStatus(tenant, status) {
      const items = await table.queryAll({
        IndexName: 'byStatus',
        KeyConditionExpression: 'statusPk = :status',
        ExpressionAttributeValues: { ':status': statusKey(tenant, status) },
      });
      return items.map(fromItem);
    },
    async ranked(tenant, accountId, queue, { limit = 100, after, dueBy } = {}) {
      const { items, lastKey } = await table.query({
        IndexName: 'byRank',
        KeyConditionExpression: 'accountPk = :account',
        ...(dueBy === undefined ? {} : { FilterExpression: 'notBefore <= :due OR statusCode = :dispatched' }),
        ExpressionAttributeValues: {
          ':account': queueKey(tenant, accountId, queue),
          ...(dueBy === undefined ? {} : { ':due': timeText(dueBy), ':dispatched': 'dispatched' }),
        },
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: after }),
      });
      return { changes: items.map(fromItem), ...(lastKey === undefined ? {} : { next: lastKey }) };
    },
    async ofEntity(tenant, accountId, entity, sinceMs = 0) {
      const { items } = await table.query({
        IndexName: 'byEntity',
        KeyConditionExpression: 'entityPk = :entity AND createdSk >= :since',
        ExpressionAttributeValues: {
          ':entity': entityKey(tenant, accountId, entity),
          ':since': String(sinceMs).padStart(15, '0'),
        },
        ScanIndexForward: false,
        Limit: ENTITY_PAGE,
      });
      return items.map(fromItem);
    },
    async move(change, step) {
      await table.update(moving(change, step) as Parameters<Table['update']>[0]);
    },
    async markUndone(tenant, id, undoneBy) {
      try {
        await table.update({
          Key: changeKey(tenant, id),
          UpdateExpression: 'SET undoneBy = :by',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':by': undoneBy },
        });
      } catch (error) {
        // A change that is too old to be there needs no mark.
        if (!(error instanceof Conflict)) throw error;
      }
    },
    cancel: (tenant, id, reason, nowMs) => take(tenant, id, { reason, nowMs, retracted: false }),
    retract: (tenant, id, reason, nowMs) => take(tenant, id, { reason, nowMs, retracted: true }),
  };

  async function take(
    tenant: string,
    id: string,
    { reason, nowMs, retracted }: { reason: string; nowMs: number; retracted: boolean },
  ): Promise<boolean> {
    const found = await changes.get(tenant, id);
    if (found === undefined) return false;
    if (isOver(found.status)) return found.status === 'CANCELLED';
    await changes.move(found, { move: 'cancel', nowMs, reason, code: 'cancelled', set: { retracted } });
    return true;
  }
  return changes;
}
