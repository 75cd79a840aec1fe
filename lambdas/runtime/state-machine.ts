// How is a run of a state machine started, stopped, asked about, or told that a person decided?
import {
  DescribeExecutionCommand,
  SFNClient,
  SendTaskSuccessCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { Conflict } from './errors.ts';
import { variable, type Env, type Grant, type Need } from './need.ts';

export type ExecutionStatus =
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'ABORTED'
  | 'PENDING_REDRIVE';

export interface ExecutionDescription {
  status: ExecutionStatus;
  /** Milliseconds since the epoch. */
  startedAt: number;
  stoppedAt?: number;
  input?: unknown;
  output?: unknown;
  error?: string;
  cause?: string;
}

export interface StateMachine {
  readonly arn: string;
  /** Starting the same name again is success (`started: false`): deliveries repeat. @throws RateLimited, Unavailable */
  start(name: string, input: unknown): Promise<{ executionArn: string; started: boolean }>;
  /** Ends it without passing any catcher; settle-run does the rest. */
  stop(name: string, error: string, cause: string): Promise<void>;
  /** Undefined when no execution has the name. */
  describe(name: string): Promise<ExecutionDescription | undefined>;
  /** @throws Conflict when nobody waits on the token any more. */
  taskSucceeded(token: string, output: unknown): Promise<void>;
}

type Access = 'start' | 'stop' | 'describe' | 'token';

export function stateMachineNeed(name: string, ...access: readonly Access[]): Need<StateMachine> {
  const key = `STATE_MACHINE_${name.toUpperCase().replaceAll('-', '_')}`;
  return {
    grants: grantsOn(name, access),
    env: { [key]: { of: { kind: 'stateMachine', name }, attribute: 'arn' } },
    open: (env) => openStateMachine(env, variable(env, key)),
  };
}

/** Every state machine of the stage, by its short name: for what serves all areas. */
export type StateMachines = (name: string) => StateMachine;

export function stateMachinesNeed(...access: readonly Access[]): Need<StateMachines> {
  return {
    grants: grantsOn('*', access),
    env: { STATE_MACHINES: { of: { kind: 'stateMachine', name: '*' }, attribute: 'arn' } },
    open(env) {
      const family = variable(env, 'STATE_MACHINES');
      return (name) => openStateMachine(env, family.replace(/\*$/, name));
    },
  };
}

function grantsOn(name: string, access: readonly Access[]): Grant[] {
  const machine = { kind: 'stateMachine', name } as const;
  const execution = { kind: 'execution', stateMachine: name } as const;
  const grants: Record<Access, Grant> = {
    start: { actions: ['states:StartExecution'], on: machine },
    stop: { actions: ['states:StopExecution'], on: execution },
    describe: { actions: ['states:DescribeExecution'], on: execution },
    token: { actions: ['states:SendTaskSuccess'], on: machine },
  };
  return access.map((kind) => grants[kind]);
}

function openStateMachine(env: Env, arn: string): StateMachine {
  const client = sharedClient(env, 'states', () => new SFNClient(awsClientConfig(env, 'SFN')));
  const arnOf = (name: string): string => `${arn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    arn,
    async start(name, input) {
      const command = new StartExecutionCommand({ stateMachineArn: arn, name, input: JSON.stringify(input) });
      try {
        const answer = await awsCall('StartExecution', () => client.send(command));
        return { executionArn: answer.executionArn ?? arnOf(name), started: true };
      } catch (error) {
        if (error instanceof Error && error.name === 'ExecutionAlreadyExists') {
          return { executionArn: arnOf(name), started: false };
        }
        throw error;
      }
    },
    async stop(name, error, cause) {
      const command = new StopExecutionCommand({ executionArn: arnOf(name), error, cause });
      await awsCall('StopExecution', () => client.send(command));
    },
    async describe(name) {
      const command = new DescribeExecutionCommand({ executionArn: arnOf(name) });
      try {
        const found = await awsCall('DescribeExecution', () => client.send(command));
        return {
          status: found.status as ExecutionStatus,
          startedAt: found.startDate?.getTime() ?? 0,
          ...(found.stopDate === undefined ? {} : { stoppedAt: found.stopDate.getTime() }),
          ...(found.input === undefined ? {} : { input: JSON.parse(found.input) as unknown }),
          ...(found.output === undefined ? {} : { output: JSON.parse(found.output) as unknown }),
          ...(found.error === undefined ? {} : { error: found.error }),
          ...(found.cause === undefined ? {} : { cause: found.cause }),
        };
      } catch (error) {
        if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
        throw error;
      }
    },
    async taskSucceeded(taskToken, output) {
      const command = new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) });
      await tokenCall('SendTaskSuccess', () => client.send(command));
    },
  };
}

async function tokenCall(what: string, call: () => Promise<unknown>): Promise<void> {
  try {
    await awsCall(what, call);
  } catch (error) {
    if (error instanceof Error && ['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'].includes(error.name)) {
      throw new Conflict('Nobody waits for this decision any more.', {
        cause: error,
        vendorCode: error.name,
      });
    }
    throw error;
  }
}
