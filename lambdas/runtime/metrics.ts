// What is counted, and under which names and dimensions?
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';

export const METRIC_NAMESPACE = 'Impresario';

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
  sweep_runs_total: ['sweep', 'status'],
} as const satisfies Record<string, readonly string[]>;

export type MetricName = keyof typeof METRICS;
export type MetricDimensions<N extends MetricName> = Record<(typeof METRICS)[N][number], string>;

let metrics: Metrics | undefined;

/** Writes one embedded-metric line to standard output. */
export function emitMetric<N extends MetricName>(
  name: N,
  value: number,
  dimensions: MetricDimensions<N>,
): void {
  metrics ??= new Metrics({ namespace: METRIC_NAMESPACE });
  // Powertools would add its own `service` dimension, and an alarm on exactly ours would never see a datapoint.
  metrics.clearDefaultDimensions();
  if (METRICS[name].length > 0) metrics.addDimensions(dimensions);
  metrics.addMetric(name, name.endsWith('_seconds') ? MetricUnit.Seconds : MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
