// How does a waiting change leave the queue without having been executed?
import { auditActions } from '../runtime/audit.ts';
import { Conflict } from '../runtime/errors.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { composedNeed, type Need } from '../runtime/need.ts';
import { tableNeed } from '../runtime/table.ts';
import { moving, type Step } from './change-item.ts';
import { entityName, type Change } from './change.ts';
import { changesNeed, type Changes } from './changes.ts';
import { historyNeed, type History } from './history.ts';
import { MOVES, type MoveName } from './lifecycle.ts';

type WaitingMove = Extract<
  MoveName,
  'hold' | 'release' | 'approve' | 'reject' | 'cancel' | 'supersede' | 'expire' | 'orphan'
>;

export interface Withdrawals {
  /** One move of a waiting change, told and audited in the same transaction; false when it no longer stood where the move begins. */
  move(
    change: Change,
    step: Omit<Step, 'move' | 'lease' | 'leaseBefore'> & { move: WaitingMove },
    actor: string,
  ): Promise<boolean>;
  expire(change: Change, nowMs: number): Promise<boolean>;
  supersede(change: Change, winner: Pick<Change, 'id' | 'kind'>, nowMs: number): Promise<boolean>;
  orphan(change: Change, reason: string, nowMs: number): Promise<boolean>;
}

export interface WithdrawalContext {
  changes: Pick<Changes, 'transact'>;
  history: Pick<History, 'telling'>;
  /** Name of the table audit. */
  audit: string;
}

export const withdrawalsNeed: Need<Withdrawals> = composedNeed(
  {
    changes: changesNeed(['UpdateItem']),
    history: historyNeed('PutItem'),
    audit: tableNeed('audit', ['PutItem']),
  },
  ({ audit, ...opened }) => openWithdrawals({ ...opened, audit: audit.name }),
);

const DISPATCHER = 'dispatcher';

export function openWithdrawals({ changes, history, audit }: WithdrawalContext): Withdrawals {
  const withdrawals: Withdrawals = {
    async move(change, step, actor) {
      const to = MOVES[step.move].to;
      const told = { reason: step.reason ?? '', ...(step.code === undefined ? {} : { code: step.code }) };
      try {
        await changes.transact([
          // What a person saw is what they decide about: nobody may have moved it since.
          { Update: moving(change, { ...step, leaseBefore: change.lease }) },
          history.telling({
            tenant: change.tenant,
            changeId: change.id,
            at: step.nowMs,
            move: step.move,
            lease: change.lease,
            status: to,
            actor,
            ...told,
          }),
          ...auditActions(audit, {
            tenant: change.tenant,
            id: `${change.id}-${step.nowMs}-${step.move}`,
            at: new Date(step.nowMs).toISOString(),
            actor,
            action: `change.${step.move}`,
            subject: `${change.id} ${entityName(change.entity)}`,
            details: { kind: change.kind, status: to, ...told },
          }),
        ]);
      } catch (error) {
        if (error instanceof Conflict) return false;
        throw error;
      }
      emitMetric('ad_changes_total', 1, { kind: change.kind, outcome: step.move });
      return true;
    },
    expire: (change, nowMs) =>
      withdrawals.move(
        change,
        {
          move: 'expire',
          nowMs,
          code: 'expired',
          reason: `Nobody applied it before ${new Date(change.expiresAt).toISOString()}.`,
        },
        DISPATCHER,
      ),
    supersede: (change, winner, nowMs) =>
      withdrawals.move(
        change,
        {
          move: 'supersede',
          nowMs,
          code: 'superseded',
          reason: `${winner.id} (${winner.kind}) takes its place.`,
          set: { supersededBy: winner.id },
        },
        DISPATCHER,
      ),
    orphan: (change, reason, nowMs) =>
      withdrawals.move(change, { move: 'orphan', nowMs, code: 'dependency', reason }, DISPATCHER),
  };
  return withdrawals;
}
