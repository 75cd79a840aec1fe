// Which calls and invocations shall go wrong, and how?
import { Readable } from 'node:stream';
import { AwsError, type CallContext, type CloudService, type Json } from './types.ts';

export type FaultEffect =
  | { kind: 'error'; code: string; message?: string; status?: number; fields?: Record<string, unknown> }
  | { kind: 'throttle' }
  /** Never answers. */
  | { kind: 'timeout' }
  /** Kills the calling invocation. */
  | { kind: 'kill' }
  /** The effect happens, the caller sees a broken connection. */
  | { kind: 'lost-reply' };

/** Something else happens at this very moment, and the call goes on as if nothing had been. */
export interface Meanwhile {
  kind: 'meanwhile';
  run(): void;
}

/**
 * A fault on calls. With `callIndex` or `host` (or with neither a service, an operation nor a resource) it is applied
 * where an invocation sends a request, whatever the request's target; otherwise where the cloud receives the call.
 */
export interface CallFault {
  service?: CloudService;
  operation?: string;
  /** Part of the call's input as JSON (a key, a queue URL, a table name). */
  resource?: string | RegExp;
  /** Part of the calling function's name. */
  function?: string;
  /** Part of the calling invocation's event as JSON (a run id). */
  event?: string;
  /** Only the n-th outgoing request of an invocation, from 1. */
  callIndex?: number;
  /** Part of the request's host and path, for vendors. */
  host?: string;
  when: 'before' | 'after';
  effect: FaultEffect | Meanwhile;
  /** How often; default always. */
  times?: number;
}

/** A fault of a whole invocation; `duplicate` delivers the event twice (asynchronous, queue, stream and bus deliveries). */
export interface InvocationFault {
  function: string;
  invocation: 'error' | 'timeout' | 'kill' | 'throttle' | 'duplicate';
  /** Before or after the handler ran. */
  when?: 'before' | 'after';
  errorType?: string;
  errorMessage?: string;
  /** Part of the invocation's event as JSON (a run id). */
  event?: string;
  times?: number;
}

/** A bus or queue delivery that arrives twice; `deliverTwiceTo` is part of the target's ARN. */
export interface DeliveryFault {
  deliverTwiceTo: string;
  times?: number;
}

export type Fault = CallFault | InvocationFault | DeliveryFault;

export interface FaultHandle {
  readonly hits: number;
  remove(): void;
}

/** A request on its way out of an invocation. */
export interface OutgoingCall {
  functionName: string;
  /** What the function was invoked with, as JSON. */
  eventText: string;
  index: number;
  /** `host:port/path`. */
  address: string;
  service?: string;
  operation?: string;
}

/** The cloud's answer never arrives: `lost` breaks the connection, `never` leaves it open. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  readonly how: 'lost' | 'never';

  constructor(how: 'lost' | 'never') {
    super(how === 'lost' ? 'socket hang up' : 'The call is never answered');
    this.how = how;
  }
}

/** What faults need of the Lambda engine: whose invocation is it, and stop it. */
export interface Invocations {
  functionOf(invocationId: string): string | undefined;
  /** What it was invoked with, as JSON. */
  eventOf(invocationId: string): string | undefined;
  kill(invocationId: string): void;
  /** The invocation waits for something that never comes: it no longer holds the clock. */
  hang(invocationId: string): void;
}

export interface Faults {
  add(fault: Fault): FaultHandle;
  clear(): void;
  /** Runs a call of the cloud under the faults that match it. @throws AwsError or NoReply */
  around(
    context: CallContext,
    service: CloudService,
    operation: string,
    input: Json,
    run: () => Promise<Json>,
  ): Promise<Json>;
  /** Takes a hit of a fault on a request leaving an invocation. */
  outgoing(call: OutgoingCall, when: 'before' | 'after'): FaultEffect | undefined;
  /** Takes a hit of a fault of this invocation. */
  invocation(
    functionName: string,
    when: 'before' | 'after',
    eventText?: () => string,
  ): InvocationFault | undefined;
  /** Shall this delivery (function name or target ARN) arrive twice? Takes a hit. */
  duplicate(target: string): boolean;
  connect(invocations: Invocations): void;
}

const THROTTLES: Partial<Record<CloudService, [code: string, status: number]>> = {
  dynamodb: ['ProvisionedThroughputExceededException', 400],
  sqs: ['RequestThrottled', 403],
  s3: ['SlowDown', 503],
  lambda: ['TooManyRequestsException', 429],
};

/** The throttling error of a service, as it answers it. */
export function throttleError(service: string | undefined): { code: string; status: number } {
  const known = Object.entries(THROTTLES).find(([name]) => name === service)?.[1];
  return { code: known?.[0] ?? 'ThrottlingException', status: known?.[1] ?? 400 };
}

function inputText(input: Json): string {
  const plain = Object.entries(input ?? {}).filter(
    ([, value]) => !Buffer.isBuffer(value) && !(value instanceof Readable) && typeof value !== 'function',
  );
  return JSON.stringify(Object.fromEntries(plain));
}

const contains = (text: string, part: string | RegExp): boolean =>
  typeof part === 'string' ? text.includes(part) : text.search(part) >= 0;

const isOutgoing = (fault: CallFault): boolean =>
  fault.callIndex !== undefined ||
  fault.host !== undefined ||
  (fault.service === undefined && fault.operation === undefined && fault.resource === undefined);

interface Armed<F> {
  fault: F;
  hits: number;
}

