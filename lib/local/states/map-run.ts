// How far is a Distributed Map, and what does DescribeMapRun say about it?
import { REGION, ACCOUNT } from '../types.ts';
import type { Execution } from './run.ts';

/** One run of a Distributed Map: its children and how much failure it bears. */
export interface MapRun {
  arn: string;
  parent: Execution;
  label: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  startMs: number;
  stopMs: number | undefined;
  maxConcurrency: number;
  toleratedCount: number;
  toleratedPercentage: number;
  children: Execution[];
  /** Items in each child's batch. */
  itemCounts: number[];
  redriveCount: number;
}

export const mapRunArn = (parent: Execution, label: string, id: string) =>
  `arn:aws:states:${REGION}:${ACCOUNT}:mapRun:${parent.machine.name}/${label}:${id}`;

const COUNTED = {
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timedOut',
  ABORTED: 'aborted',
} as const;

/** Children, or the items in them, by how they ended. */
export function countsOf(mapRun: MapRun, unit: 'executions' | 'items'): Record<string, number> {
  const counts: Record<string, number> = {
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    timedOut: 0,
    aborted: 0,
    total: 0,
    resultsWritten: 0,
  };
  mapRun.itemCounts.forEach((items, i) => {
    const weight = unit === 'items' ? items : 1;
    const child = mapRun.children[i];
    counts[child === undefined ? 'pending' : COUNTED[child.status]]! += weight;
    counts['total']! += weight;
  });
  return counts;
}

/** Has the run failed more than it bears? */
export function exceedsTolerance(mapRun: MapRun): boolean {
  const counts = countsOf(mapRun, 'items');
  const failed = counts['failed']! + counts['timedOut']!;
  if (failed === 0) return false;
  const percent = (failed / Math.max(1, counts['total']!)) * 100;
  return mapRun.toleratedPercentage > 0 && mapRun.toleratedCount > 0
    ? failed > mapRun.toleratedCount || percent > mapRun.toleratedPercentage
    : mapRun.toleratedPercentage > 0
      ? percent > mapRun.toleratedPercentage
      : failed > mapRun.toleratedCount;
}

/** As DescribeMapRun answers. */
export function describeMapRun(mapRun: MapRun): Record<string, unknown> {
  return {
    mapRunArn: mapRun.arn,
    executionArn: mapRun.parent.arn,
    status: mapRun.status,
    startDate: mapRun.startMs / 1000,
    ...(mapRun.stopMs === undefined ? {} : { stopDate: mapRun.stopMs / 1000 }),
    maxConcurrency: mapRun.maxConcurrency,
    toleratedFailureCount: mapRun.toleratedCount,
    toleratedFailurePercentage: mapRun.toleratedPercentage,
    itemCounts: countsOf(mapRun, 'items'),
    executionCounts: countsOf(mapRun, 'executions'),
    redriveCount: mapRun.redriveCount,
  };
}
