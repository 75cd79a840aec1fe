// Who executes a change, and what may they write?
//
// Whoever executes holds the lease that the dispatcher named. Every write below is conditional on it, so a straggler whose lease
// has passed to somebody else writes nothing.
import { auditActions } from '../runtime/audit.ts';
import { Conflict } from '../runtime/errors.ts';
import { composedNeed, type Need } from '../runtime/need.ts';
import { tableNeed, type TableAction, type TransactAction } from '../runtime/table.ts';
import { moving, type Step } from './change-item.ts';
import { entityName, type Change, type Intent } from './change.ts';
import { changesNeed, type Changes } from './changes.ts';
import type { Conclusion } from './conclusion.ts';
import { unmetOf } from './dependencies.ts';
import { historyNeed, type History, type TimelineEntry } from './history.ts';
import { stoppedBy, type KillSwitch, type Reach } from './kill-switch.ts';
import { killSwitchesNeed, type KillSwitches } from './kill-switches.ts';
import { isOver, MOVES } from './lifecycle.ts';
import { locksNeed, type Locks } from './locks.ts';

/** Longer than an execution can take (its machine ends it before). */
export const LEASE_MS = 31 * 60_000;
/** A dispatched change that nobody claimed for so long is dispatched again. */
export const DISPATCH_GRACE_MS = 2 * 60_000;

export type Claim = { claimed: true; change: Change } | { claimed: false; reason: string };

export interface Leases {
  /** The next lease of a due change; undefined when somebody else was faster. */
  dispatch(change: Change, nowMs: number): Promise<number | undefined>;
  /** At most one holder gets a lease; the same holder asking again gets it again. */
  claim(tenant: string, id: string, by: { lease: number; holder: string }, nowMs: number): Promise<Claim>;
  /**
   * Records what is about to be written, unless a kill switch is on at that moment. @throws Conflict when the lease is another's.
   */
  begin(
    change: Change,
    lease: number,
    intent: Intent,
    reach: Reach,
    nowMs: number,
  ): Promise<KillSwitch | undefined>;
  /** Ends the lease with what came out; again is no second time. @throws Conflict when the lease is another's. */
  finish(change: Change, lease: number, finish: Finish, nowMs: number): Promise<void>;
}

export interface Finish {
  step: { move: Conclusion['move'] | 'reclaim'; reason: string; code: string };
  set?: Step['set'];
  /** What may have reached the platform must be looked for by whoever comes next. */
  keepIntent?: boolean;
  actor: string;
  details?: Record<string, unknown>;
  /** Lines in the object's timeline. */
  timeline?: readonly TimelineEntry[];
}

export interface LeaseContext {
  changes: Changes;
  switches: KillSwitches;
  history: Pick<History, 'telling' | 'noting'>;
  locks: Locks;
  /** Name of the table audit. */
  audit: string;
}

type Use = keyof Leases;

/** What each way of using a lease takes. */
const RIGHTS = {
  dispatch: { changes: ['UpdateItem'] },
  claim: { changes: ['GetItem', 'UpdateItem'], locks: ['GetItem', 'PutItem'], history: ['PutItem'] },
  begin: {
    changes: ['GetItem', 'UpdateItem'],
    switches: ['Query', 'ConditionCheckItem'],
    history: ['PutItem'],
  },
  finish: {
    changes: ['GetItem', 'UpdateItem'],
    locks: ['DeleteItem'],
    history: ['PutItem'],
    audit: ['PutItem'],
  },
} as const satisfies Record<Use, Partial<Record<string, readonly TableAction[]>>>;

/** Leases to be used in these ways and no other. */
export function leasesNeed(...uses: readonly Use[]): Need<Leases> {
  const actionsOn = (part: string): TableAction[] => [
    ...new Set(uses.flatMap((use) => (RIGHTS[use] as Record<string, readonly TableAction[]>)[part] ?? [])),
  ];
  return composedNeed(
    {
      changes: changesNeed(actionsOn('changes')),
      switches: killSwitchesNeed(...actionsOn('switches')),
      history: historyNeed(...actionsOn('history')),
      locks: locksNeed(...actionsOn('locks')),
      audit: tableNeed('audit', actionsOn('audit')),
    },
    ({ audit, ...opened }) => openLeases({ ...opened, audit: audit.name }),
  );
}

/** Moves that decide something are in the audit log; putting off decides nothing. */
const AUDITED = new Set(['complete', 'fail', 'block', 'ask', 'lapse']);

