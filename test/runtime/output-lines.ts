// What did a function write: its log lines and its metrics?
import { vi } from 'vitest';

export interface OutputLines {
  logs(): Record<string, unknown>[];
  /** Name → dimensions and value, in order. */
  metrics(): { name: string; value: number; dimensions: Record<string, string> }[];
  clear(): void;
  stop(): void;
}

/** Collects JSON lines from standard output and error instead of showing them. */
export function captureOutput(): OutputLines {
  const lines: Record<string, unknown>[] = [];
  const take = (chunk: string | Uint8Array): boolean => {
    for (const line of String(chunk).split('\n')) {
      if (line.startsWith('{')) lines.push(JSON.parse(line) as Record<string, unknown>);
    }
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take),
    vi.spyOn(process.stderr, 'write').mockImplementation(take),
  ];
  return {
    logs: () => lines.filter((line) => !('_aws' in line)),
    metrics: () =>
      lines
        .filter((line) => '_aws' in line)
        .map((line) => {
          const { CloudWatchMetrics } = line['_aws'] as {
            CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string }[] }[];
          };
          const name = CloudWatchMetrics[0]?.Metrics[0]?.Name ?? '';
          const dimensions = CloudWatchMetrics[0]?.Dimensions[0] ?? [];
          return {
            name,
            value: Number(line[name]),
            dimensions: Object.fromEntries(dimensions.map((key) => [key, String(line[key])])),
          };
        }),
    clear: () => void lines.splice(0),
    stop: () => spies.forEach((spy) => spy.mockRestore()),
  };
}
