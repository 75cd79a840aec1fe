// What does the Lambda service answer?
import type { Faults } from '../faults.ts';
import {
  AwsError,
  type CallContext,
  type Engine,
  type EngineContext,
  type Json,
  type Principal,
} from '../types.ts';
import { createAsynchronous } from './asynchronous.ts';
import { createEventSources, type EventSourceHooks } from './event-sources.ts';
import { exited, type FunctionError, type Invocation } from './invocation.ts';
import { isolate } from './isolation.ts';
import { metricsInLine, type MetricValue } from './metrics.ts';
import {
  configurationOf,
  environmentOf,
  functionArn,
  functionName,
  toRecord,
  type FunctionRecord,
} from './registry.ts';
import { parsePayload } from './payload.ts';
import { addPermission, putAsynchronousConfig } from './settings.ts';
import { killOverdue, loadHandler, PAYLOAD_LIMIT_BYTES, runHandler, type RunResult } from './run.ts';

export interface LogLine {
  timestampMs: number;
  requestId: string;
  line: string;
}

export interface LambdaContext extends EngineContext {
  faults: Faults;
  /** Sees every line a function writes, as it is written. */
  onLog?: (functionName: string, line: string) => void;
  /** The queues and tables that event source mappings read. */
  sources?: EventSourceHooks;
}

/**
 * Lambda. Besides the API's operations: `InvokeDirect` `{ FunctionName, payload, signal? }` →
 * `{ payload }` or `{ functionError: { errorType, errorMessage, trace } }`, without wire formats. An aborted
 * signal ends the wait, not the function. `CreateFunction` takes `codeDir` and `layerDirs` instead of Code.
 */
export interface LambdaEngine extends Engine {
  /** Where functions find the cloud (`AWS_ENDPOINT_URL`). */
  setEndpoint(url: string): void;
  /** Variables that win over every function's own. */
  setEnvironment(overrides: Readonly<Record<string, string>>): void;
  /** Whose call is this? Undefined once the invocation is over: its late requests must be dropped. */
  principalOf(invocationId: string): Principal | undefined;
  functionOf(invocationId: string): string | undefined;
  kill(invocationId: string): void;
  /** Statements of AddPermission, as a policy document's `Statement`. */
  resourcePolicy(arn: string): Json[];
  logs(name: string): LogLine[];
  metrics(): MetricValue[];
  /** Runs a function for its event source; throttling is thrown as TooManyRequestsException. */
  invoke(name: string, event: Json): Promise<RunResult & { requestId: string }>;
  record(reference: string): FunctionRecord;
  close(): void;
}

const LOG_LINES = 2_000;
const METRIC_VALUES = 50_000;
const ASYNC_LIMIT_BYTES = 256 * 1024;
const GUARD_EVERY_MS = 250;

let instances = 0;

