// How does a run that ended by itself close its row, and how is it counted?
import { emitMetric } from './metrics.ts';
import type { RunEnd, Runs } from './runs.ts';

/** Closes the row of this attempt and counts it once: a repeat finds it closed and counts nothing. */
export async function endRun(
  runs: Runs,
  workflow: string,
  { tenant, id, attempt }: { tenant: string; id: string; attempt: number },
  end: RunEnd,
): Promise<void> {
  const row = await runs.get(tenant, id);
  if (!(await runs.close(tenant, id, end, attempt))) return;
  emitMetric('workflow_executions_total', 1, { workflow, status: end.status });
  if (row !== undefined) {
    emitMetric('workflow_duration_seconds', (end.nowMs - Date.parse(row.startedAt)) / 1000, { workflow });
  }
}
