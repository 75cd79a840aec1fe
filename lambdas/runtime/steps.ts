// How does each step of a run tell the history that it began, how far it is and how it ended?
import { Conflict } from './errors.ts';
import { PROGRESS_INTERVAL_MS } from './progress.ts';
import { openKey, retainedUntil, runKey } from './run-keys.ts';
import type { Table } from './table.ts';

export interface StepRef {
  tenant: string;
  runId: string;
  attempt: number;
  state: string;
  /** Tells Map iterations apart; empty for a state that runs once. */
  subject: string;
  /** Short name of the state machine. */
  workflow: string;
}

export interface Step {
  state: string;
  subject: string;
  status: 'running' | 'succeeded' | 'failed';
  /** Times the step began, over all retries and attempts of the run. */
  tries: number;
  /** Attempt of the run in which it last began. */
  attempt: number;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string;
  durationMs?: number;
  /** Answered from an earlier attempt without running. */
  remembered?: boolean;
  error?: { name: string; message: string };
}

export interface StepEnd {
  status: 'succeeded' | 'failed';
  durationMs: number;
  remembered?: boolean;
  error?: { name: string; message: string };
}

export interface Steps {
  /**
   * Writes the step's row and the run's phase; makes the run's row when a run was started past the API.
   * @returns which try of the step this is, over all retries and attempts of the run: 1 at first.
   */
  started(step: StepRef, nowMs: number, runPercent?: number): Promise<number>;
  /** Left out when one of this run's steps said so less than a second ago, or the run has ended. */
  progress(
    step: StepRef,
    percent: number,
    message: string | undefined,
    nowMs: number,
    runPercent?: number,
  ): Promise<void>;
  ended(step: StepRef, end: StepEnd, nowMs: number, runPercent?: number): Promise<void>;
}

/** Everything a run's steps did, in order of their first start. */
export async function listSteps(
  table: Pick<Table, 'queryAll'>,
  tenant: string,
  runId: string,
): Promise<Step[]> {
  const rows = await table.queryAll({
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :step)',
    ExpressionAttributeValues: { ':pk': runKey(tenant, runId), ':step': 'step#' },
    ConsistentRead: true,
  });
  const steps = rows.map(({ pk: _pk, sk: _sk, expiresAt: _expiresAt, firstStartedAt, ...step }) => ({
    step: Object.fromEntries(Object.entries(step).filter(([, value]) => value !== null)) as unknown as Step,
    first: String(firstStartedAt),
  }));
  return steps.toSorted((a, b) => a.first.localeCompare(b.first)).map(({ step }) => step);
}

export function openSteps(table: Table): Steps {
  const stepKey = (step: StepRef) => ({
    pk: runKey(step.tenant, step.runId),
    sk: `step#${step.state}#${step.subject}`,
  });
  const rowKey = (step: StepRef) => ({ pk: runKey(step.tenant, step.runId), sk: 'run' });

  // A percentage only rises; a late or repeated report is no error.
  async function raise(step: StepRef, runPercent: number): Promise<void> {
    try {
      await table.update({
        Key: rowKey(step),
        UpdateExpression: 'SET #percent = :percent',
        ConditionExpression: 'attribute_exists(openPk) AND #percent < :percent',
        ExpressionAttributeNames: { '#percent': 'percent' },
        ExpressionAttributeValues: { ':percent': Math.round(runPercent) },
      });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }

  return {
    async started(step, nowMs, runPercent) {
      const now = new Date(nowMs).toISOString();
      const { tries } = await table.update({
        Key: stepKey(step),
        UpdateExpression:
          'SET #state = :state, subject = :subject, #status = :running, attempt = :attempt, startedAt = :now, ' +
          'firstStartedAt = if_not_exists(firstStartedAt, :now), expiresAt = :expires REMOVE endedAt, durationMs, #error, remembered ADD tries :one',
        ExpressionAttributeNames: { '#state': 'state', '#status': 'status', '#error': 'error' },
        ExpressionAttributeValues: {
          ':state': step.state,
          ':subject': step.subject,
          ':running': 'running',
          ':attempt': step.attempt,
          ':now': now,
          ':expires': retainedUntil(nowMs),
          ':one': 1,
        },
        ReturnValues: 'UPDATED_NEW',
      });
      const enter = (): Promise<unknown> =>
        table.update({
          Key: rowKey(step),
          UpdateExpression: 'SET phase = :state, phasePercent = :zero, updatedAt = :now REMOVE message',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':state': step.state, ':zero': 0, ':now': now },
        });
      try {
        await enter();
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        await openRow(table, step, nowMs);
        await enter();
      }
      if (runPercent !== undefined) await raise(step, runPercent);
      return Number(tries);
    },
    async progress(step, percent, message, nowMs, runPercent) {
      const write = {
        Key: rowKey(step),
        UpdateExpression:
          'SET phase = :state, phasePercent = :percent, message = :message, updatedAt = :now, progressAt = :nowMs',
        ConditionExpression:
          'attribute_exists(openPk) AND (attribute_not_exists(progressAt) OR progressAt <= :secondAgo)',
        ExpressionAttributeValues: {
          ':state': step.state,
          ':percent': Math.round(percent),
          ':message': message ?? null,
          ':now': new Date(nowMs).toISOString(),
          ':nowMs': nowMs,
          ':secondAgo': nowMs - PROGRESS_INTERVAL_MS,
        },
      };
      try {
        await table.update(write);
      } catch (error) {
        if (error instanceof Conflict) return;
        throw error;
      }
      if (runPercent !== undefined) await raise(step, runPercent);
    },
    async ended(step, end, nowMs, runPercent) {
      await table.update({
        Key: stepKey(step),
        UpdateExpression:
          'SET #status = :status, endedAt = :now, durationMs = :duration, #error = :error, remembered = :remembered',
        ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
        ExpressionAttributeValues: {
          ':status': end.status,
          ':now': new Date(nowMs).toISOString(),
          ':duration': Math.round(end.durationMs),
          ':error': end.error ?? null,
          ':remembered': end.remembered === true ? true : null,
        },
      });
      if (runPercent !== undefined) await raise(step, runPercent);
    },
  };
}

// A run that was started in the console, not through the API, has no row yet. Another step may make it first.
async function openRow(table: Table, step: StepRef, nowMs: number): Promise<void> {
  const now = new Date(nowMs).toISOString();
  try {
    await table.put({
      Item: {
        pk: runKey(step.tenant, step.runId),
        sk: 'run',
        tenantPk: step.tenant,
        openPk: openKey(step.runId),
        tenant: step.tenant,
        runId: step.runId,
        stateMachine: step.workflow,
        status: 'running',
        attempt: step.attempt,
        percent: 0,
        startedAt: now,
        updatedAt: now,
        expiresAt: retainedUntil(nowMs),
      },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}
