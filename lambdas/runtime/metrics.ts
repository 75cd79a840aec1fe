// What is counted, and under which names and dimensions?
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';

/** Stages may share an account: each counts for itself. Alarms read this. */
export function metricNamespace(stage: string): string {
  return `Impresario/${stage}`;
}

/**
 * Metric → dimensions, in order. Never a tenant or an execution id: each combination is a billed metric. Alarms read this.
 * Durations are seconds.
 */
export const METRICS = {
  activity_executions_total: ['activity', 'status'],
  job_failures_total: ['workflow', 'state'],
  job_duration_seconds: ['workflow', 'state'],
  workflow_executions_total: ['workflow', 'status'],
  workflow_duration_seconds: ['workflow'],
  saga_compensations_total: ['reason'],
  compensation_debt_total: ['effect'],
  circuit_breaker_state: ['service'],
  circuit_breaker_failures_total: ['service'],
  pending_ad_changes_count: [],
  ad_changes_total: ['kind', 'outcome'],
  ad_changes_deferred_count: ['reason'],
  ad_accounts_stopped_count: [],
  oldest_due_change_seconds: [],
  oldest_lease_seconds: [],
  kept_records_total: [],
  ad_changes_failed_total: [],
  change_sweep_succeeded_total: [],
  compensation_debt_count: [],
  sweep_succeeded_total: [],
  sweep_runs_total: ['sweep', 'status'],
} as const satisfies Record<string, readonly string[]>;

export type MetricName = keyof typeof METRICS;
export type MetricDimensions<N extends MetricName> = Record<(typeof METRICS)[N][number], string>;

let metrics: Metrics | undefined;

/** Beside its own dimensions every metric is counted under this one alone: an alarm cannot add up over dimensions. */
const OVERALL = { service: 'impresario' };

/** Writes an embedded-metric line to standard output: once by its own dimensions, once over everything. */
export function emitMetric<N extends MetricName>(
  name: N,
  value: number,
  dimensions: MetricDimensions<N>,
): void {
  const own: Readonly<Record<string, string>> = dimensions;
  const none = Object.keys(own).length === 0;
  if (none) write(name, value, [OVERALL]);
  else if (!('service' in own)) write(name, value, [own, OVERALL]);
  else {
    // One line has one value per dimension, and this metric calls its vendor `service`.
    write(name, value, [own]);
    write(name, value, [OVERALL]);
  }
}

function write(name: MetricName, value: number, sets: readonly Readonly<Record<string, string>>[]): void {
  metrics ??= new Metrics({ namespace: metricNamespace(process.env['STAGE'] ?? 'dev') });
  // Powertools would add its own `service` to each set, and an alarm on exactly ours would never see a datapoint.
  metrics.clearDefaultDimensions();
  for (const set of sets) metrics.addDimensions({ ...set });
  metrics.addMetric(name, name.endsWith('_seconds') ? MetricUnit.Seconds : MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
