// What did functions write, and which metrics are in it?
import type { CloudClock } from '../types.ts';
import { metricsInLine, type MetricValue } from './metrics.ts';

export interface LogLine {
  timestampMs: number;
  requestId: string;
  line: string;
}

export interface Logs {
  /** `requestId`: the invocation that wrote it. */
  write(name: string, line: string, requestId: string): void;
  /** The latest lines, newest last. */
  of(name: string): LogLine[];
  /** The latest values of all functions. */
  metrics(): MetricValue[];
}

const LOG_LINES = 2_000;
const METRIC_VALUES = 50_000;

/** @param onLog sees every line as it is written */
export function createLogs(
  clock: Pick<CloudClock, 'now'>,
  onLog: ((functionName: string, line: string) => void) | undefined,
): Logs {
  const logs = new Map<string, LogLine[]>();
  let metrics: MetricValue[] = [];
  return {
    write(name, line, requestId) {
      let lines = logs.get(name);
      if (lines === undefined) logs.set(name, (lines = []));
      lines.push({ timestampMs: clock.now(), requestId, line });
      if (lines.length > LOG_LINES * 1.5) lines.splice(0, lines.length - LOG_LINES);
      for (const value of metricsInLine(line, name)) metrics.push(value);
      if (metrics.length > METRIC_VALUES * 1.5) metrics = metrics.slice(-METRIC_VALUES);
      onLog?.(name, line);
    },
    of: (name) => logs.get(name) ?? [],
    metrics: () => metrics,
  };
}
