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
import { createFunctions } from './functions.ts';
import { exited, type FunctionError, type Invocation } from './invocation.ts';
import { isolate } from './isolation.ts';
import { createLogs, type LogLine } from './logs.ts';
import type { MetricValue } from './metrics.ts';
import { functionArn, functionName, type FunctionRecord } from './registry.ts';
import { parsePayload } from './payload.ts';
import { killOverdue, PAYLOAD_LIMIT_BYTES, runHandler, type RunResult } from './run.ts';

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

const ASYNC_LIMIT_BYTES = 256 * 1024;
const GUARD_EVERY_MS = 250;

let instances = 0;

/** Makes an empty Lambda service; `close()` removes its patches and kills what runs. */
export function createLambda(context: LambdaContext): LambdaEngine {
  const { clock, faults } = context;
  instances += 1;
  const release = isolate();
  const functions = createFunctions(clock, `${process.pid}-${instances}`);
  const { record, handlerOf } = functions;
  const logs = createLogs(clock, context.onLog);
  const running = new Map<
    string,
    { invocation: Invocation; record: FunctionRecord; startedRealMs: number; timeoutMs: number }
  >();
  const guard = setInterval(() => killOverdue(running.values()), GUARD_EVERY_MS).unref();

  faults.connect({
    functionOf: (id) => running.get(id)?.record.name,
    eventOf: (id) => running.get(id)?.invocation.eventText,
    kill: (id) => running.get(id)?.invocation.kill(exited(id)),
    hang: (id) => running.get(id)?.invocation.hang(),
  });

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
          line: (line) => logs.write(found.name, line, requestId),
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
    ...functions.operations,
    ...eventSources.operations,
    Invoke: invokeByWire,
    InvokeDirect: invokeDirect,
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
    setEndpoint: functions.setEndpoint,
    setEnvironment: functions.setEnvironment,
    principalOf(invocationId) {
      const found = running.get(invocationId);
      return found && { kind: 'role', roleArn: found.record.roleArn };
    },
    functionOf: (invocationId) => running.get(invocationId)?.record.name,
    kill: (invocationId) => running.get(invocationId)?.invocation.kill(exited(invocationId)),
    resourcePolicy: (arn) => functions.find(functionName(arn))?.policy ?? [],
    logs: (name) => logs.of(functionName(name)),
    metrics: logs.metrics,
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
