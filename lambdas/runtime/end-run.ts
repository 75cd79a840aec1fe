// How does a run that ended by itself close its row, and how is it counted?
import { Conflict } from './errors.ts';
import { emitMetric } from './metrics.ts';
import type { RunEnd, Runs } from './runs.ts';

/**
 * Closes the row of this attempt and counts it once: a repeat finds it closed and counts nothing, and an attempt that a later
 * one has replaced leaves the row alone. Steps that were killed and never told their end are closed too, all but `state`, which
 * is the one that calls this.
 * @throws Conflict when the attempt was closed with another end meanwhile (stopped): what it made must not stay.
 */
export async function endRun(
  runs: Runs,
  { workflow, state }: { workflow: string; state: string },
  { tenant, id, attempt }: { tenant: string; id: string; attempt: number },
  end: RunEnd,
): Promise<void> {
  // First: a repeat finds the row closed and may look no further.
  await runs.closeSteps({ tenant, runId: id, attempt }, end.nowMs, state);
  const closed = await runs.close(tenant, id, end, attempt);
  const row = await runs.get(tenant, id);
  if (!closed) {
    if (row?.attempt === attempt && row.status !== end.status)
      throw new Conflict(`Run ${id} is ${row.status} already and cannot be ${end.status}.`);
    return;
  }
  emitMetric('workflow_executions_total', 1, { workflow, status: end.status });
  if (row !== undefined) {
    emitMetric('workflow_duration_seconds', (end.nowMs - Date.parse(row.startedAt)) / 1000, { workflow });
  }
}
