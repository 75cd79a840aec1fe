// Which metrics did the functions emit?

/** One value of one metric, from a line in CloudWatch's embedded metric format. */
export interface MetricValue {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  value: number;
  unit: string;
  timestampMs: number;
  functionName: string;
}

interface EmfLine {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: string; Unit?: string }[];
    }[];
  };
}

function parseEmf(line: string): (EmfLine & Record<string, unknown>) | undefined {
  if (!line.startsWith('{') || !line.includes('"CloudWatchMetrics"')) return undefined;
  try {
    const parsed = JSON.parse(line);
    return Array.isArray(parsed?._aws?.CloudWatchMetrics) ? parsed : undefined;
  } catch {
    // A line that is not JSON is a log line.
    return undefined;
  }
}

/** Every value in the line, once per dimension set; [] for any other line. */
export function metricsInLine(line: string, functionName: string): MetricValue[] {
  const emf = parseEmf(line);
  if (emf === undefined) return [];
  const values: MetricValue[] = [];
  for (const directive of emf._aws.CloudWatchMetrics) {
    for (const names of directive.Dimensions) {
      const dimensions = Object.fromEntries(names.map((name) => [name, String(emf[name])]));
      for (const metric of directive.Metrics) {
        const raw = emf[metric.Name];
        for (const value of Array.isArray(raw) ? raw : [raw]) {
          values.push({
            namespace: directive.Namespace,
            name: metric.Name,
            dimensions,
            value: Number(value),
            unit: metric.Unit ?? 'None',
            timestampMs: emf._aws.Timestamp,
            functionName,
          });
        }
      }
    }
  }
  return values;
}
