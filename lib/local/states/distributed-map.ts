// How does a Distributed Map run its children, and when has it failed too often?
import { AwsError } from '../types.ts';
import { concurrencyOf } from './branches.ts';
import type { DistributedPart, MapState, Scope } from './definition.ts';
import { uuid } from './expression.ts';
import { fromAws, payloadJson, StateFailure } from './failure.ts';
import { callService } from './integrations.ts';
import type { Outcome, Visit } from './interpreter.ts';
import { batchesOf, type Batch } from './item-source.ts';
import { exceedsTolerance, mapRunArn, type MapRun } from './map-run.ts';
import { transform, writeResults } from './result-writer.ts';
import { newExecution, numberFrom, type Execution } from './run.ts';

/** Children running at once when MaxConcurrency is not given (AWS allows 10,000). */
const DISTRIBUTED_CONCURRENCY = 1_000;

async function newMapRun(
  state: MapState,
  part: DistributedPart,
  visit: Visit,
  batches: readonly Batch[],
): Promise<MapRun> {
  const { run, bindings } = visit;
  const { context } = run.world;
  const limit = async (template: typeof part.toleratedCount, field: string) =>
    template === undefined ? 0 : numberFrom(await template(bindings), field, 0);
  return {
    arn: mapRunArn(run.execution, part.label, uuid(context.random)),
    parent: run.execution,
    label: part.label,
    status: 'RUNNING',
    startMs: context.clock.now(),
    stopMs: undefined,
    maxConcurrency: await concurrencyOf(state, visit, DISTRIBUTED_CONCURRENCY),
    toleratedCount: await limit(part.toleratedCount, 'ToleratedFailureCount'),
    toleratedPercentage: await limit(part.toleratedPercentage, 'ToleratedFailurePercentage'),
    children: Array.from({ length: batches.length }),
    itemCounts: batches.map((batch) => batch.items),
    redriveCount: 0,
  };
}

/** The machine's role must be allowed to start executions of its own machine. */
async function authorize({ run }: Visit, mapRun: MapRun): Promise<void> {
  try {
    await callService(run, 'states', 'StartMapRun', {
      stateMachineArn: run.execution.machine.arn,
      mapRunArn: mapRun.arn,
    });
  } catch (thrown) {
    throw thrown instanceof AwsError ? fromAws('StepFunctions', thrown) : thrown;
  }
}

export async function runDistributedMap(
  state: MapState,
  part: DistributedPart,
  visit: Visit,
): Promise<Outcome> {
  const { run, thread, frame, resumed } = visit;
  const { world, execution } = run;
  const { clock } = world.context;
  const note = (type: string, a?: unknown, b?: unknown) =>
    execution.history.append(type, thread, clock.now(), a, b);
  const batches = await batchesOf(state, part, visit);
  const mapRun = resumed.mapRun ?? (await newMapRun(state, part, visit, batches));
  visit.halt.check();
  await authorize(visit, mapRun);
  visit.halt.check();
  frame.mapRun = mapRun;
  world.mapRuns.set(mapRun.arn, mapRun);
  note('MapStateStarted', batches.length);
  if (resumed.mapRun === undefined) note('MapRunStarted', mapRun.arn);
  else note('MapRunRedriven', mapRun.arn, (mapRun.redriveCount += 1));
  mapRun.status = 'RUNNING';
  mapRun.stopMs = undefined;

  await runChildren(state.processor, part, visit, mapRun, batches);

  const end = (status: MapRun['status']) => {
    mapRun.status = status;
    mapRun.stopMs = clock.now();
  };
  if (exceedsTolerance(mapRun)) {
    end('FAILED');
    const failure = new StateFailure(
      'States.ExceedToleratedFailureThreshold',
      'The specified tolerated failure threshold was exceeded',
    );
    note('MapRunFailed', failure.error, failure.explanation);
    note('MapStateFailed');
    throw failure;
  }
  const value = await resultOf(part, mapRun, visit);
  const json = payloadJson(value, `The state '${state.name}' returned a result which`);
  visit.halt.check();
  end('SUCCEEDED');
  note('MapRunSucceeded');
  note('MapStateSucceeded');
  return { value, json };
}

/** Starts children, a bounded number at a time, until all have ended or too many have failed. */
async function runChildren(
  processor: Scope,
  part: DistributedPart,
  visit: Visit,
  mapRun: MapRun,
  batches: readonly Batch[],
): Promise<void> {
  const { run, thread, halt } = visit;
  const { world, execution } = run;
  const { clock, random } = world.context;
  let next = 0;
  let stopped = false;

  function stopAll(): void {
    stopped = true;
    for (const child of mapRun.children)
      if (child?.status === 'RUNNING') world.end(child, 'ABORTED', undefined, undefined);
  }
  function begin(index: number): Execution | undefined {
    const earlier = mapRun.children[index];
    if (earlier?.status === 'SUCCEEDED') return undefined;
    if (earlier !== undefined) {
      world.redrive(earlier);
      return earlier;
    }
    const batch = batches[index]!;
    const child = newExecution(
      execution.machine,
      uuid(random),
      { input: batch.input, json: batch.json, nowMs: clock.now() },
      { label: part.label, mapRunArn: mapRun.arn, scope: processor, type: part.childType },
    );
    mapRun.children[index] = child;
    if (child.type === 'STANDARD') world.executions.set(child.arn, child);
    world.launch(child);
    return child;
  }
  async function worker(): Promise<void> {
    while (next < batches.length && !stopped) {
      const child = begin(next++);
      await child?.ended;
      if (!stopped && child !== undefined && child.status !== 'SUCCEEDED' && exceedsTolerance(mapRun))
        stopAll();
    }
  }

  const stopListening = halt.onHalt(() => {
    stopAll();
    mapRun.status = 'ABORTED';
    mapRun.stopMs = clock.now();
    execution.history.appendIfRoom('MapRunAborted', thread, clock.now());
    execution.history.appendIfRoom('MapStateAborted', thread, clock.now());
  });
  await Promise.all(Array.from({ length: Math.min(batches.length, mapRun.maxConcurrency) }, worker));
  stopListening();
  halt.check();
}

async function resultOf(part: DistributedPart, mapRun: MapRun, visit: Visit): Promise<unknown> {
  if (part.writer?.arguments !== undefined) return writeResults(part.writer, mapRun, visit);
  const succeeded = mapRun.children.filter((child) => child?.status === 'SUCCEEDED');
  return transform(succeeded, part.writer?.transformation ?? 'COMPACT');
}
