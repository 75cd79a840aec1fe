// How do the API's calls about executions, their histories and their map runs answer?
import { AwsError, type Json } from '../types.ts';
import { uuid } from './expression.ts';
import { PAYLOAD_LIMIT_BYTES } from './failure.ts';
import { HISTORY_LIMIT } from './history.ts';
import { checkArn, checkName, type Machines } from './machines.ts';
import { describeMapRun, type MapRun } from './map-run.ts';
import { nextOf, pageOf } from './paging.ts';
import { newExecution, type Execution, type World } from './run.ts';

/** How long after its end an execution may be redriven (Step Functions quota). */
const REDRIVABLE_MS = 14 * 24 * 3_600_000;

/** @throws AwsError InvalidArn, ExecutionDoesNotExist */
export function findExecution(world: World, arn: unknown): Execution {
  const execution = world.executions.get(checkArn(arn, '(?:execution|express)'));
  if (execution === undefined)
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${String(arn)}'`);
  return execution;
}

/** Undefined when the execution may be redriven. */
function whyNotRedrivable(execution: Execution, nowMs: number): string | undefined {
  if (execution.status === 'RUNNING') return 'Execution is RUNNING and cannot be redriven';
  if (execution.status === 'SUCCEEDED') return 'Execution is SUCCEEDED and cannot be redriven';
  if (execution.type === 'EXPRESS') return 'Express executions cannot be redriven';
  if (execution.mapRunArn !== undefined) return 'Execution is a child of a Map Run; redrive its parent';
  if (nowMs - execution.stopMs! > REDRIVABLE_MS) return 'Execution has exceeded the redrivable period';
  if (execution.history.length >= HISTORY_LIMIT - 1) return 'Execution history event limit exceeded';
  return undefined;
}

function describe(execution: Execution, nowMs: number): Json {
  const reason = whyNotRedrivable(execution, nowMs);
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachineArn,
    name: execution.name,
    status: execution.status,
    startDate: execution.startMs / 1000,
    ...(execution.stopMs === undefined ? {} : { stopDate: execution.stopMs / 1000 }),
    input: execution.inputJson,
    inputDetails: { included: true },
    ...(execution.outputJson === undefined
      ? {}
      : { output: execution.outputJson, outputDetails: { included: true } }),
    ...(execution.error === undefined ? {} : { error: execution.error }),
    ...(execution.cause === undefined ? {} : { cause: execution.cause }),
    ...(execution.mapRunArn === undefined ? {} : { mapRunArn: execution.mapRunArn }),
    redriveCount: execution.redriveCount,
    ...(execution.redriveMs === undefined ? {} : { redriveDate: execution.redriveMs / 1000 }),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    ...(reason === undefined ? {} : { redriveStatusReason: reason }),
  };
}

const listed = (execution: Execution) => ({
  executionArn: execution.arn,
  stateMachineArn: execution.stateMachineArn,
  name: execution.name,
  status: execution.status,
  startDate: execution.startMs / 1000,
  ...(execution.stopMs === undefined ? {} : { stopDate: execution.stopMs / 1000 }),
  ...(execution.mapRunArn === undefined ? {} : { mapRunArn: execution.mapRunArn }),
  redriveCount: execution.redriveCount,
  ...(execution.redriveMs === undefined ? {} : { redriveDate: execution.redriveMs / 1000 }),
});

function parseInput(text: unknown): unknown {
  if (typeof text !== 'string')
    throw new AwsError(
      'InvalidExecutionInput',
      'Invalid State Machine Execution Input: it must be a JSON text',
    );
  if (Buffer.byteLength(text) > PAYLOAD_LIMIT_BYTES)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to ${PAYLOAD_LIMIT_BYTES}`,
    );
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AwsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: '${(error as Error).message}'`,
    );
  }
}

type Operation = (input: Json) => Json;

