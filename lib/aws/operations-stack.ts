// Who notices when work is about to be lost?
import { Duration } from 'aws-cdk-lib/core';
import {
  Alarm,
  AlarmStatusWidget,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { metricNamespace, type MetricName } from '../../lambdas/runtime/metrics.ts';
import type { AreaStack } from './area-stack.ts';
import { stageName } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';
import { deadLetterQueue } from './queues.ts';

export interface OperationsProps {
  platform: PlatformStack;
  areas: readonly AreaStack[];
}

interface AlarmSpec {
  /** Also the name of its article: docs/runbook/<name>.md. */
  name: string;
  metric: IMetric;
  threshold: number;
  periods?: number;
  missingData?: TreatMissingData;
  comparison?: ComparisonOperator;
  /** Appended to the alarm's name where one article covers many alarms. */
  subject?: string;
}

const FIVE_MINUTES = Duration.minutes(5);
/** `rate(job_failures_total[5m]) > 0.1`: more than 30 in five minutes. */
const JOB_FAILURES_PER_FIVE_MINUTES = 30;
const JOB_FAILURE_PERCENT = 10;
const JOB_FAILURE_MINIMUM_JOBS = 20;
const PENDING_CHANGES = 100;
const CHANGE_FAILURE_PERCENT = 10;
const CHANGE_FAILURE_MINIMUM = 20;
/** An execution ends after 30 minutes and the sweep comes every minute. */
const STUCK_LEASE_SECONDS = 2_400;
/** The sweep runs every five minutes; three missed runs are an outage. */
const SWEEP_PERIODS = 3;

/**
 * Adds to the operations stack (which runs lambdas/runtime: health, settle-run, sweeps) an alarm for each way to
 * lose work, each with a runbook article, and the dashboard across areas.
 */
export function watchOver(operations: AreaStack, { platform, areas }: OperationsProps): void {
  announceFailures(operations, platform);
  const all = [...areas, operations];
  const alarms = [...all.flatMap(lostWorkAlarms), ...jobAlarms(platform.stage)].map((spec) =>
    addAlarm(operations, platform, spec),
  );
  addDashboard(operations, platform, all, alarms);
}

/** What failed for good is said to the same topic as alarms, in the words of the event. */
function announceFailures(operations: AreaStack, platform: PlatformStack): void {
  const deadLetters = deadLetterQueue(operations, platform, 'announcements');
  const rule = new Rule(operations, 'FailureAnnouncements', {
    ruleName: stageName(platform, 'failure-announcements'),
    eventBus: platform.bus,
    eventPattern: {
      detailType: Match.anyOf(
        Match.suffix('.failed'),
        Match.suffix('.render-failed'),
        Match.suffix('.debt-recorded'),
      ),
    },
  });
  rule.addTarget(new SnsTopic(platform.operationsTopic, { deadLetterQueue: deadLetters }));
}

function lostWorkAlarms(area: AreaStack): AlarmSpec[] {
  const deadLetters = area.deadLetterQueues.map((queue): AlarmSpec => ({
    name: 'dead-letters',
    subject: queue.node.id.replace(/-dead-letters$/, ''),
    metric: queue.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES, statistic: 'Maximum' }),
    threshold: 0,
  }));
  const executions = area.machines.map((machine): AlarmSpec => ({
    name: 'executions-failing',
    subject: machine.node.id,
    metric: new MathExpression({
      label: 'executions failed or timed out',
      // Each is absent while it does not happen, and a sum with something absent is absent.
      expression: 'FILL(failed, 0) + FILL(timedOut, 0)',
      usingMetrics: {
        failed: machine.metricFailed({ period: FIVE_MINUTES, statistic: 'Sum' }),
        timedOut: machine.metricTimedOut({ period: FIVE_MINUTES, statistic: 'Sum' }),
      },
      period: FIVE_MINUTES,
    }),
    threshold: 0,
  }));
  return [...deadLetters, ...executions];
}