export function openLeases({ changes, switches, history, locks, audit }: LeaseContext): Leases {
  const told = (
    change: Change,
    step: Step,
    actor: string,
    details?: Record<string, unknown>,
  ): TransactAction =>
    history.telling({
      tenant: change.tenant,
      changeId: change.id,
      at: step.nowMs,
      move: step.move,
      lease: step.lease ?? step.set?.lease ?? change.lease,
      status: MOVES[step.move].to,
      actor,
      reason: step.reason ?? '',
      ...(step.code === undefined ? {} : { code: step.code }),
      ...(details === undefined ? {} : { details }),
    });

  return {
    async dispatch(change, nowMs) {
      const lease = change.lease + 1;
      try {
        await changes.move(change, {
          move: 'dispatch',
          leaseBefore: change.lease,
          nowMs,
          set: { lease, notBefore: nowMs + DISPATCH_GRACE_MS, leasedUntil: nowMs + DISPATCH_GRACE_MS },
          reason: 'An execution was started for it.',
          code: 'dispatched',
        });
        return lease;
      } catch (error) {
        if (error instanceof Conflict) return undefined;
        throw error;
      }
    },

    async claim(tenant, id, { lease, holder }, nowMs) {
      const change = await changes.get(tenant, id);
      if (change === undefined) return { claimed: false, reason: `There is no change ${id}.` };
      if (change.status === 'CLAIMED' && change.lease === lease && change.holder === holder)
        return { claimed: true, change };
      if (change.status !== 'PENDING' || change.lease !== lease)
        return {
          claimed: false,
          reason: `${id} is ${change.status} under lease ${change.lease}, not ${lease}.`,
        };
      const unmet = await unmetOf(change, (other) => changes.get(tenant, other));
      if (unmet !== undefined) return { claimed: false, reason: unmet.reason };
      const lock = await locks.holder(change);
      if (lock !== undefined && lock.changeId !== id) {
        const other = await changes.get(tenant, lock.changeId);
        const taken = other?.status === 'CLAIMED' || other?.status === 'EXECUTING';
        if (taken && other.lease === lock.lease)
          return {
            claimed: false,
            reason: `${lock.changeId} is changing ${entityName(change.entity)} right now.`,
          };
      }
      const leasedUntil = nowMs + LEASE_MS;
      const step: Step = { move: 'claim', lease, nowMs, set: { holder, leasedUntil }, code: 'claimed' };
      try {
        await changes.transact([
          { Update: moving(change, step) },
          locks.taking(change, lease, lock, nowMs),
          told(change, step, holder),
        ]);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const now = await changes.get(tenant, id);
        if (now?.status === 'CLAIMED' && now.lease === lease && now.holder === holder)
          return { claimed: true, change: now };
        return { claimed: false, reason: `Somebody else was faster with ${id}.` };
      }
      return {
        claimed: true,
        change: {
          ...change,
          status: 'CLAIMED',
          holder,
          leasedUntil,
          updatedAt: nowMs,
          statusCode: 'claimed',
        },
      };
    },

    async begin(change, lease, intent, reach, nowMs) {
      const step: Step = { move: 'begin', lease, nowMs, set: { intent }, code: 'executing' };
      try {
        await changes.transact([
          { Update: moving(change, step) },
          ...switches.allOff(change.tenant, reach),
          told(change, step, 'ApplyChange', { before: intent.before, applied: intent.applied }),
        ]);
        return undefined;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const stopped = stoppedBy(await switches.on(change.tenant), reach);
        if (stopped === undefined) throw error;
        return stopped;
      }
    },

    async finish(
      change,
      lease,
      { step: { move, reason, code }, set, keepIntent, actor, details, timeline = [] },
      nowMs,
    ) {
      const forgetIntent = keepIntent !== true && move !== 'complete';
      const step: Step = {
        move,
        lease,
        nowMs,
        reason,
        code,
        forgetIntent,
        ...(set === undefined ? {} : { set }),
      };
      const record = {
        tenant: change.tenant,
        id: `${change.id}-${lease}-${move}`,
        at: new Date(nowMs).toISOString(),
        actor,
        action: `change.${MOVES[move].to.toLowerCase()}`,
        subject: `${change.id} ${entityName(change.entity)}`,
        details: { kind: change.kind, reason, code, origin: change.origin, ...details },
      };
      try {
        await changes.transact([
          { Update: moving(change, step) },
          told(change, step, actor, details),
          ...timeline.map((entry) => history.noting(entry)),
          ...(AUDITED.has(move) ? auditActions(audit, record) : []),
        ]);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        const now = await changes.get(change.tenant, change.id);
        // A repeat after a lost reply finds its own work done.
        const done = now !== undefined && now.lease === lease && now.status === MOVES[move].to;
        if (!done || (!isOver(now.status) && now.statusCode !== code)) throw error;
      }
      await locks.free(change, lease);
    },
  };
}