/** The operations by name. */
export function executionOperations(world: World, machines: Machines): Record<string, Operation> {
  const { clock, random } = world.context;
  const byMachine = new Map<string, Execution[]>();

  function start(input: Json): Json {
    const machine = machines.get(input.stateMachineArn);
    const name = input.name === undefined ? uuid(random) : checkName(input.name);
    const json: string = input.input ?? '{}';
    const execution = newExecution(machine, name, { input: parseInput(json), json, nowMs: clock.now() });
    const known = world.executions.get(execution.arn);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.inputJson === json)
        return { executionArn: known.arn, startDate: known.startMs / 1000 };
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${execution.arn}'`);
    }
    world.executions.set(execution.arn, execution);
    const siblings = byMachine.get(machine.arn);
    if (siblings === undefined) byMachine.set(machine.arn, [execution]);
    else siblings.push(execution);
    world.launch(execution);
    return { executionArn: execution.arn, startDate: execution.startMs / 1000 };
  }

  function findMapRun(arn: unknown): MapRun {
    const mapRun = world.mapRuns.get(checkArn(arn, 'mapRun'));
    if (mapRun === undefined) throw new AwsError('ResourceNotFound', `Resource not found: '${String(arn)}'`);
    return mapRun;
  }

  function candidates(input: Json): readonly Execution[] {
    if (input.mapRunArn !== undefined)
      return findMapRun(input.mapRunArn).children.filter((child) => child !== undefined);
    const machine = machines.get(input.stateMachineArn);
    if (machine.type === 'EXPRESS')
      throw new AwsError(
        'StateMachineTypeNotSupported',
        'This operation is not supported by this type of state machine',
      );
    return byMachine.get(machine.arn) ?? [];
  }

  return {
    StartExecution: start,
    StopExecution(input) {
      const execution = findExecution(world, input.executionArn);
      world.end(execution, 'ABORTED', input.error, input.cause);
      return { stopDate: execution.stopMs! / 1000 };
    },
    DescribeExecution: (input) => describe(findExecution(world, input.executionArn), clock.now()),
    DescribeStateMachineForExecution: (input) =>
      machines.describeForExecution(findExecution(world, input.executionArn)),
    ListExecutions(input) {
      const page = pageOf(input);
      const wanted = candidates(input).filter(
        ({ status }) => input.statusFilter === undefined || status === input.statusFilter,
      );
      // Newest first.
      const executions = wanted
        .toReversed()
        .slice(page.from, page.from + page.count)
        .map(listed);
      return { executions, ...nextOf(page, wanted.length) };
    },
    GetExecutionHistory(input) {
      const { history, type } = findExecution(world, input.executionArn);
      if (type === 'EXPRESS')
        throw new AwsError(
          'StateMachineTypeNotSupported',
          'This operation is not supported by this type of state machine',
        );
      const page = pageOf(input);
      const events = history.page(page.from, page.count, {
        reverse: input.reverseOrder === true,
        includeData: input.includeExecutionData !== false,
      });
      return { events, ...nextOf(page, history.length) };
    },
    RedriveExecution(input) {
      const execution = findExecution(world, input.executionArn);
      const reason = whyNotRedrivable(execution, clock.now());
      if (reason !== undefined) throw new AwsError('ExecutionNotRedrivable', reason);
      world.redrive(execution);
      return { redriveDate: execution.redriveMs! / 1000 };
    },
    ListMapRuns(input) {
      const parent = findExecution(world, input.executionArn);
      const page = pageOf(input);
      const all = [...world.mapRuns.values()].filter((mapRun) => mapRun.parent === parent);
      const mapRuns = all.slice(page.from, page.from + page.count).map((mapRun) => ({
        executionArn: parent.arn,
        mapRunArn: mapRun.arn,
        stateMachineArn: `${parent.machine.arn}/${mapRun.label}`,
        startDate: mapRun.startMs / 1000,
        ...(mapRun.stopMs === undefined ? {} : { stopDate: mapRun.stopMs / 1000 }),
      }));
      return { mapRuns, ...nextOf(page, all.length) };
    },
    DescribeMapRun: (input) => describeMapRun(findMapRun(input.mapRunArn)),
  };
}
