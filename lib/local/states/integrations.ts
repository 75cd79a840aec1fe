// How does a Task reach the service its Resource names, and what does the service's answer look like to it?
import { AwsError, type CloudService, type Json } from '../types.ts';
import { asFailure, fromAws, StateFailure } from './failure.ts';
import type { Integration } from './resource.ts';
import type { Run } from './run.ts';

export interface Request {
  run: Run;
  integration: Integration;
  args: unknown;
  argsJson: string;
  /** Aborted when the task timed out or its execution ended: whatever still runs for it is dead. */
  signal: AbortSignal;
  /** `.sync:2` reports here that the child was started. */
  submitted(value: unknown): void;
}

interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** Does what the task asks for and gives its result. @throws StateFailure */
export async function perform(request: Request): Promise<unknown> {
  try {
    const { kind, service } = request.integration;
    if (kind === 'function') return await invoke(request, request.integration.arn, request.argsJson);
    if (kind === 'sdk') return await callSdk(request);
    if (service === 'lambda') return await invokeOptimised(request);
    if (service === 'states') return await startChild(request);
    if (service === 'events') return await putEvents(request);
    if (service === 'sqs') return await sendMessage(request);
    return await callService(request.run, service, request.integration.operation, request.args);
  } catch (thrown) {
    if (thrown instanceof AwsError) throw fromAws(request.integration.errorPrefix, thrown);
    throw asFailure(thrown);
  }
}

/** A call to a service other than Lambda; the clock stands still while it is under way. */
export async function callService(
  run: Run,
  service: CloudService,
  operation: string,
  input: unknown,
): Promise<Json> {
  const { context } = run.world;
  const done = context.clock.work(`states: ${service}:${operation}`);
  try {
    return await context.call(run.execution.machine.caller, service, operation, input);
  } finally {
    done();
  }
}

/** The function gets its own copy of the payload and nothing else. */
async function invoke({ run, signal }: Request, functionName: string, payloadText: string): Promise<unknown> {
  const input = { FunctionName: functionName, payload: JSON.parse(payloadText) as unknown, signal };
  const answer = (await run.world.context.call(
    run.execution.machine.caller,
    'lambda',
    'InvokeDirect',
    input,
  )) as { payload?: unknown; functionError?: FunctionError };
  if (answer.functionError !== undefined)
    throw new StateFailure(answer.functionError.errorType, JSON.stringify(answer.functionError));
  return answer.payload ?? null;
}

async function invokeOptimised(request: Request): Promise<unknown> {
  const args = request.args as { FunctionName: string; Payload?: unknown; InvocationType?: string };
  const payloadText = JSON.stringify(args.Payload ?? {});
  if ((args.InvocationType ?? 'RequestResponse') === 'RequestResponse') {
    const Payload = await invoke(request, args.FunctionName, payloadText);
    return { ExecutedVersion: '$LATEST', Payload, StatusCode: 200 };
  }
  const { StatusCode } = await callService(request.run, 'lambda', 'Invoke', {
    ...args,
    Payload: payloadText,
  });
  return { StatusCode };
}

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

async function sendMessage(request: Request): Promise<unknown> {
  const args = request.args as { MessageBody?: unknown };
  return callService(request.run, 'sqs', 'SendMessage', { ...args, MessageBody: asText(args.MessageBody) });
}

/** Details may be objects; the execution and its machine are added to each event's resources, as AWS does. */
async function putEvents(request: Request): Promise<unknown> {
  const { execution } = request.run;
  const args = request.args as { Entries?: { Detail?: unknown; Resources?: string[] }[] };
  const Entries = (args.Entries ?? []).map((entry) => ({
    ...entry,
    Detail: asText(entry.Detail),
    Resources: [...(entry.Resources ?? []), execution.arn, execution.machine.arn],
  }));
  const answer = await callService(request.run, 'events', 'PutEvents', { ...args, Entries });
  if (answer.FailedEntryCount > 0) throw new StateFailure('EventBridge.FailedEntry', JSON.stringify(answer));
  return answer;
}

async function startChild(request: Request): Promise<unknown> {
  const args = request.args as { StateMachineArn: string; Name?: string; Input?: unknown };
  const started = (await callService(request.run, 'states', 'StartExecution', {
    stateMachineArn: args.StateMachineArn,
    name: args.Name,
    input: asText(args.Input ?? {}),
  })) as { executionArn: string; startDate: number };
  const answer = { ExecutionArn: started.executionArn, StartDate: started.startDate };
  if (request.integration.pattern !== 'sync') return answer;
  request.submitted(answer);
  return await outcomeOfChild(request, started.executionArn);
}

/** Waits for the child; it is stopped when the task is abandoned. */
async function outcomeOfChild(request: Request, executionArn: string): Promise<unknown> {
  const child = request.run.world.executions.get(executionArn)!;
  const stop = () => {
    callService(request.run, 'states', 'StopExecution', { executionArn }).catch((error: unknown) =>
      process.emitWarning(`The child ${executionArn} could not be stopped: ${String(error)}`),
    );
  };
  request.signal.addEventListener('abort', stop, { once: true });
  await child.ended;
  request.signal.removeEventListener('abort', stop);
  const described = await callService(request.run, 'states', 'DescribeExecution', { executionArn });
  const shared = {
    ExecutionArn: described.executionArn,
    InputDetails: { Included: true },
    Name: described.name,
    StartDate: described.startDate * 1000,
    StateMachineArn: described.stateMachineArn,
    Status: described.status,
    StopDate: described.stopDate * 1000,
  };
  if (described.status === 'SUCCEEDED')
    return {
      ...shared,
      Input: JSON.parse(described.input) as unknown,
      Output: JSON.parse(described.output) as unknown,
      OutputDetails: { Included: true },
    };
  const failed = { ...shared, Input: described.input, Error: described.error, Cause: described.cause };
  throw new StateFailure('States.TaskFailed', JSON.stringify(failed));
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Step Functions' own API speaks camelCase, SDK integrations PascalCase. */
function rename(value: Json, change: (key: string) => string): Json {
  if (Array.isArray(value)) return value.map((item) => rename(item, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), rename(item, change)]));
}

async function callSdk(request: Request): Promise<unknown> {
  const { service, operation } = request.integration;
  if (service === 'states')
    return rename(
      await callService(request.run, service, operation, rename(request.args, lowerFirst)),
      upperFirst,
    );
  const answer = await callService(request.run, service, operation, request.args);
  if (answer === null || typeof answer !== 'object') return answer ?? {};
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      key,
      Buffer.isBuffer(value) ? value.toString('utf8') : value,
    ]),
  );
}
