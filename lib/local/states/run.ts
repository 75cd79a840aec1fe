// What is a running execution made of?
import type { CallContext, EngineContext } from '../types.ts';
import type { Scope } from './definition.ts';
import { StateFailure } from './failure.ts';
import { Halt } from './halt.ts';
import { History } from './history.ts';
import type { MapRun } from './map-run.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';

/** What a live display hears. `at` is epoch milliseconds; `attempt` counts from 1. */
export interface Transition {
  executionArn: string;
  /** Undefined for `execution`. */
  stateName: string | undefined;
  type: 'entered' | 'exited' | 'retried' | 'failed' | 'execution';
  /** `execution`: the execution's status. `failed`: CAUGHT or FAILED. Otherwise RUNNING, SUCCEEDED or RETRYING. */
  status: string;
  error?: string;
  at: number;
  attempt: number;
}

/** One revision of a state machine, compiled. Executions keep the one they started with. */
export interface Machine {
  arn: string;
  name: string;
  type: 'STANDARD' | 'EXPRESS';
  definition: string;
  roleArn: string;
  createdMs: number;
  updatedMs: number;
  revision: string;
  scope: Scope;
  tags: { key: string; value: string }[];
  /** How calls made on behalf of the machine identify themselves. */
  caller: CallContext;
}

/**
 * How far a scope has come: the state about to run or running, its input, and the variables. A redrive continues
 * from here. `state: undefined` means finished, with the output in `value`.
 */
export interface Frame {
  state: string | undefined;
  value: unknown;
  json: string;
  variables: Record<string, unknown>;
  /** Branches or iterations of the state that is running. */
  children: Frame[] | undefined;
  mapRun: MapRun | undefined;
}

export interface Execution {
  arn: string;
  name: string;
  machine: Machine;
  /** `machine.scope`, or a Distributed Map's item processor. */
  scope: Scope;
  /** Where the execution belongs in lists: the machine, or `<machine>/<label>` for a Map's children. */
  stateMachineArn: string;
  type: 'STANDARD' | 'EXPRESS';
  mapRunArn: string | undefined;
  input: unknown;
  inputJson: string;
  status: ExecutionStatus;
  startMs: number;
  stopMs: number | undefined;
  outputJson: string | undefined;
  error: string | undefined;
  cause: string | undefined;
  redriveCount: number;
  redriveMs: number | undefined;
  history: History;
  halt: Halt;
  frame: Frame;
  /** `$states.context.Execution` and `.StateMachine`. */
  context: { Execution: Record<string, unknown>; StateMachine: Record<string, unknown> };
  /** Settles, never rejects, when the status is final. */
  ended: Promise<void>;
}

/** A task that waits for someone to send its token back. */
export interface WaitingTask {
  machineArn: string;
  succeed(output: unknown): void;
  fail(error: string, cause: string): void;
  beat(): void;
}

/** What the interpreter shares with the API. */
export interface World {
  context: EngineContext;
  tokens: Map<string, WaitingTask>;
  spentTokens: Set<string>;
  executions: Map<string, Execution>;
  mapRuns: Map<string, MapRun>;
  listeners: Set<(transition: Transition) => void>;
  /** Starts an execution. */
  launch(execution: Execution): void;
  /** Continues an ended one from the states that were entered and not left. */
  redrive(execution: Execution): void;
  /** Ends a running execution from outside (stop, sibling failure, timeout). */
  end(
    execution: Execution,
    status: 'ABORTED' | 'TIMED_OUT' | 'FAILED',
    error: string | undefined,
    cause: string | undefined,
  ): void;
}

export interface Run {
  world: World;
  execution: Execution;
}

export function newFrame(
  scope: Scope,
  value: unknown,
  json: string,
  outer: Readonly<Record<string, unknown>> = {},
): Frame {
  return {
    state: scope.startAt,
    value,
    json,
    variables: { ...outer },
    children: undefined,
    mapRun: undefined,
  };
}

/** A new execution, not yet launched. `part` is set for the children of a Distributed Map. */
export function newExecution(
  machine: Machine,
  name: string,
  given: { input: unknown; json: string; nowMs: number },
  part?: { label: string; mapRunArn: string; scope: Scope; type: Execution['type'] },
): Execution {
  const suffix = part === undefined ? '' : `/${part.label}`;
  const stateMachineArn = machine.arn + suffix;
  const kind = (part?.type ?? machine.type) === 'EXPRESS' ? 'express' : 'execution';
  const arn = `${stateMachineArn.replace(':stateMachine:', `:${kind}:`)}:${name}`;
  const scope = part?.scope ?? machine.scope;
  return {
    arn,
    name,
    machine,
    scope,
    stateMachineArn,
    type: part?.type ?? machine.type,
    mapRunArn: part?.mapRunArn,
    input: given.input,
    inputJson: given.json,
    status: 'RUNNING',
    startMs: given.nowMs,
    stopMs: undefined,
    outputJson: undefined,
    error: undefined,
    cause: undefined,
    redriveCount: 0,
    redriveMs: undefined,
    history: new History(),
    halt: new Halt(),
    frame: newFrame(scope, given.input, given.json),
    context: {
      Execution: {
        Id: arn,
        Input: given.input,
        Name: name,
        RoleArn: machine.roleArn,
        StartTime: new Date(given.nowMs).toISOString(),
        RedriveCount: 0,
      },
      StateMachine: { Id: stateMachineArn, Name: machine.name + suffix },
    },
    ended: Promise.resolve(),
  };
}

export function tell(
  { world, execution }: Run,
  type: Transition['type'],
  stateName: string | undefined,
  status: string,
  attempt: number,
  error?: string,
): void {
  if (world.listeners.size === 0) return;
  const transition: Transition = {
    executionArn: execution.arn,
    stateName,
    type,
    status,
    at: world.context.clock.now(),
    attempt,
    ...(error === undefined ? {} : { error }),
  };
  for (const listener of world.listeners) listener(transition);
}

/** Waits cloud time, unless halted first. */
export function pause({ world }: Run, untilMs: number, halt: Halt, onHalt?: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = world.context.clock.at(untilMs, () => {
      stopListening();
      resolve();
    });
    const stopListening = halt.onHalt((reason) => {
      timer.cancel();
      onHalt?.();
      reject(reason);
    });
  });
}

/** A number a field evaluated to. @throws StateFailure States.QueryEvaluationError */
export function numberFrom(value: unknown, field: string, minimum: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
  throw new StateFailure(
    'States.QueryEvaluationError',
    `The field '${field}' must be a number of at least ${minimum}, but was ${JSON.stringify(value)}.`,
    { location: field },
  );
}
