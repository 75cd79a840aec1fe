// Is anything allowed to be changed at all?
//
// Table changes. pk `<tenant>#switch`, sk the scope: `tenant`, `account#<id>`, `campaign#<id>`, `rule#<id>`. A row is a switch
// that is on; who stopped an account because of its token is `executor`.
import * as z from 'zod';
import { Conflict } from '../runtime/errors.ts';
import type { Need } from '../runtime/need.ts';
import { tableNeed, type Table, type TableAction, type TransactAction } from '../runtime/table.ts';

export const SwitchScope = z.union([
  z.object({ kind: z.literal('tenant') }),
  z.object({ kind: z.enum(['account', 'campaign', 'rule']), id: z.string().regex(/^[\w.:-]{1,200}$/) }),
]);
export type SwitchScope = z.infer<typeof SwitchScope>;

export interface KillSwitch {
  scope: SwitchScope;
  actor: string;
  comment: string;
  /** Epoch milliseconds. */
  since: number;
}

/** What a switch must be off for, to change one object. */
export interface Reach {
  accountId: string;
  /** Undefined while nobody has read which campaign the object belongs to. */
  campaignId?: string | undefined;
  rule?: string | undefined;
}

export interface KillSwitches {
  /** Every switch of the tenant that is on; strongly consistent. */
  on(tenant: string): Promise<KillSwitch[]>;
  turnOn(tenant: string, one: KillSwitch): Promise<void>;
  /** False when it was off. */
  turnOff(tenant: string, scope: SwitchScope): Promise<boolean>;
  /** For the transaction that begins a write: it fails when one of the switches is on. */
  allOff(tenant: string, reach: Reach): TransactAction[];
}

/** `account#1234` */
export function scopeKey(scope: SwitchScope): string {
  return scope.kind === 'tenant' ? 'tenant' : `${scope.kind}#${scope.id}`;
}

/** The switch that forbids it, the widest first. Pure. */
export function stoppedBy(switches: readonly KillSwitch[], reach: Reach): KillSwitch | undefined {
  const keys = reachKeys(reach);
  return keys
    .map((key) => switches.find(({ scope }) => scopeKey(scope) === key))
    .find((found) => found !== undefined);
}

function reachKeys({ accountId, campaignId, rule }: Reach): string[] {
  return [
    'tenant',
    `account#${accountId}`,
    ...(campaignId === undefined ? [] : [`campaign#${campaignId}`]),
    ...(rule === undefined ? [] : [`rule#${rule}`]),
  ];
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
