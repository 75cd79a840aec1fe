// What happened in every run, and what is happening now?
//
// Table runs. Partition of a run `<tenant>#run#<runId>`:
//   sk `run`                          the row that the API, the console and the sweep read
//   sk `step#<state>#<subject>`       one per state (and Map item): status, attempts, duration       (steps.ts)
//   sk `effect#<effect>#<subject>`    one per external effect: begun, applied, undone                (intents.ts)
//   sk `memo#<state>#<input hash>`    outputs of memoised steps                                      (memo.ts)
// Index byTime: tenantPk (the tenant) + startedAt: a tenant's runs, newest first.
// Index byOpen: openPk (`platform#open#<shard>`) + startedAt: only runs that have not ended; oldest first, for sweeps.
import { checkIn, checkOut, type ClaimStore } from './claims.ts';
import { closeSteps } from './close-steps.ts';
import { Conflict, InvalidInput } from './errors.ts';
import { listOpenBefore, listRuns, type RunFilter } from './list-runs.ts';
import { openKey, retainedUntil, runKey } from './run-keys.ts';
import type { Attempt } from './settlement.ts';
import type { Item, Table } from './table.ts';

export const RUN_STATUSES = [
  'awaiting-upload',
  'running',
  'needs-review',
  'succeeded',
  'failed',
  'rejected',
  'stopped',
  'expired',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
const OPEN: readonly RunStatus[] = ['awaiting-upload', 'running', 'needs-review'];

export interface Run {
  tenant: string;
  runId: string;
  /** Our short name, `creative-generation`. */
  stateMachine: string;
  status: RunStatus;
  attempt: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  updatedAt: string;
  endedAt?: string;
  /** State that was entered last. */
  phase?: string;
  /** 0..100 of the whole run; never falls within an attempt. */
  percent: number;
  /** 0..100 of the current state and a line for a person. */
  phasePercent?: number;
  message?: string;
  error?: { name: string; cause: string; state?: string };
  output?: unknown;
  /** What a person is asked, while the status is needs-review. */
  review?: PendingReview;
  correlationId?: string;
  /** Who or what asked for it. */
  startedBy?: string;
}

export interface PendingReview {
  /** One sentence each. */
  reasons: readonly string[];
  /** When silence becomes a rejection, ISO 8601. */
  until: string;
}

export interface OpenRun {
  tenant: string;
  runId: string;
  stateMachine: string;
  status?: 'running' | 'awaiting-upload';
  /** Everything needed to start it again; stored out of line when large. */
  request: unknown;
  correlationId?: string;
  startedBy?: string;
  nowMs: number;
}

export interface RunEnd {
  status: 'succeeded' | 'failed' | 'rejected' | 'stopped' | 'expired';
  error?: { name: string; cause: string; state?: string };
  /** Small: a summary, not the media. */
  output?: unknown;
  nowMs: number;
}

export interface EndFrom {
  attempt: number;
  statuses: readonly RunStatus[];
}

export interface Runs {
  /** Idempotent: the second caller gets the row of the first and `opened: false`. */
  open(run: OpenRun): Promise<{ opened: boolean; run: Run }>;
  get(tenant: string, runId: string): Promise<Run | undefined>;
  /** The stored request. */
  request(tenant: string, runId: string): Promise<unknown>;
  list(tenant: string, filter: RunFilter): Promise<{ runs: Run[]; cursor?: string }>;
  /** Open runs of all tenants that started before, oldest first; for sweeps and health. */
  openBefore(iso: string): Promise<Run[]>;
  /** Between open statuses. @throws Conflict when the run has ended or does not exist. */
  setStatus(
    tenant: string,
    runId: string,
    status: 'running' | 'needs-review',
    nowMs: number,
    review?: PendingReview,
  ): Promise<void>;
  /** False when it had ended already: the first end counts. `onlyAttempt` leaves a restarted run alone. */
  close(tenant: string, runId: string, end: RunEnd, onlyAttempt?: number): Promise<boolean>;
  /** Closes an attempt that is in one of these statuses; false when it is in another. Settling may overrule a success that did not last. */
  end(tenant: string, runId: string, end: RunEnd, from: EndFrom): Promise<boolean>;
  /** Steps of the attempt that still say `running`: see close-steps.ts. */
  closeSteps(attempt: Attempt, nowMs: number, closing?: string): Promise<void>;
  /** The next attempt's number; the row is open again. @throws Conflict while the run is open, InvalidInput when unknown. */
  reopen(tenant: string, runId: string, nowMs: number): Promise<number>;
}

export function openRuns(table: Table, claims: ClaimStore): Runs {
  const key = (tenant: string, runId: string) => ({ pk: runKey(tenant, runId), sk: 'run' });

  async function find(tenant: string, runId: string): Promise<Item | undefined> {
    return table.get(key(tenant, runId));
  }

  async function finish(
    tenant: string,
    runId: string,
    end: RunEnd,
    condition: string,
    values: Record<string, unknown>,
  ): Promise<boolean> {
    const succeeded = end.status === 'succeeded';
    try {
      await table.update({
        Key: key(tenant, runId),
        UpdateExpression:
          'SET #status = :status, updatedAt = :now, endedAt = :now, #error = :error, #output = :output, expiresAt = :expires' +
          `${succeeded ? ', #percent = :hundred' : ''} REMOVE openPk, review`,
        ConditionExpression: condition,
        ExpressionAttributeNames: {
          '#status': 'status',
          '#error': 'error',
          '#output': 'output',
          ...(succeeded ? { '#percent': 'percent' } : {}),
        },
        ExpressionAttributeValues: {
          ':status': end.status,
          ':now': new Date(end.nowMs).toISOString(),
          ':error': end.error ?? null,
          ':output': end.output ?? null,
          ':expires': retainedUntil(end.nowMs),
          ...values,
          ...(succeeded ? { ':hundred': 100 } : {}),
        },
      });
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  }

  const runs: Runs = {
    async open(run) {
      const startedAt = new Date(run.nowMs).toISOString();
      const request = await checkIn(run.request, claims, run);
      const row: Item = {
        ...key(run.tenant, run.runId),
        tenantPk: run.tenant,
        openPk: openKey(run.runId),
        tenant: run.tenant,
        runId: run.runId,
        stateMachine: run.stateMachine,
        status: run.status ?? 'running',
        attempt: 1,
        percent: 0,
        startedAt,
        updatedAt: startedAt,
        request,
        correlationId: run.correlationId,
        startedBy: run.startedBy,
        expiresAt: retainedUntil(run.nowMs),
      };
      try {
        await table.put({ Item: row, ConditionExpression: 'attribute_not_exists(pk)' });
        return { opened: true, run: toRun(row) };
      } catch (error) {
        const existing = error instanceof Conflict ? await find(run.tenant, run.runId) : undefined;
        if (existing === undefined) throw error;
        return { opened: false, run: toRun(existing) };
      }
    },
    async get(tenant, runId) {
      const row = await find(tenant, runId);
      return row === undefined ? undefined : toRun(row);
    },
    async request(tenant, runId) {
      const row = await find(tenant, runId);
      if (row === undefined) throw new InvalidInput(`There is no run ${runId}.`, { path: 'id' });
      return checkOut(row['request'], claims, { tenant, runId });
    },
    async list(tenant, filter) {
      const { rows, cursor } = await listRuns(table, tenant, filter);
      return { runs: rows.map(toRun), ...(cursor === undefined ? {} : { cursor }) };
    },
    async openBefore(iso) {
      const rows = await listOpenBefore(table, iso);
      return rows.map(toRun).toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
    },
    async setStatus(tenant, runId, status, nowMs, review) {
      await table.update({
        Key: key(tenant, runId),
        UpdateExpression: 'SET #status = :status, updatedAt = :now, review = :review',
        ConditionExpression: 'attribute_exists(openPk)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':status': status,
          ':now': new Date(nowMs).toISOString(),
          ':review': review ?? null,
        },
      });
    },
    close(tenant, runId, end, onlyAttempt) {
      const open = 'attribute_exists(openPk)';
      return onlyAttempt === undefined
        ? finish(tenant, runId, end, open, {})
        : finish(tenant, runId, end, `${open} AND attempt = :attempt`, { ':attempt': onlyAttempt });
    },
    end(tenant, runId, end, { attempt, statuses }) {
      const names = statuses.map((_, index) => `:from${index}`);
      const condition = `attempt = :attempt AND #status IN (${names.join(', ')})`;
      const values = Object.fromEntries(statuses.map((status, index) => [`:from${index}`, status]));
      return finish(tenant, runId, end, condition, { ':attempt': attempt, ...values });
    },
    closeSteps: (attempt, nowMs, closing) => closeSteps(table, attempt, nowMs, closing),
    async reopen(tenant, runId, nowMs) {
      try {
        const row = await table.update({
          Key: key(tenant, runId),
          UpdateExpression:
            'SET #status = :running, updatedAt = :now, openPk = :open, #percent = :zero, expiresAt = :expires REMOVE endedAt, review, #error, #output ADD attempt :one',
          ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(openPk)',
          ExpressionAttributeNames: {
            '#status': 'status',
            '#error': 'error',
            '#output': 'output',
            '#percent': 'percent',
          },
          ExpressionAttributeValues: {
            ':running': 'running',
            ':now': new Date(nowMs).toISOString(),
            ':open': openKey(runId),
            ':zero': 0,
            ':one': 1,
            ':expires': retainedUntil(nowMs),
          },
          ReturnValues: 'ALL_NEW',
        });
        return Number(row['attempt']);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        if ((await find(tenant, runId)) === undefined)
          throw new InvalidInput(`There is no run ${runId}.`, { path: 'id' });
        throw new Conflict(`Run ${runId} has not ended; stop it first.`, { cause: error });
      }
    },
  };
  return runs;
}

export function isOpen(status: RunStatus): boolean {
  return OPEN.includes(status);
}

function toRun(row: Item): Run {
  const { pk, sk, tenantPk, openPk, request, expiresAt, progressAt, ...rest } = row;
  void [pk, sk, tenantPk, openPk, request, expiresAt, progressAt];
  const present = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  return { attempt: 1, percent: 0, ...Object.fromEntries(present) } as unknown as Run;
}
