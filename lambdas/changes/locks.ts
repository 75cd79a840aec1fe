// Is one object in the ad account being changed by somebody else right now?
//
// Table limits. pk `<tenant>#lock`, sk `<account>#<kind>/<id>`: the change and the lease that hold the object. A lock whose change
// is no longer taken under that lease holds nothing, so nothing has to be freed for the next to go on.
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table, type TableAction, type TransactAction } from '../runtime/table.ts';
import { entityName, type Change } from './change.ts';

export interface Lock {
  changeId: string;
  lease: number;
}

type Held = Pick<Change, 'tenant' | 'accountId' | 'entity' | 'id'>;

export interface Locks {
  holder(change: Held): Promise<Lock | undefined>;
  /** For the transaction of the claim: fails when another lock than `stale` lies there. */
  taking(change: Held, lease: number, stale: Lock | undefined, nowMs: number): TransactAction;
  /** Removes it if it is still this one's. */
  free(change: Held, lease: number): Promise<void>;
}

/** A lock is of no use after that, whatever happened. */
const KEPT_SECONDS = 7 * 86_400;

export function locksNeed(...actions: readonly TableAction[]): Need<Locks> {
  const table = tableNeed('limits', actions);
  return { ...table, open: (env, context) => openLocks(table.open(env, context)) };
}

export function openLocks(table: Table): Locks {
  const key = ({ tenant, accountId, entity }: Held) => ({
    pk: `${tenant}#lock`,
    sk: `${accountId}#${entityName(entity)}`,
  });
  return {
    async holder(change) {
      const item = await table.get(key(change));
      return item && { changeId: String(item['changeId']), lease: Number(item['lease']) };
    },
    taking: (change, lease, stale, nowMs) => ({
      Put: {
        TableName: table.name,
        Item: {
          ...key(change),
          changeId: change.id,
          lease,
          expiresAtSeconds: Math.floor(nowMs / 1000) + KEPT_SECONDS,
        },
        ...(stale === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'changeId = :staleId AND #lease = :staleLease',
              ExpressionAttributeNames: { '#lease': 'lease' },
              ExpressionAttributeValues: { ':staleId': stale.changeId, ':staleLease': stale.lease },
            }),
      },
    }),
    async free(change, lease) {
      try {
        await table.delete({
          Key: key(change),
          ConditionExpression: 'changeId = :id AND #lease = :lease',
          ExpressionAttributeNames: { '#lease': 'lease' },
          ExpressionAttributeValues: { ':id': change.id, ':lease': lease },
        });
      } catch (error) {
        // Somebody else's by now, or gone.
        if (!(error instanceof Conflict)) throw error;
      }
    },
  };
}
