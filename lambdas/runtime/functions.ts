// How does settle-run run an undo task outside its state machine?
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { InvalidInput, Unavailable } from './errors.ts';
import { variable, type Env, type Need } from './need.ts';

/** An undo may take as long as its task may. */
const INVOKE_TIMEOUT_MS = 900_000;

export interface InvokableFunction {
  /** Waits for the answer. @throws an Error named as the function's own error type, or RateLimited, Unavailable. */
  invoke(payload: unknown): Promise<unknown>;
}

/** The function of one task, by task name. */
export function functionNeed(task: string): Need<InvokableFunction> {
  const key = `FUNCTION_${task.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()}`;
  const on = { kind: 'function', task } as const;
  return {
    grants: [{ actions: ['lambda:InvokeFunction'], on }],
    env: { [key]: { of: on, attribute: 'name' } },
    open: (env) => {
      const name = variable(env, key);
      return { invoke: (payload) => invoke(env, name, task, payload) };
    },
  };
}

/** Functions of the tasks whose names begin alike, by task name. */
export interface FunctionFamily {
  /** As `InvokableFunction.invoke`. @throws InvalidInput for a task outside the family. */
  invoke(task: string, payload: unknown): Promise<unknown>;
}

/** `functionFamilyNeed('Undo')`: every task `Undo…`. */
export function functionFamilyNeed(prefix: string): Need<FunctionFamily> {
  const key = `FUNCTIONS_${prefix.toUpperCase()}`;
  const on = { kind: 'function', task: `${prefix}*` } as const;
  return {
    grants: [{ actions: ['lambda:InvokeFunction'], on }],
    env: { [key]: { of: on, attribute: 'name' } },
    open(env) {
      const family = variable(env, key).replace(/\*$/, '');
      return {
        async invoke(task, payload) {
          if (!task.startsWith(prefix)) throw new InvalidInput(`${task} is not one of the tasks ${prefix}….`);
          const rest = task.slice(prefix.length).replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-');
          return invoke(env, `${family}-${rest.toLowerCase()}`, task, payload);
        },
      };
    },
  };
}

async function invoke(env: Env, name: string, task: string, payload: unknown): Promise<unknown> {
  const client = sharedClient(
    env,
    'lambda',
    () => new LambdaClient(awsClientConfig(env, 'LAMBDA', INVOKE_TIMEOUT_MS)),
  );
  const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) });
  const answer = await awsCall(`Invoke of ${task}`, () => client.send(command));
  const text = answer.Payload === undefined ? '' : Buffer.from(answer.Payload).toString('utf8');
  if (answer.FunctionError === undefined) return text === '' ? null : (JSON.parse(text) as unknown);
  throw failureOf(task, text);
}

function failureOf(task: string, text: string): Error {
  const body: unknown = text === '' ? {} : JSON.parse(text);
  const { errorType, errorMessage } = body as { errorType?: string; errorMessage?: string };
  if (errorType === undefined)
    return new Unavailable(`${task} ended without an answer: ${errorMessage ?? 'no reason given'}`);
  const error = new Error(errorMessage ?? `${task} failed`);
  error.name = errorType;
  return error;
}