function addAlarm(stack: AreaStack, platform: PlatformStack, spec: AlarmSpec): Alarm {
  const name = [spec.name, spec.subject].filter(Boolean).join('-');
  const alarm = new Alarm(stack, `${name}-alarm`, {
    alarmName: stageName(platform, name),
    alarmDescription: `What to do: docs/runbook/${spec.name}.md`,
    metric: spec.metric,
    threshold: spec.threshold,
    evaluationPeriods: spec.periods ?? 1,
    comparisonOperator: spec.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
    treatMissingData: spec.missingData ?? TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction(new SnsAction(platform.operationsTopic));
  return alarm;
}

function addDashboard(
  stack: AreaStack,
  platform: PlatformStack,
  areas: readonly AreaStack[],
  alarms: readonly Alarm[],
): void {
  const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 12 });
  const machines = areas.flatMap((area) => [...area.machines]);
  const queues = areas.flatMap((area) => area.deadLetterQueues);
  const { stage } = platform;
  new Dashboard(stack, 'Dashboard', {
    dashboardName: `impresario-${stage}`,
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24 })],
      [
        graph(
          'Executions started',
          machines.map((machine) => machine.metricStarted()),
        ),
        graph(
          'Executions failed',
          machines.map((machine) => machine.metricFailed()),
        ),
      ],
      [
        graph('Steps failed', [ours(stage, 'job_failures_total', 'Sum')]),
        graph('Step duration', [
          ours(stage, 'job_duration_seconds', 'p50'),
          ours(stage, 'job_duration_seconds', 'p99'),
        ]),
      ],
      [
        graph('Changes waiting', [ours(stage, 'pending_ad_changes_count', 'Maximum')]),
        graph(
          'Dead letters',
          queues.map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
        ),
      ],
    ],
  });
}

/** A metric the functions emit themselves, over everything (no tenant or execution id is ever a dimension). */
function ours(stage: string, metricName: MetricName, statistic: string): Metric {
  return new Metric({
    namespace: metricNamespace(stage),
    metricName,
    dimensionsMap: { service: 'impresario' },
    statistic,
    period: FIVE_MINUTES,
  });
}

function jobAlarms(stage: string): AlarmSpec[] {
  return [
    {
      name: 'job-failure-rate',
      metric: ours(stage, 'job_failures_total', 'Sum'),
      threshold: JOB_FAILURES_PER_FIVE_MINUTES,
    },
    {
      name: 'job-failure-share',
      metric: new MathExpression({
        label: 'failed share of steps, percent',
        expression: `IF(jobs >= ${JOB_FAILURE_MINIMUM_JOBS}, 100 * failures / jobs, 0)`,
        usingMetrics: {
          failures: ours(stage, 'job_failures_total', 'Sum'),
          jobs: ours(stage, 'job_duration_seconds', 'SampleCount'),
        },
        period: FIVE_MINUTES,
      }),
      threshold: JOB_FAILURE_PERCENT,
    },
    {
      name: 'pending-changes',
      metric: ours(stage, 'pending_ad_changes_count', 'Maximum'),
      threshold: PENDING_CHANGES,
    },
    {
      name: 'change-failure-rate',
      metric: new MathExpression({
        label: 'failed share of ended changes, percent',
        expression: `IF(ended >= ${CHANGE_FAILURE_MINIMUM}, 100 * FILL(failed, 0) / ended, 0)`,
        usingMetrics: {
          failed: ours(stage, 'ad_changes_failed_total', 'Sum'),
          ended: ours(stage, 'ad_changes_total', 'Sum'),
        },
        period: FIVE_MINUTES,
      }),
      threshold: CHANGE_FAILURE_PERCENT,
    },
    {
      name: 'change-lease-stuck',
      metric: ours(stage, 'oldest_lease_seconds', 'Maximum'),
      threshold: STUCK_LEASE_SECONDS,
    },
    {
      name: 'ad-account-stopped',
      metric: ours(stage, 'ad_accounts_stopped_count', 'Maximum'),
      threshold: 0,
      // Counted every ten minutes: what lies between two counts says nothing.
      missingData: TreatMissingData.IGNORE,
    },
    { name: 'kept-records', metric: ours(stage, 'kept_records_total', 'Sum'), threshold: 0 },
    {
      name: 'change-sweep-not-succeeding',
      metric: ours(stage, 'change_sweep_succeeded_total', 'Sum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      missingData: TreatMissingData.BREACHING,
    },
    { name: 'open-circuit', metric: ours(stage, 'circuit_breaker_state', 'Maximum'), threshold: 0 },
    { name: 'compensation-debt', metric: ours(stage, 'compensation_debt_count', 'Maximum'), threshold: 0 },
    {
      name: 'sweep-not-succeeding',
      metric: ours(stage, 'sweep_succeeded_total', 'Sum'),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: SWEEP_PERIODS,
      missingData: TreatMissingData.BREACHING,
    },
  ];
}
