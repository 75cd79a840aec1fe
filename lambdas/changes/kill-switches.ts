// Is anything allowed to be changed at all?
//
// Table changes. pk `<tenant>#switch`, sk the scope: `tenant`, `account#<id>`, `campaign#<id>`, `rule#<id>`. A row is a switch
// that is on; who stopped an account because of its token is `executor`.
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table, type TableAction, type TransactAction } from '../runtime/table.ts';
import { reachKeys, scopeKey, SwitchScope, type KillSwitch, type Reach } from './kill-switch.ts';

export interface KillSwitches {
  /** Every switch of the tenant that is on; strongly consistent. */
  on(tenant: string): Promise<KillSwitch[]>;
  turnOn(tenant: string, one: KillSwitch): Promise<void>;
  /** False when it was off. */
  turnOff(tenant: string, scope: SwitchScope): Promise<boolean>;
  /** For a transaction with the record of who did it; it fails when the switch is on already. */
  turningOn(tenant: string, one: KillSwitch): TransactAction;
  /** The same; it fails when the switch is off already. */
  turningOff(tenant: string, scope: SwitchScope): TransactAction;
  /** For the transaction that begins a write: it fails when one of the switches is on. */
  allOff(tenant: string, reach: Reach): TransactAction[];
}

export function killSwitchesNeed(...actions: readonly TableAction[]): Need<KillSwitches> {
  const table = tableNeed('changes', actions);
  return { ...table, open: (env, context) => openKillSwitches(table.open(env, context)) };
}

export function openKillSwitches(table: Table): KillSwitches {
  const pk = (tenant: string): string => `${tenant}#switch`;
  return {
    async on(tenant) {
      const items = await table.queryAll({
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk(tenant) },
        ConsistentRead: true,
      });
      return items.map(({ scope, actor, comment, since }) => ({
        scope: SwitchScope.parse(scope),
        actor: String(actor),
        comment: String(comment),
        since: Number(since),
      }));
    },
    async turnOn(tenant, one) {
      await table.put({ Item: { pk: pk(tenant), sk: scopeKey(one.scope), tenant, ...one } });
    },
    async turnOff(tenant, scope) {
      try {
        await table.delete({
          Key: { pk: pk(tenant), sk: scopeKey(scope) },
          ConditionExpression: 'attribute_exists(pk)',
        });
        return true;
      } catch (error) {
        if (error instanceof Conflict) return false;
        throw error;
      }
    },
    turningOn: (tenant, one) => ({
      Put: {
        TableName: table.name,
        Item: { pk: pk(tenant), sk: scopeKey(one.scope), tenant, ...one },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    }),
    turningOff: (tenant, scope) => ({
      Delete: {
        TableName: table.name,
        Key: { pk: pk(tenant), sk: scopeKey(scope) },
        ConditionExpression: 'attribute_exists(pk)',
      },
    }),
    allOff: (tenant, reach) =>
      reachKeys(reach).map((sk) => ({
        ConditionCheck: {
          TableName: table.name,
          Key: { pk: pk(tenant), sk },
          ConditionExpression: 'attribute_not_exists(pk)',
        },
      })),
  };
}
