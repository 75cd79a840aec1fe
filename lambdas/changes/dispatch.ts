// Which waiting changes of an account are started now?
import { beginAttemptNeed, type BeginAttempt } from '../runtime/begin-attempt.ts';
import type { Clock } from '../runtime/clock.ts';
import { composedNeed, type Need } from '../runtime/need.ts';
import { executionName } from '../runtime/run-id.ts';
import { settingsNeed, type SettingsReader } from '../runtime/settings.ts';
import { stateMachineNeed, type StateMachine } from '../runtime/state-machine.ts';
import { entityName, type Change } from './change.ts';
import { changesNeed, type Changes } from './changes.ts';
import { conflictOf } from './conflicts.ts';
import { unmetOf } from './dependencies.ts';
import { CHANGE_EXECUTION } from './change-execution.ts';
import { stoppedBy } from './kill-switch.ts';
import { killSwitchesNeed, type KillSwitches } from './kill-switches.ts';
import { room } from './ledger.ts';
import { ledgersNeed, type Ledgers } from './ledgers.ts';
import { leasesNeed, type Leases } from './leases.ts';
import { limitsOf } from './limits.ts';
import type { ExecutionRequest } from './types.ts';
import { withdrawalsNeed, type Withdrawals } from './withdrawals.ts';

export interface DispatchContext {
  changes: Changes;
  switches: Pick<KillSwitches, 'on'>;
  ledgers: Pick<Ledgers, 'get'>;
  leases: Pick<Leases, 'dispatch'>;
  withdrawals: Withdrawals;
  settings: Pick<SettingsReader, 'get'>;
  beginAttempt: BeginAttempt;
  machine: Pick<StateMachine, 'start'>;
  clock: Clock;
}

/** Starts the due changes of an account: `dispatch`. */
export type Dispatch = (tenant: string, accountId: string) => Promise<{ started: string[] }>;

export const dispatchNeed: Need<Dispatch> = composedNeed(
  {
    changes: changesNeed(['GetItem', 'Query']),
    switches: killSwitchesNeed('Query'),
    ledgers: ledgersNeed('GetItem'),
    leases: leasesNeed('dispatch'),
    withdrawals: withdrawalsNeed,
    settings: settingsNeed,
    beginAttempt: beginAttemptNeed,
    machine: stateMachineNeed(CHANGE_EXECUTION, 'start'),
  },
  (opened, { clock }) =>
    (tenant, accountId) =>
      dispatch(tenant, accountId, { ...opened, clock }),
);

/** Due changes that may be looked at: more would take longer than the next hint. */
const MOST_LOOKED_AT = 1_000;
const PAGE = 100;

/**
 * Starts as many due changes of one account as its limits have room for, the best ranked first, one execution each. Being called
 * twice, or by two at once, starts nothing twice: each start names the change's next lease by a conditional write.
 */
export async function dispatch(
  tenant: string,
  accountId: string,
  context: DispatchContext,
): Promise<{ started: string[] }> {
  const { changes, switches, ledgers, settings, clock } = context;
  const nowMs = clock.now();
  const on = await switches.on(tenant);
  const started: string[] = [];
  if (stoppedBy(on, { accountId }) !== undefined) return { started };
  const { changes: chosen } = await settings.get(tenant);
  const { changes: taken } = await changes.ranked(tenant, accountId, 'taken', { limit: MOST_LOOKED_AT });
  const { free } = room(await ledgers.get(tenant, accountId), limitsOf(chosen), nowMs);
  const busy = new Set(taken.map(({ entity }) => entityName(entity)));
  let places = free - taken.length;
  let lookedAt = 0;
  let after: Record<string, unknown> | undefined;
  do {
    const page = await changes.ranked(tenant, accountId, 'waiting', {
      limit: PAGE,
      // However many of a higher rank are put off.
      dueBy: nowMs,
      ...(after === undefined ? {} : { after }),
    });
    for (const change of page.changes) {
      lookedAt += 1;
      // Its execution was started and has yet to claim it.
      if (change.statusCode === 'dispatched' && change.notBefore > nowMs) places -= 1;
      if (places <= 0) return { started };
      const name = entityName(change.entity);
      if (change.notBefore > nowMs) continue;
      if (busy.has(name)) {
        // What was started just now may be what this one gives way to.
        await gaveWay(change, await ofItsObject(change, context), context, nowMs);
        continue;
      }
      if (stoppedBy(on, { accountId, rule: change.origin.rule }) !== undefined) continue;
      if (!(await isReady(change, context, nowMs))) continue;
      // Whoever was faster has taken the place as well.
      places -= 1;
      busy.add(name);
      if (await start(change, context)) started.push(change.id);
    }
    after = page.next;
  } while (after !== undefined && lookedAt < MOST_LOOKED_AT);
  return { started };
}

/** Due, not overtaken by another change of the object, and nothing it waits for; what will never be is withdrawn. */
async function isReady(
  change: Change,
  { changes, withdrawals }: DispatchContext,
  nowMs: number,
): Promise<boolean> {
  if (change.expiresAt <= nowMs && change.intent === undefined) {
    await withdrawals.expire(change, nowMs);
    return false;
  }
  const others = await ofItsObject(change, { changes });
  if (await gaveWay(change, others, { withdrawals }, nowMs)) return false;
  // What another one asked of the platform and heard no answer to is found out first.
  if (
    others.some(({ id, status, intent }) => id !== change.id && status === 'PENDING' && intent !== undefined)
  )
    return false;
  const unmet = await unmetOf(change, (id) => changes.get(change.tenant, id));
  if (unmet?.final === true) await withdrawals.orphan(change, unmet.reason, nowMs);
  return unmet === undefined;
}

/** To another waiting change of the object, which takes its place. */
async function gaveWay(
  change: Change,
  others: readonly Change[],
  { withdrawals }: Pick<DispatchContext, 'withdrawals'>,
  nowMs: number,
): Promise<boolean> {
  const winner = conflictOf(change, others);
  if (winner !== undefined) await withdrawals.supersede(change, winner, nowMs);
  return winner !== undefined;
}

/** What was ever asked of the change's object. */
function ofItsObject(change: Change, { changes }: Pick<DispatchContext, 'changes'>): Promise<Change[]> {
  return changes.ofEntity(change.tenant, change.accountId, change.entity);
}

async function start(change: Change, context: DispatchContext): Promise<boolean> {
  const { leases, beginAttempt, machine, clock } = context;
  const { tenant, id } = change;
  const lease = await leases.dispatch(change, clock.now());
  if (lease === undefined) return false;
  const request: ExecutionRequest = { changeId: id, lease };
  await beginAttempt({
    tenant,
    runId: id,
    stateMachine: CHANGE_EXECUTION,
    attempt: lease,
    request,
    startedBy: change.origin.actor,
    nowMs: clock.now(),
  });
  await machine.start(executionName(id, lease), { run: { id, tenant, attempt: lease }, request });
  return true;
}
