// How do functions share one process, each with its own environment, time, output and children?
import { AsyncLocalStorage } from 'node:async_hooks';
import { ChildProcess } from 'node:child_process';
import { registerHooks } from 'node:module';
import { format } from 'node:util';
import { exited, type Invocation } from './invocation.ts';
import { patchOutgoing } from './outgoing.ts';

/** What code of a function sees of the world; no invocation while its module loads. */
export interface Scope {
  env: Record<string, string>;
  invocation?: Invocation;
  /** Stands for the invocation's store while the module loads. */
  initStore?: Record<PropertyKey, unknown>;
}

const scopes = new AsyncLocalStorage<Scope>();
const invocationNow = (): Invocation | undefined => scopes.getStore()?.invocation;

/** Runs code as part of a function. */
export function within<T>(scope: Scope, run: () => T): T {
  return scopes.run(scope, run);
}

/** The function whose code is running, for callers that must not go through the network. */
export const currentScope = (): Scope | undefined => scopes.getStore();

type Undo = () => void;

function patchEnvironment(): Undo {
  const real = process.env;
  const mine = (key: string | symbol): string | undefined => {
    const scope = scopes.getStore()!;
    if (key === '_X_AMZN_TRACE_ID') return scope.invocation?.traceId;
    return typeof key === 'string' && Object.hasOwn(scope.env, key) ? scope.env[key] : undefined;
  };
  process.env = new Proxy(real, {
    get: (target, key) => (scopes.getStore() === undefined ? Reflect.get(target, key) : mine(key)),
    has: (target, key) =>
      scopes.getStore() === undefined ? Reflect.has(target, key) : mine(key) !== undefined,
    set(target, key, value) {
      const scope = scopes.getStore();
      return Reflect.set(scope?.env ?? target, key, scope === undefined ? value : String(value));
    },
    deleteProperty: (target, key) => Reflect.deleteProperty(scopes.getStore()?.env ?? target, key),
    ownKeys: (target) => Reflect.ownKeys(scopes.getStore()?.env ?? target),
    getOwnPropertyDescriptor(target, key) {
      if (scopes.getStore() === undefined) return Reflect.getOwnPropertyDescriptor(target, key);
      const value = mine(key);
      return value === undefined
        ? undefined
        : { value, enumerable: true, configurable: true, writable: true };
    },
  });
  return () => {
    process.env = real;
  };
}

function patchDate(): Undo {
  const RealDate = globalThis.Date;
  const realNow = RealDate.now.bind(RealDate);
  const now = () => {
    const invocation = invocationNow();
    return invocation === undefined ? realNow() : invocation.clock.now();
  };
  const CloudDate = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
  globalThis.Date = CloudDate;
  RealDate.prototype.constructor = CloudDate;
  return () => {
    globalThis.Date = RealDate;
    RealDate.prototype.constructor = RealDate;
  };
}

const OUTPUT_METHODS = ['log', 'info', 'debug', 'warn', 'error', 'trace'] as const;

function patchOutput(): Undo {
  const undo: Undo[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write;
    const patched = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      const invocation = invocationNow();
      if (invocation === undefined) return Reflect.apply(write, stream, [chunk, ...rest]);
      invocation.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => Reflect.apply(done, undefined, []));
      return true;
    };
    stream.write = patched;
    undo.push(() => {
      stream.write = write;
    });
  }
  const { console } = globalThis;
  for (const method of OUTPUT_METHODS) {
    const real = console[method];
    console[method] = (...values: unknown[]) => {
      const invocation = invocationNow();
      if (invocation === undefined) Reflect.apply(real, console, values);
      else invocation.write(`${format(...values)}\n`);
    };
    undo.push(() => {
      console[method] = real;
    });
  }
  return () => undo.forEach((run) => run());
}

function patchProcesses(): Undo {
  const prototype: { spawn(...values: unknown[]): unknown } = Object.assign(ChildProcess.prototype);
  const { spawn } = prototype;
  prototype.spawn = function spawnInScope(this: ChildProcess, ...values: unknown[]) {
    const invocation = invocationNow();
    if (invocation?.over) throw new Error(`The invocation of ${invocation.functionName} is over`);
    const result: unknown = Reflect.apply(spawn, this, values);
    if (this.pid !== undefined) invocation?.track(this);
    return result;
  };
  const { exit } = process;
  process.exit = (code) => {
    const invocation = invocationNow();
    if (invocation === undefined) return exit.call(process, code);
    invocation.kill(exited(invocation.id));
    throw new Error('process.exit ends the invocation');
  };
  return () => {
    prototype.spawn = spawn;
    process.exit = exit;
  };
}

/** A timeout on a call that is never answered must come in cloud time: nothing else can end the wait. */
function patchTimeoutSignals(): Undo {
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => {
    const invocation = invocationNow();
    if (invocation === undefined) return timeout.call(AbortSignal, ms);
    const controller = new AbortController();
    const abort = () => {
      stop();
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    };
    const virtual = invocation.clock.at(invocation.clock.now() + ms, abort, { idle: true });
    const real = setTimeout(abort, ms).unref();
    const stop = () => {
      virtual.cancel();
      clearTimeout(real);
    };
    invocation.onEnd(stop);
    return controller.signal;
  };
  return () => {
    AbortSignal.timeout = timeout;
  };
}

/** Lambda's per-invocation store, which Powertools and the SDK find on `globalThis.awslambda`. */
function offerInvokeStore(): Undo {
  const holder: { awslambda?: unknown } = globalThis;
  const before = holder.awslambda;
  const store = (): Record<PropertyKey, unknown> | undefined => {
    const scope = scopes.getStore();
    if (scope === undefined || scope.invocation !== undefined) return scope?.invocation?.store;
    return (scope.initStore ??= {});
  };
  holder.awslambda = {
    InvokeStore: {
      getContext: store,
      hasContext: () => store() !== undefined,
      get: (key: PropertyKey) => store()?.[key],
      set(key: PropertyKey, value: unknown) {
        const target = store();
        if (target === undefined) throw new Error('No context available');
        target[key] = value;
      },
      run: <T>(_context: unknown, run: () => T): T => run(),
      getRequestId: () => invocationNow()?.id ?? '-',
      getXRayTraceId: () => invocationNow()?.traceId,
      getTenantId: () => undefined,
      getTraceparent: () => undefined,
      getTracestate: () => undefined,
      getBaggage: () => undefined,
    },
  };
  return () => {
    holder.awslambda = before;
  };
}

/** Every module below a function's entry is the function's own: the entry's `?fn=` is handed down. */
function ownModulePerFunction(): Undo {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const mark = context.parentURL?.indexOf('?fn=') ?? -1;
      if (mark < 0 || !resolved.url.startsWith('file:') || resolved.url.includes('?')) return resolved;
      return { ...resolved, url: resolved.url + context.parentURL!.slice(mark) };
    },
  });
  return () => hooks.deregister();
}

let users = 0;
let undoAll: Undo[] = [];

/** Installs the patches once per process; they act only on code inside a function. Call the answer to let go of them. */
export function isolate(): () => void {
  if (users === 0) {
    undoAll = [
      patchEnvironment(),
      patchDate(),
      patchOutput(),
      patchProcesses(),
      patchTimeoutSignals(),
      offerInvokeStore(),
      ownModulePerFunction(),
      patchOutgoing(invocationNow),
    ];
  }
  users += 1;
  let released = false;
  return () => {
    if (released) return;
    released = true;
    users -= 1;
    if (users > 0) return;
    for (const undo of undoAll.toReversed()) undo();
    undoAll = [];
  };
}