/** Makes an empty Lambda service; `close()` removes its patches and kills what runs. */
export function createLambda(context: LambdaContext): LambdaEngine {
  const { clock, faults } = context;
  instances += 1;
  const instance = `${process.pid}-${instances}`;
  const release = isolate();
  const functions = new Map<string, FunctionRecord>();
  const handlers = new Map<string, ReturnType<typeof loadHandler>>();
  const running = new Map<
    string,
    { invocation: Invocation; record: FunctionRecord; startedRealMs: number; timeoutMs: number }
  >();
  const logs = new Map<string, LogLine[]>();
  let metrics: MetricValue[] = [];
  let endpointUrl: string | undefined;
  let overrides: Readonly<Record<string, string>> = {};
  const guard = setInterval(() => killOverdue(running.values()), GUARD_EVERY_MS).unref();

  faults.connect({
    functionOf: (id) => running.get(id)?.record.name,
    eventOf: (id) => running.get(id)?.invocation.eventText,
    kill: (id) => running.get(id)?.invocation.kill(exited(id)),
    hang: (id) => running.get(id)?.invocation.hang(),
  });

  function record(reference: string): FunctionRecord {
    const name = functionName(reference);
    const found = functions.get(name);
    if (found === undefined) {
      throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(name)}`, 404);
    }
    return found;
  }

  function hex(digits: number): string {
    let text = '';
    while (text.length < digits) {
      text += Math.floor(context.random() * 0x1_0000_0000)
        .toString(16)
        .padStart(8, '0');
    }
    return text.slice(0, digits);
  }
  const newId = () => {
    const digits = hex(32);
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`;
  };

  function refresh(found: FunctionRecord) {
    found.scope.env = environmentOf(found, endpointUrl, overrides);
  }

  function handlerOf(found: FunctionRecord): ReturnType<typeof loadHandler> {
    let loading = handlers.get(found.name);
    if (loading === undefined) {
      loading = loadHandler(found, instance);
      handlers.set(found.name, loading);
      loading.catch(() => handlers.delete(found.name));
    }
    return loading;
  }

  function writeLine(name: string, line: string, requestId: string) {
    let lines = logs.get(name);
    if (lines === undefined) logs.set(name, (lines = []));
    lines.push({ timestampMs: clock.now(), requestId, line });
    if (lines.length > LOG_LINES * 1.5) lines.splice(0, lines.length - LOG_LINES);
    for (const value of metricsInLine(line, name)) metrics.push(value);
    if (metrics.length > METRIC_VALUES * 1.5) metrics = metrics.slice(-METRIC_VALUES);
    context.onLog?.(name, line);
  }

  async function run(found: FunctionRecord, event: Json, requestId: string): Promise<RunResult> {
    if (found.reservedConcurrency !== undefined && found.active >= found.reservedConcurrency) {
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      });
    }
    found.active += 1;
    const timeoutMs = found.timeoutSeconds * 1000;
    try {
      return await runHandler(
        {
          record: found,
          handler: () => handlerOf(found),
          faults,
          clock,
          invocationId: requestId,
          line: (line) => writeLine(found.name, line, requestId),
          started: (invocation) =>
            running.set(requestId, {
              invocation,
              record: found,
              startedRealMs: performance.now(),
              timeoutMs,
            }),
          ended: () => running.delete(requestId),
        },
        event,
      );
    } finally {
      found.active -= 1;
    }
  }

  async function invoke(reference: string, event: Json): Promise<RunResult & { requestId: string }> {
    const requestId = newId();
    return { ...(await run(record(reference), event, requestId)), requestId };
  }

  const asynchronous = createAsynchronous({ context, run, newId });
  const eventSources = createEventSources({ ...context, record, invoke }, context.sources, newId);

  async function invokeByWire(input: Json): Promise<Json> {
    const found = record(input.FunctionName);
    switch (input.InvocationType ?? 'RequestResponse') {
      case 'DryRun':
        return { StatusCode: 204 };
      case 'Event':
        asynchronous.accept(found, parsePayload(input.Payload, ASYNC_LIMIT_BYTES));
        return { StatusCode: 202, Payload: Buffer.alloc(0) };
      default: {
        const result = await invoke(found.name, parsePayload(input.Payload, PAYLOAD_LIMIT_BYTES));
        const failed = 'functionError' in result;
        return {
          StatusCode: 200,
          ExecutedVersion: '$LATEST',
          ...(failed ? { FunctionError: 'Unhandled' } : {}),
          Payload: Buffer.from(JSON.stringify(failed ? result.functionError : result.payload)),
        };
      }
    }
  }

  async function invokeDirect(input: Json): Promise<Json> {
    const text = JSON.stringify(input.payload ?? null);
    const event =
      text.length * 3 > PAYLOAD_LIMIT_BYTES ? parsePayload(text, PAYLOAD_LIMIT_BYTES) : JSON.parse(text);
    const answer = invoke(input.FunctionName, event);
    const signal: AbortSignal | undefined = input.signal;
    if (signal === undefined) return answer;
    let leave: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason);
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([answer, aborted]);
    } finally {
      signal.removeEventListener('abort', leave!);
      answer.catch(() => undefined);
    }
  }

  const operations: Record<string, (input: Json, caller: CallContext) => Json> = {
    Invoke: invokeByWire,
    InvokeDirect: invokeDirect,
    CreateFunction(input) {
      const created = toRecord(input, clock.now());
      if (functions.has(created.name)) {
        throw new AwsError('ResourceConflictException', `Function already exist: ${created.name}`, 409);
      }
      refresh(created);
      functions.set(created.name, created);
      return configurationOf(created);
    },
    DeleteFunction(input) {
      const found = record(input.FunctionName);
      functions.delete(found.name);
      handlers.delete(found.name);
      return {};
    },
    GetFunction: (input) => ({
      Configuration: configurationOf(record(input.FunctionName)),
      Code: { RepositoryType: 'local', Location: record(input.FunctionName).codeDir },
      Tags: {},
    }),
    GetFunctionConfiguration: (input) => configurationOf(record(input.FunctionName)),
    ListFunctions: () => ({ Functions: [...functions.values()].map(configurationOf) }),
    PutFunctionConcurrency(input) {
      record(input.FunctionName).reservedConcurrency = input.ReservedConcurrentExecutions;
      return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
    },
    PutFunctionEventInvokeConfig: (input) => putAsynchronousConfig(record(input.FunctionName), input),
    AddPermission: (input) => addPermission(record(input.FunctionName), input),
    ...eventSources.operations,
    GetPolicy(input) {
      const { policy, arn } = record(input.FunctionName);
      if (policy.length === 0)
        throw new AwsError('ResourceNotFoundException', `No policy is associated with ${arn}`, 404);
      return { Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: policy }) };
    },
  };

  return {
    service: 'lambda',
    authorization(operation, input) {
      const action = operation.startsWith('Invoke') ? 'lambda:InvokeFunction' : `lambda:${operation}`;
      if (operation.startsWith('List') || operation.endsWith('EventSourceMapping')) {
        return [{ action, resource: '*' }];
      }
      return [{ action, resource: functionArn(functionName(input.FunctionName)) }];
    },
    async call(operation, input, caller) {
      const run_ = operations[operation];
      if (run_ === undefined) {
        throw new AwsError('UnknownOperationException', `Lambda ${operation} is not supported`, 404);
      }
      return run_(input, caller);
    },
    setEndpoint(url) {
      endpointUrl = url;
      for (const found of functions.values()) refresh(found);
    },
    setEnvironment(values) {
      overrides = { ...values };
      for (const found of functions.values()) refresh(found);
    },
    principalOf(invocationId) {
      const found = running.get(invocationId);
      return found && { kind: 'role', roleArn: found.record.roleArn };
    },
    functionOf: (invocationId) => running.get(invocationId)?.record.name,
    kill: (invocationId) => running.get(invocationId)?.invocation.kill(exited(invocationId)),
    resourcePolicy: (arn) => functions.get(functionName(arn))?.policy ?? [],
    logs: (name) => logs.get(functionName(name)) ?? [],
    metrics: () => metrics,
    invoke,
    record,
    close() {
      clearInterval(guard);
      eventSources.close();
      for (const { invocation } of running.values()) invocation.kill(exited(invocation.id));
      release();
    },
  };
}

export type { FunctionError, RunResult };
