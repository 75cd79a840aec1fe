// How does a test make changes that were applied, and objects as they are live now?
import {
  ChangeRequest,
  changeId,
  entityName,
  type Change,
  type ChangeKind,
} from '../../lambdas/changes/change.ts';
import { planUndo, type Undoing, type UndoPlan } from '../../lambdas/changes/undo-plan.ts';
import type { LiveObject } from '../../lambdas/ports/ads/live-ads.ts';

export const T = Date.UTC(2026, 10, 20, 12);
export const HOUR = 3_600_000;
export const RULE = { percent: 20, windowMs: 6 * HOUR, marginMs: 60_000 };
export const OWN_ACCOUNT = '10101';
export type Value = Change['to'];

/** A change of ours that was applied `no` minutes after T - 10 h. */
export function applied(
  no: number,
  name: string,
  before: Value,
  after: Value,
  more: Partial<Change> = {},
): Change {
  const [kind = '', id = ''] = name.split('/');
  const status: ChangeKind = after === 'ACTIVE' ? 'RESUME' : after === 'ARCHIVED' ? 'ARCHIVE' : 'PAUSE';
  const request: ChangeRequest = {
    accountId: OWN_ACCOUNT,
    entity: { kind, id } as Change['entity'],
    kind: typeof after === 'number' ? 'BUDGET_SET' : status,
    from: before,
    to: after,
    currency: 'USD',
    reason: 'test',
    origin: { area: 'rules', id: `firing-${no}`, actor: 'test' },
    expiresAt: T,
    ...(more as Partial<ChangeRequest>),
  };
  const executedAt = T - 10 * HOUR + no * 60_000;
  return {
    ...ChangeRequest.parse(request),
    id: changeId('t', request),
    tenant: 't',
    status: 'COMPLETED',
    notBefore: executedAt,
    createdAt: executedAt,
    updatedAt: executedAt,
    statusReason: '',
    statusCode: 'applied',
    lease: 1,
    leasedUntil: 0,
    attempts: 0,
    deferrals: 0,
    result: { before, applied: after, executedAt },
    ...more,
  };
}

export interface Values {
  budget?: number | null;
  bid?: number | null;
  status?: LiveObject['status'];
}
export const object = (
  name: string,
  { budget = null, bid = null, status = 'ACTIVE' }: Values,
): [string, LiveObject] => {
  const [kind = '', id = ''] = name.split('/');
  const money = (amountMinor: number | null) =>
    amountMinor === null ? null : { amountMinor, currency: 'USD' };
  return [
    `${OWN_ACCOUNT}#${name}`,
    {
      kind: kind as LiveObject['kind'],
      id,
      name,
      accountId: OWN_ACCOUNT,
      campaignId: '9',
      adSetId: null,
      status,
      delivery: 'active',
      dailyBudget: money(budget),
      hasLifetimeBudget: false,
      bid: money(bid),
      learning: 'done',
    },
  ];
};
export const planOf = (
  changes: readonly Change[],
  live: [string, LiveObject][],
  more: Partial<Undoing> = {},
): UndoPlan =>
  planUndo({
    tenant: 't',
    changes,
    live: new Map(live),
    velocity: RULE,
    origin: { area: 'undo', id: 'undo-1', actor: 'pat' },
    comment: 'Back.',
    nowMs: T,
    ...more,
  });
export const idOf = (step: ChangeRequest | undefined) => (step === undefined ? '' : changeId('t', step));
export const brief = ({ steps }: UndoPlan) =>
  steps.map(({ entity, kind, from, to }) => [entityName(entity), kind, from, to]);
