// How is an event source mapping configured?
import { compilePattern, type Matcher } from '../events/pattern.ts';
import type { Faults } from '../faults.ts';
import { AwsError, type EngineContext, type Json, type Principal } from '../types.ts';
import type { FunctionRecord } from './registry.ts';
import type { RunResult } from './run.ts';

export interface Mapping {
  uuid: string;
  sourceArn: string;
  functionName: string;
  enabled: boolean;
  batchSize: number;
  windowSeconds: number;
  maximumConcurrency: number;
  reportsItemFailures: boolean;
  /** Any of them; undefined lets everything through. */
  filters: Matcher[] | undefined;
  startingPosition: string | undefined;
  /** -1: until the record is too old. */
  maximumRetryAttempts: number;
  maximumRecordAgeSeconds: number;
  bisects: boolean;
  onFailureArn: string | undefined;
  input: Json;
  modifiedMs: number;
  lastResult: string;
}

/** What a poller works with. */
export interface PollerContext extends EngineContext {
  faults: Faults;
  record: (name: string) => FunctionRecord;
  /** @throws AwsError when throttled */
  invoke: (name: string, event: Json) => Promise<RunResult & { requestId: string }>;
}

export interface Poller {
  wake(): void;
  stop(): void;
}

export const principalOf = (context: PollerContext, mapping: Mapping): Principal => ({
  kind: 'role',
  roleArn: context.record(mapping.functionName).roleArn,
});

const QUEUE_CONCURRENCY = 100;
/** Streams keep records for 24 hours. */
const RECORD_AGE_SECONDS = 86_400;

/** @throws AwsError InvalidParameterValueException */
export function toMapping(uuid: string, functionName: string, input: Json, nowMs: number): Mapping {
  const sourceArn = String(input.EventSourceArn);
  const queue = sourceArn.startsWith('arn:aws:sqs:');
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterValueException', message);
  };
  if (!queue && !/^arn:aws:dynamodb:.*\/stream\//.test(sourceArn))
    refuse(`Unrecognized event source ${sourceArn}.`);
  const batchSize = Number(input.BatchSize ?? (queue ? 10 : 100));
  const windowSeconds = Number(input.MaximumBatchingWindowInSeconds ?? 0);
  const limit = queue && (windowSeconds === 0 || sourceArn.endsWith('.fifo')) ? 10 : 10_000;
  if (!(batchSize >= 1 && batchSize <= limit)) refuse(`BatchSize must be 1 to ${limit} for this source.`);
  if (queue && sourceArn.endsWith('.fifo') && windowSeconds > 0)
    refuse('Batching window is not supported for FIFO queues.');
  if (!queue && input.StartingPosition !== 'LATEST' && input.StartingPosition !== 'TRIM_HORIZON') {
    refuse('StartingPosition must be LATEST or TRIM_HORIZON.');
  }
  const concurrency = input.ScalingConfig?.MaximumConcurrency;
  if (concurrency !== undefined && concurrency < 2) refuse('MaximumConcurrency must be at least 2.');
  const filters: Json[] | undefined = input.FilterCriteria?.Filters;
  const maximumAge = Number(input.MaximumRecordAgeInSeconds ?? -1);
  return {
    uuid,
    sourceArn,
    functionName,
    enabled: input.Enabled !== false,
    batchSize,
    windowSeconds,
    maximumConcurrency: concurrency ?? QUEUE_CONCURRENCY,
    reportsItemFailures: (input.FunctionResponseTypes ?? []).includes('ReportBatchItemFailures'),
    filters: filters?.map(({ Pattern }) => compilePattern(JSON.parse(Pattern))),
    startingPosition: input.StartingPosition,
    maximumRetryAttempts: Number(input.MaximumRetryAttempts ?? -1),
    maximumRecordAgeSeconds: maximumAge === -1 ? RECORD_AGE_SECONDS : maximumAge,
    bisects: input.BisectBatchOnFunctionError === true,
    onFailureArn: input.DestinationConfig?.OnFailure?.Destination,
    input,
    modifiedMs: nowMs,
    lastResult: 'No records processed',
  };
}

/**
 * The identifiers a function reports as failed; 'all' when its answer is malformed.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function itemFailures(payload: Json, known: ReadonlySet<string>): Set<string> | 'all' {
  const failures: Json = payload?.batchItemFailures;
  if (payload === null || failures === undefined || failures === null) return new Set();
  if (!Array.isArray(failures)) return 'all';
  const ids = failures.map((failure: Json) => failure?.itemIdentifier);
  return ids.every((id) => typeof id === 'string' && known.has(id)) ? new Set(ids) : 'all';
}

/** Runs a batch, twice where a fault wants a second delivery; the first answer counts. */
export async function invokeBatch(
  context: PollerContext,
  mapping: Mapping,
  records: readonly Json[],
): Promise<RunResult & { requestId: string }> {
  const event = () => structuredClone({ Records: records });
  const result = await context.invoke(mapping.functionName, event());
  if (context.faults.duplicate(mapping.functionName)) await context.invoke(mapping.functionName, event());
  mapping.lastResult = 'functionError' in result ? 'PROBLEM: Function call failed' : 'OK';
  return result;
}
