// What does the history say of steps that never told how they ended, once their run has?
import { Conflict } from './errors.ts';
import { runKey } from './run-keys.ts';
import type { Attempt } from './settlement.ts';
import type { Table } from './table.ts';

/** Name of the error of a step that was closed with its run: its function was killed or never answered. */
export const NO_ANSWER = 'NoAnswer';

/**
 * Closes, as failed, the steps that still say `running` when their attempt ends. `closing` is the state that ends the run and will
 * tell its own end. A step that a later attempt has begun again is left alone; one that is heard of after all overwrites this.
 */
export async function closeSteps(
  table: Pick<Table, 'queryAll' | 'update'>,
  { tenant, runId, attempt }: Attempt,
  nowMs: number,
  closing?: string,
): Promise<void> {
  const steps = await table.queryAll({
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :step)',
    ExpressionAttributeValues: { ':pk': runKey(tenant, runId), ':step': 'step#' },
    ConsistentRead: true,
  });
  for (const { pk, sk, state, status } of steps) {
    if (status !== 'running' || state === closing) continue;
    try {
      await table.update({
        Key: { pk, sk },
        UpdateExpression: 'SET #status = :failed, endedAt = :now, #error = :error',
        ConditionExpression: '#status = :running AND attempt <= :attempt',
        ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
        ExpressionAttributeValues: {
          ':failed': 'failed',
          ':running': 'running',
          ':attempt': attempt,
          ':now': new Date(nowMs).toISOString(),
          ':error': { name: NO_ANSWER, message: 'The run ended before this step said how it ended.' },
        },
      });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
}
