// Where do the results of a Distributed Map go, and in which shape?
import type { Json } from '../types.ts';
import type { DistributedPart } from './definition.ts';
import { StateFailure } from './failure.ts';
import { callService } from './integrations.ts';
import type { Visit } from './interpreter.ts';
import type { MapRun } from './map-run.ts';
import type { Execution } from './run.ts';

type Writer = NonNullable<DistributedPart['writer']>;

const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

/** A child as the result files record it. */
function entryOf(child: Execution): Record<string, unknown> {
  return {
    ExecutionArn: child.arn,
    Input: child.inputJson,
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.outputJson === undefined
      ? { Error: child.error, Cause: child.cause }
      : { Output: child.outputJson, OutputDetails: { Included: true } }),
    RedriveCount: child.redriveCount,
    RedriveStatus: child.status === 'SUCCEEDED' ? 'NOT_REDRIVABLE' : 'REDRIVABLE_BY_MAP_RUN',
    StartDate: iso(child.startMs),
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    StopDate: iso(child.stopMs),
  };
}

/** NONE: with metadata; COMPACT: the outputs; FLATTEN: arrays among the outputs are merged. */
export function transform(children: readonly Execution[], transformation: string): unknown[] {
  if (transformation === 'NONE') return children.map(entryOf);
  const outputs = children.map((child) =>
    child.outputJson === undefined ? entryOf(child) : (JSON.parse(child.outputJson) as unknown),
  );
  return transformation === 'FLATTEN' ? outputs.flat() : outputs;
}

/** Writes the result files and the manifest; gives the Map's result. @throws StateFailure States.ResultWriterFailed */
export async function writeResults(writer: Writer, mapRun: MapRun, visit: Visit): Promise<unknown> {
  const { Bucket, Prefix } = (await writer.arguments!(visit.bindings)) as { Bucket: string; Prefix?: string };
  const id = mapRun.arn.split(':').at(-1)!;
  const folder = [...(Prefix ? [Prefix.replace(/\/$/, '')] : []), id].join('/');
  const lines = writer.outputType === 'JSONL';

  async function put(Key: string, content: unknown): Promise<number> {
    const body =
      lines && Array.isArray(content)
        ? content.map((line) => JSON.stringify(line)).join('\n')
        : JSON.stringify(content);
    const Body = Buffer.from(body);
    await callService(visit.run, 's3', 'PutObject', { Bucket, Key, Body, ContentType: 'application/json' });
    return Body.length;
  }
  async function file(name: string, children: Execution[], transformation: string): Promise<Json[]> {
    if (children.length === 0) return [];
    const Key = `${folder}/${name}_0.${lines ? 'jsonl' : 'json'}`;
    return [{ Key, Size: await put(Key, transform(children, transformation)) }];
  }

  const ended = mapRun.children.filter((child) => child !== undefined);
  const succeeded = ended.filter((child) => child.status === 'SUCCEEDED');
  const failed = ended.filter((child) => child.status === 'FAILED' || child.status === 'TIMED_OUT');
  const rest = ended.filter((child) => !succeeded.includes(child) && !failed.includes(child));
  try {
    const ResultFiles = {
      FAILED: await file('FAILED', failed, 'NONE'),
      PENDING: await file('PENDING', rest, 'NONE'),
      SUCCEEDED: await file('SUCCEEDED', succeeded, writer.transformation),
    };
    const Key = `${folder}/manifest.json`;
    await put(Key, { DestinationBucket: Bucket, MapRunArn: mapRun.arn, ResultFiles });
    return { MapRunArn: mapRun.arn, ResultWriterDetails: { Bucket, Key } };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new StateFailure('States.ResultWriterFailed', message, { cause: thrown });
  }
}
