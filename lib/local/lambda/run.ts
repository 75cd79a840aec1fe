// How is one handler run, from loading its module to its answer or its error?
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Faults } from '../faults.ts';
import { AwsError, type CloudClock, type Json } from '../types.ts';
import { exited, startInvocation, timedOut, type FunctionError, type Invocation } from './invocation.ts';
import { within } from './isolation.ts';
import type { FunctionRecord } from './registry.ts';

export type RunResult = { payload: Json } | { functionError: FunctionError };

type Handler = (event: Json, context: Json) => unknown;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB each way. */
export const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024;

const { importModule }: { importModule: (url: string) => Promise<Json> } = createRequire(import.meta.url)(
  './import-module.ts',
);

function asFunctionError(thrown: unknown): FunctionError {
  if (!(thrown instanceof Error)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  return {
    errorType: thrown.name,
    errorMessage: thrown.message,
    trace: (thrown.stack ?? '').split('\n'),
  };
}

/** Loads a function's handler, its own copy of every module; `instance` keeps clouds of one process apart. */
export async function loadHandler(record: FunctionRecord, instance: string): Promise<Handler> {
  const dot = record.handler.lastIndexOf('.');
  const [stem, exported] = [record.handler.slice(0, dot), record.handler.slice(dot + 1)];
  const file = ['.mjs', '.js', '.ts']
    .map((extension) => join(record.codeDir, stem + extension))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw Object.assign(new Error(`Error: Cannot find module '${stem}' in ${record.codeDir}`), {
      name: 'Runtime.ImportModuleError',
    });
  }
  const url = `${pathToFileURL(file).href}?fn=${instance}-${encodeURIComponent(record.name)}`;
  const module = await within(record.scope, () => importModule(url));
  const handler: unknown = module[exported];
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${record.handler} is undefined or not exported`), {
      name: 'Runtime.HandlerNotFound',
    });
  }
  return (event, context) => Reflect.apply(handler, undefined, [event, context]);
}

export interface RunOptions {
  record: FunctionRecord;
  handler: () => Promise<Handler>;
  faults: Faults;
  clock: CloudClock;
  invocationId: string;
  line: (line: string, invocationId: string) => void;
  started: (invocation: Invocation) => void;
  ended: (invocation: Invocation) => void;
}

/** Ends the invocation the way a whole-invocation fault wants it. */
async function injected(
  options: RunOptions,
  invocation: Invocation,
  when: 'before' | 'after',
): Promise<RunResult | undefined> {
  const fault = options.faults.invocation(options.record.name, when, () => invocation.eventText);
  if (fault === undefined) return undefined;
  switch (fault.invocation) {
    case 'error':
      return {
        functionError: {
          errorType: fault.errorType ?? 'Error',
          errorMessage: fault.errorMessage ?? `${fault.errorType ?? 'Error'} (injected)`,
          trace: [],
        },
      };
    case 'kill':
      invocation.kill(exited(invocation.id));
      return { functionError: await invocation.killed };
    case 'timeout':
      invocation.hang();
      return { functionError: await invocation.killed };
    case 'throttle':
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ConcurrentInvocationLimitExceeded',
      });
    case 'duplicate':
      return undefined;
  }
}

function answerOf(value: unknown): RunResult {
  const text = value === undefined ? 'null' : JSON.stringify(value);
  if (text !== undefined && text.length * 3 > PAYLOAD_LIMIT_BYTES) {
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes > PAYLOAD_LIMIT_BYTES) {
      return {
        functionError: {
          errorType: 'Function.ResponseSizeTooLarge',
          errorMessage: `Response payload size (${sizeBytes} bytes) exceeded maximum allowed payload size (${PAYLOAD_LIMIT_BYTES} bytes).`,
          trace: [],
        },
      };
    }
  }
  return { payload: text === undefined ? null : JSON.parse(text) };
}

/**
 * Runs the handler once with a private copy of the event.
 * @throws AwsError only for an injected throttle; everything the function does wrong is a functionError
 */
export async function runHandler(options: RunOptions, event: Json): Promise<RunResult> {
  const { record, clock } = options;
  const timeoutMs = record.timeoutSeconds * 1000;
  const invocation = startInvocation({
    id: options.invocationId,
    functionName: record.name,
    eventText: () => JSON.stringify(event) ?? 'null',
    timeoutMs,
    clock,
    fault: options.faults.outgoing,
    line: options.line,
  });
  options.started(invocation);
  try {
    const early = await injected(options, invocation, 'before');
    if (early !== undefined) return early;
    const result = await Promise.race([
      attempt(options, invocation, event),
      invocation.killed.then((functionError): RunResult => ({ functionError })),
    ]);
    if (invocation.over) return { functionError: await invocation.killed };
    return (await injected(options, invocation, 'after')) ?? result;
  } finally {
    invocation.end();
    options.ended(invocation);
  }
}

async function attempt(options: RunOptions, invocation: Invocation, event: Json): Promise<RunResult> {
  const { record, clock } = options;
  try {
    const handler = await options.handler();
    const context = {
      awsRequestId: invocation.id,
      functionName: record.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: record.arn,
      memoryLimitInMB: String(record.memoryMb),
      logGroupName: `/aws/lambda/${record.name}`,
      logStreamName: 'local',
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(invocation.deadlineMs - clock.now(), 0),
    };
    const scope = { env: record.scope.env, invocation };
    return answerOf(await within(scope, () => handler(event, context)));
  } catch (error) {
    return { functionError: asFunctionError(error) };
  }
}

/** Real time has passed the timeout while the clock stood still: the function computes, or waits for the outside. */
export function killOverdue(
  invocations: Iterable<{ invocation: Invocation; startedRealMs: number; timeoutMs: number }>,
) {
  const nowMs = performance.now();
  for (const { invocation, startedRealMs, timeoutMs } of invocations) {
    if (nowMs - startedRealMs >= timeoutMs) invocation.kill(timedOut(invocation.id, timeoutMs));
  }
}
