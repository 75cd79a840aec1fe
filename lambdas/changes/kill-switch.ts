// Does a kill switch forbid this change?
import * as z from 'zod';

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

/** Sort keys of the switches that reach it. */
export function reachKeys({ accountId, campaignId, rule }: Reach): string[] {
  return [
    'tenant',
    `account#${accountId}`,
    ...(campaignId === undefined ? [] : [`campaign#${campaignId}`]),
    ...(rule === undefined ? [] : [`rule#${rule}`]),
  ];
}