function suffered(entry: Armed<CallFault> | undefined): FaultEffect | undefined {
  if (entry === undefined) return undefined;
  entry.hits += 1;
  const { effect } = entry.fault;
  if (effect.kind !== 'meanwhile') return effect;
  effect.run();
  return undefined;
}

const armed = <F extends Fault>(entry: Armed<F>): boolean => entry.hits < (entry.fault.times ?? Infinity);

/** A board of fault switches; empty it costs nothing. */
export function createFaults(): Faults {
  let calls: Armed<CallFault>[] = [];
  let whole: Armed<InvocationFault>[] = [];
  let deliveries: Armed<DeliveryFault>[] = [];
  let invocations: Invocations | undefined;

  const eventOf = ({ invocationId }: CallContext): string | undefined =>
    invocationId === undefined ? undefined : invocations?.eventOf(invocationId);

  function received(
    context: CallContext,
    service: CloudService,
    operation: string,
    input: Json,
    when: 'before' | 'after' | 'lost-reply',
  ): FaultEffect | undefined {
    const caller =
      context.invocationId === undefined ? undefined : invocations?.functionOf(context.invocationId);
    const found = calls.find((entry) => {
      const { fault } = entry;
      if (!armed(entry) || isOutgoing(fault)) return false;
      if (when === 'lost-reply' ? fault.effect.kind !== when : fault.when !== when) return false;
      if (when !== 'lost-reply' && fault.effect.kind === 'lost-reply') return false;
      if (fault.service !== undefined && fault.service !== service) return false;
      if (fault.operation !== undefined && fault.operation !== operation) return false;
      if (fault.function !== undefined && !caller?.includes(fault.function)) return false;
      if (fault.event !== undefined && !eventOf(context)?.includes(fault.event)) return false;
      return fault.resource === undefined || contains(inputText(input), fault.resource);
    });
    return suffered(found);
  }

  function fail(effect: FaultEffect, context: CallContext, service: CloudService): never {
    const { invocationId } = context;
    switch (effect.kind) {
      case 'error':
        throw new AwsError(
          effect.code,
          effect.message ?? `${effect.code} (injected)`,
          effect.status,
          effect.fields,
        );
      case 'throttle': {
        const { code, status } = throttleError(service);
        throw new AwsError(code, 'Rate exceeded', status);
      }
      case 'kill':
        if (invocationId === undefined) throw new NoReply('lost');
        invocations?.kill(invocationId);
        throw new NoReply('never');
      case 'timeout':
        if (invocationId !== undefined) invocations?.hang(invocationId);
        throw new NoReply('never');
      case 'lost-reply':
        throw new NoReply('lost');
    }
  }

  function push<F extends Fault>(list: Armed<F>[], fault: F, remove: (entry: Armed<F>) => void): FaultHandle {
    const entry: Armed<F> = { fault, hits: 0 };
    list.push(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => remove(entry),
    };
  }

  return {
    add(fault) {
      if ('effect' in fault) {
        return push(calls, fault, (entry) => (calls = calls.filter((other) => other !== entry)));
      }
      if ('invocation' in fault) {
        return push(whole, fault, (entry) => (whole = whole.filter((other) => other !== entry)));
      }
      return push(deliveries, fault, (entry) => (deliveries = deliveries.filter((other) => other !== entry)));
    },
    clear() {
      calls = [];
      whole = [];
      deliveries = [];
    },
    async around(context, service, operation, input, run) {
      if (calls.length === 0) return run();
      const early = received(context, service, operation, input, 'before');
      if (early !== undefined) fail(early, context, service);
      const answer = await run();
      const late =
        received(context, service, operation, input, 'after') ??
        received(context, service, operation, input, 'lost-reply');
      if (late !== undefined) fail(late, context, service);
      return answer;
    },
    outgoing(call, when) {
      if (calls.length === 0) return undefined;
      const found = calls.find((entry) => {
        const { fault } = entry;
        if (!armed(entry) || !isOutgoing(fault)) return false;
        if ((fault.effect.kind === 'lost-reply' ? 'after' : fault.when) !== when) return false;
        if (fault.callIndex !== undefined && fault.callIndex !== call.index) return false;
        if (fault.function !== undefined && !call.functionName.includes(fault.function)) return false;
        if (fault.event !== undefined && !call.eventText.includes(fault.event)) return false;
        if (fault.service !== undefined && fault.service !== call.service) return false;
        if (fault.operation !== undefined && fault.operation !== call.operation) return false;
        if (fault.resource !== undefined && !contains(call.address, fault.resource)) return false;
        return fault.host === undefined || call.address.includes(fault.host);
      });
      return suffered(found);
    },
    invocation(functionName, when, eventText = () => '') {
      if (whole.length === 0) return undefined;
      const found = whole.find(
        (entry) =>
          armed(entry) &&
          entry.fault.invocation !== 'duplicate' &&
          (entry.fault.when ?? 'before') === when &&
          functionName.includes(entry.fault.function) &&
          (entry.fault.event === undefined || eventText().includes(entry.fault.event)),
      );
      if (found !== undefined) found.hits += 1;
      return found?.fault;
    },
    duplicate(target) {
      const found =
        whole.find(
          (entry) =>
            armed(entry) && entry.fault.invocation === 'duplicate' && target.includes(entry.fault.function),
        ) ?? deliveries.find((entry) => armed(entry) && target.includes(entry.fault.deliverTwiceTo));
      if (found !== undefined) found.hits += 1;
      return found !== undefined;
    },
    connect(engine) {
      invocations = engine;
    },
  };
}
