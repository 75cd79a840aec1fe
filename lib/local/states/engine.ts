// What does Step Functions answer inside the embedded cloud?
import { AwsError, type AccessRequest, type Engine, type EngineContext, type Json } from '../types.ts';
import { executionOperations } from './executions.ts';
import { createExpressions } from './expression.ts';
import { PAYLOAD_LIMIT_BYTES } from './failure.ts';
import { createWorld, type LifecycleOptions } from './lifecycle.ts';
import { createMachines, machineArnOf } from './machines.ts';
import type { Transition, World } from './run.ts';

export type { Transition } from './run.ts';

export interface StatesEngine extends Engine {
  readonly service: 'states';
  /** Hears every state entered, left, retried or failed, and every status of every execution. Returns the way out. */
  onTransition(listener: (transition: Transition) => void): () => void;
}

export type StatesOptions = Partial<LifecycleOptions>;

type Operation = (input: Json) => Json;

function tokenOperations(world: World): Record<string, Operation> {
  function waiting(token: unknown) {
    const task = world.tokens.get(String(token));
    if (task !== undefined) return task;
    if (world.spentTokens.has(String(token)))
      throw new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
    throw new AwsError('TaskDoesNotExist', "Task Does Not Exist: 'Provided task does not exist'");
  }
  return {
    SendTaskSuccess({ taskToken, output }) {
      let value: unknown;
      try {
        value = JSON.parse(output);
      } catch (error) {
        throw new AwsError('InvalidOutput', `Invalid Output: '${(error as Error).message}'`);
      }
      if (Buffer.byteLength(output) > PAYLOAD_LIMIT_BYTES)
        throw new AwsError('InvalidOutput', 'Invalid Output: larger than 262144 bytes');
      waiting(taskToken).succeed(value);
      return {};
    },
    SendTaskFailure({ taskToken, error, cause }) {
      waiting(taskToken).fail(error ?? '', cause ?? '');
      return {};
    },
    SendTaskHeartbeat({ taskToken }) {
      waiting(taskToken).beat();
      return {};
    },
  };
}

const BY_MACHINE = new Set([
  'UpdateStateMachine',
  'DescribeStateMachine',
  'DeleteStateMachine',
  'StartExecution',
]);
const BY_EXECUTION = new Set([
  'StopExecution',
  'DescribeExecution',
  'DescribeStateMachineForExecution',
  'GetExecutionHistory',
  'RedriveExecution',
  'ListMapRuns',
]);

/** Action and resource as the service authorization reference lists them. */
function accessOf(operation: string, input: Json, world: World): AccessRequest {
  const access = (resource: unknown, action = `states:${operation}`): AccessRequest => ({
    action,
    resource: typeof resource === 'string' ? resource : '*',
  });
  if (BY_MACHINE.has(operation)) return access(input.stateMachineArn);
  if (BY_EXECUTION.has(operation)) return access(input.executionArn);
  if (operation.startsWith('SendTask')) return access(world.tokens.get(input.taskToken)?.machineArn ?? '*');
  if (operation === 'ListExecutions') return access(input.mapRunArn ?? input.stateMachineArn);
  if (operation === 'DescribeMapRun') return access(input.mapRunArn);
  if (operation === 'ListTagsForResource') return access(input.resourceArn);
  if (operation === 'CreateStateMachine') return access(machineArnOf(String(input.name)));
  // A Distributed Map starts its children under the same permission as any execution of its machine.
  if (operation === 'StartMapRun') return access(input.stateMachineArn, 'states:StartExecution');
  return access('*');
}

/**
 * Makes the Step Functions engine. Definitions are JSONata only; everything it cannot run as AWS would is refused
 * when the machine is created. `statusChanges` (default true) puts status change events on the default bus.
 */
export function createStates(context: EngineContext, options: StatesOptions = {}): StatesEngine {
  const world = createWorld(context, {
    statusChanges: options.statusChanges ?? true,
    onLostEvent:
      options.onLostEvent ??
      ((error, arn) => process.emitWarning(`No status change event for ${arn}: ${String(error)}`)),
  });
  const expressions = createExpressions(context);
  const machines = createMachines(context.clock, context.random, expressions);
  const operations = new Map<string, Operation>(
    Object.entries({
      ...executionOperations(world, machines),
      ...tokenOperations(world),
      CreateStateMachine: machines.create,
      UpdateStateMachine: machines.update,
      DescribeStateMachine: machines.describe,
      ListStateMachines: machines.list,
      DeleteStateMachine: machines.remove,
      ListTagsForResource: machines.tags,
      StartMapRun: () => ({}),
    }),
  );

  return {
    service: 'states',
    authorization: (operation, input) =>
      operations.has(operation) ? [accessOf(operation, input ?? {}, world)] : [],
    async call(operation, input) {
      const run = operations.get(operation);
      if (run === undefined)
        throw new AwsError('UnknownOperationException', `states:${operation} is not supported here`);
      return run(input ?? {});
    },
    onTransition(listener) {
      world.listeners.add(listener);
      return () => world.listeners.delete(listener);
    },
  };
}
