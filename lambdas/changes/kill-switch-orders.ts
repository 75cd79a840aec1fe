// How does a person stop everything, or an account, a campaign or a rule, and let it go on?
import * as z from 'zod';
import { auditActions } from '../runtime/audit.ts';
import type { Caller } from '../runtime/define-routes.ts';
import { Conflict, InvalidInput } from '../runtime/errors.ts';
import { HttpProblem } from '../runtime/problem.ts';
import type { Changes } from './changes.ts';
import { scopeKey, type KillSwitch, type SwitchScope } from './kill-switch.ts';
import type { KillSwitches } from './kill-switches.ts';

const SCOPES = ['tenant', 'account', 'campaign', 'rule'] as const;

export const SwitchOrder = z
  .strictObject({
    scope: z.enum(SCOPES),
    id: z
      .string()
      .regex(/^[\w.:-]{1,200}$/, 'is not an id')
      .optional()
      .describe('Of the account, campaign or rule'),
    on: z.boolean().describe('true: nothing is changed'),
    comment: z.string().min(1).max(500),
  })
  .superRefine(({ scope, id }, context) => {
    if (scope === 'tenant' && id !== undefined)
      context.addIssue({ code: 'custom', path: ['id'], message: 'is not said for the whole tenant' });
    if (scope !== 'tenant' && id === undefined)
      context.addIssue({ code: 'custom', path: ['id'], message: `is missing: which ${scope}?` });
  });
export type SwitchOrder = z.output<typeof SwitchOrder>;

export const SwitchesView = z.object({
  switches: z
    .array(
      z.object({
        scope: z.enum(SCOPES),
        id: z.string().optional(),
        on: z.literal(true),
        actor: z.string(),
        comment: z.string(),
        since: z.string(),
      }),
    )
    .describe('Those that are on'),
});

export function switchesView(on: readonly KillSwitch[]): z.infer<typeof SwitchesView> {
  return {
    switches: on.map(({ scope, actor, comment, since }) => ({
      scope: scope.kind,
      ...(scope.kind === 'tenant' ? {} : { id: scope.id }),
      on: true,
      actor,
      comment,
      since: new Date(since).toISOString(),
    })),
  };
}

export interface Turning {
  switches: KillSwitches;
  changes: Pick<Changes, 'transact'>;
  /** Name of the table audit. */
  audit: string;
  /** The tenant's. */
  accountIds: readonly string[];
  nowMs: number;
}

/**
 * Turns one switch, with its line in the audit log; what stands as it should stays as it is, with whoever turned it first.
 * @throws HttpProblem 403 when the role may not let things go on; InvalidInput for an account that is not the tenant's.
 */
export async function turn(caller: Caller, order: SwitchOrder, context: Turning): Promise<KillSwitch[]> {
  const { tenant, role, subject } = caller;
  const { switches, changes, audit, nowMs } = context;
  if (!order.on && role === 'operator')
    throw new HttpProblem(
      403,
      'The role operator may stop things, but not let them go on; it takes approver or admin.',
    );
  if (order.scope === 'account' && !context.accountIds.includes(order.id ?? ''))
    throw new InvalidInput(`The ad account ${order.id} is not connected.`, { path: 'id' });
  const scope: SwitchScope =
    order.scope === 'tenant' ? { kind: 'tenant' } : { kind: order.scope, id: order.id ?? '' };
  const one: KillSwitch = { scope, actor: subject, comment: order.comment, since: nowMs };
  const word = order.on ? 'on' : 'off';
  const record = {
    tenant,
    id: `kill-switch-${scopeKey(scope)}-${nowMs}-${word}`,
    at: new Date(nowMs).toISOString(),
    actor: subject,
    action: `kill-switch.${word}`,
    subject: scopeKey(scope),
    details: { comment: order.comment },
  };
  try {
    await changes.transact([
      order.on ? switches.turningOn(tenant, one) : switches.turningOff(tenant, scope),
      ...auditActions(audit, record),
    ]);
    return await switches.on(tenant);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    const on = await switches.on(tenant);
    const stands = on.some((other) => scopeKey(other.scope) === scopeKey(scope));
    if (stands !== order.on) throw error;
    return on;
  }
}
