// What is one running invocation, and how does it die?
import type { ChildProcess } from 'node:child_process';
import type { FaultEffect, OutgoingCall } from '../faults.ts';
import type { CloudClock } from '../types.ts';

export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/** A request's description before it has its number. */
export type OutgoingRequest = Omit<OutgoingCall, 'functionName' | 'eventText' | 'index'>;

/** One run of a handler. Once it is over (returned, timed out or killed) nothing it does has an effect. */
export interface Invocation {
  readonly id: string;
  readonly functionName: string;
  /** What it was invoked with, as JSON. */
  readonly eventText: string;
  readonly traceId: string;
  readonly clock: CloudClock;
  /** Powertools' and the SDK's per-invocation store. */
  readonly store: Record<PropertyKey, unknown>;
  readonly over: boolean;
  readonly deadlineMs: number;
  /** Resolves when the invocation is killed or times out; never when it ends by itself. */
  readonly killed: Promise<FunctionError>;
  /** Numbers an outgoing request. */
  numbered(request: OutgoingRequest): OutgoingCall;
  fault(call: OutgoingCall, when: 'before' | 'after'): FaultEffect | undefined;
  /** Waits for something that never comes: the clock may move on until `resume`. */
  hang(request?: OutgoingCall): void;
  /** Only by the request that hangs, where that is known: others that end beside it change nothing. */
  resume(request: OutgoingCall): void;
  kill(error: FunctionError): void;
  track(child: ChildProcess): void;
  write(text: string): void;
  /** Runs when the invocation is over, however it ended. */
  onEnd(run: () => void): void;
  end(): void;
}

export interface InvocationOptions {
  id: string;
  functionName: string;
  eventText: () => string;
  timeoutMs: number;
  clock: CloudClock;
  fault: (call: OutgoingCall, when: 'before' | 'after') => FaultEffect | undefined;
  /** One complete line of output. */
  line: (line: string, invocationId: string) => void;
}

export const timedOut = (id: string, timeoutMs: number): FunctionError => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `RequestId: ${id} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  trace: [],
});

export const exited = (id: string): FunctionError => ({
  errorType: 'Runtime.ExitError',
  errorMessage: `RequestId: ${id} Error: Runtime exited with error: signal: killed`,
  trace: [],
});

/** Starts the clockwork of an invocation: it is at work until it ends, hangs or is killed. */
export function startInvocation(options: InvocationOptions): Invocation {
  const { id, functionName, clock, timeoutMs } = options;
  let eventText: string | undefined;
  const deadlineMs = clock.now() + timeoutMs;
  const children = new Map<ChildProcess, () => void>();
  const store: Record<PropertyKey, unknown> = {
    [Symbol.for('_AWS_LAMBDA_REQUEST_ID')]: id,
  };
  let calls = 0;
  let partialLine = '';
  let over = false;
  let hanging: OutgoingCall | undefined;
  let release: (() => void) | undefined = clock.work(`invocation of ${functionName}`);
  let timeout: { cancel(): void } | undefined;
  let endings: (() => void)[] = [];
  let tellKilled: (error: FunctionError) => void;
  const killed = new Promise<FunctionError>((resolve) => {
    tellKilled = resolve;
  });

  function flush() {
    if (partialLine !== '') options.line(partialLine, id);
    partialLine = '';
  }

  function finish() {
    over = true;
    timeout?.cancel();
    flush();
    for (const run of endings) run();
    endings = [];
    release?.();
    release = undefined;
  }

  const invocation: Invocation = {
    id,
    functionName,
    traceId: `Root=1-${Math.floor(clock.now() / 1000).toString(16)}-${id.replaceAll('-', '').slice(0, 24)};Sampled=1`,
    clock,
    store,
    deadlineMs,
    killed,
    get over() {
      return over;
    },
    get eventText() {
      return (eventText ??= options.eventText());
    },
    numbered: (request) => ({
      ...request,
      functionName,
      get eventText() {
        return invocation.eventText;
      },
      index: ++calls,
    }),
    fault: options.fault,
    hang(request) {
      if (over || release === undefined) return;
      hanging = request;
      timeout ??= clock.at(deadlineMs, () => invocation.kill(timedOut(id, timeoutMs)));
      release();
      release = undefined;
    },
    resume(request) {
      if (over || (hanging !== undefined && hanging !== request)) return;
      hanging = undefined;
      release ??= clock.work(`invocation of ${functionName}`);
    },
    kill(error) {
      if (over) return;
      for (const child of children.keys()) child.kill('SIGKILL');
      // Before the work is released, so that whoever waits goes on first.
      tellKilled(error);
      finish();
    },
    track(child) {
      const done = clock.work(`child process of ${functionName}`);
      children.set(child, done);
      const forget = () => {
        children.delete(child);
        done();
      };
      child.once('exit', forget);
      child.once('error', forget);
    },
    write(text) {
      if (over) return;
      const lines = (partialLine + text).split('\n');
      partialLine = lines.pop() ?? '';
      for (const line of lines) options.line(line, id);
    },
    onEnd(run) {
      if (over) run();
      else endings.push(run);
    },
    end() {
      if (!over) finish();
    },
  };
  return invocation;
}
