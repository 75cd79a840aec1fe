// How does a run that starts itself anew open its next attempt?
//
// Table runs, the row of runs.ts: made for the first attempt, reopened for a later one.
import { Conflict } from './errors.ts';
import type { Need } from './need.ts';
import { openKey, retainedUntil, runKey } from './run-keys.ts';
import type { OpenRun } from './runs.ts';
import { tableNeed, type Table } from './table.ts';

/** False when this attempt, or a later one, has begun already. The request must be small: it lies in the row. */
export type BeginAttempt = (run: OpenRun & { attempt: number }) => Promise<boolean>;

const history = tableNeed('runs', ['UpdateItem']);

export const beginAttemptNeed: Need<BeginAttempt> = {
  ...history,
  open: (env, context) => openBeginAttempt(history.open(env, context)),
};

export function openBeginAttempt(table: Pick<Table, 'update'>): BeginAttempt {
  return async ({ tenant, runId, stateMachine, attempt, request, correlationId, startedBy, nowMs }) => {
    const now = new Date(nowMs).toISOString();
    try {
      await table.update({
        Key: { pk: runKey(tenant, runId), sk: 'run' },
        UpdateExpression:
          'SET tenantPk = :tenant, tenant = :tenant, runId = :runId, stateMachine = :machine, #status = :running, ' +
          'attempt = :attempt, #percent = :zero, startedAt = if_not_exists(startedAt, :now), updatedAt = :now, openPk = :open, ' +
          '#request = :request, startedBy = :by, correlationId = :correlation, expiresAt = :expires ' +
          'REMOVE endedAt, review, #error, #output, phase, phasePercent, message',
        ConditionExpression: 'attribute_not_exists(attempt) OR attempt < :attempt',
        ExpressionAttributeNames: {
          '#status': 'status',
          '#percent': 'percent',
          '#request': 'request',
          '#error': 'error',
          '#output': 'output',
        },
        ExpressionAttributeValues: {
          ':tenant': tenant,
          ':runId': runId,
          ':machine': stateMachine,
          ':running': 'running',
          ':attempt': attempt,
          ':zero': 0,
          ':now': now,
          ':open': openKey(runId),
          ':request': request,
          ':by': startedBy ?? null,
          ':correlation': correlationId ?? null,
          ':expires': retainedUntil(nowMs),
        },
      });
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  };
}
