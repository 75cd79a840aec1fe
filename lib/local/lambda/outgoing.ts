// What happens to a request that leaves an invocation?
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Duplex } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import { throttleError, type FaultEffect, type OutgoingCall } from '../faults.ts';
import { exited, type Invocation, type OutgoingRequest } from './invocation.ts';

export const INVOCATION_HEADER = 'x-impresario-invocation';

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|localhost|.+\.localhost|\[?::1\]?)$/;
const CREDENTIAL_SCOPE = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\/aws4_request/;

type Answer = { status: number; body: string; headers: Record<string, string> };
type Ending = { kind: 'answer'; answer: Answer } | { kind: 'reset' } | { kind: 'never' };

function describe(
  host: string,
  path: string,
  header: (name: string) => string | null | undefined,
): OutgoingRequest {
  const service = CREDENTIAL_SCOPE.exec(header('authorization') ?? '')?.[1];
  const operation = header('x-amz-target')?.split('.').at(-1);
  return {
    address: host + path,
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
  };
}

function errorAnswer(effect: FaultEffect & { kind: 'error' | 'throttle' }, call: OutgoingCall): Answer {
  const thrown =
    effect.kind === 'error'
      ? { code: effect.code, status: effect.status ?? 400, message: effect.message ?? effect.code }
      : call.service === undefined
        ? { code: 'TooManyRequests', status: 429, message: 'Rate exceeded' }
        : { ...throttleError(call.service), message: 'Rate exceeded' };
  const fields = effect.kind === 'error' ? effect.fields : undefined;
  const body =
    call.service === 's3'
      ? `<?xml version="1.0"?><Error><Code>${thrown.code}</Code><Message>${thrown.message}</Message></Error>`
      : JSON.stringify({ __type: thrown.code, message: thrown.message, ...fields });
  return {
    status: thrown.status,
    body,
    headers: {
      'content-type': call.service === 's3' ? 'application/xml' : 'application/x-amz-json-1.0',
      'x-amzn-errortype': thrown.code,
    },
  };
}

/** What the caller gets to see of a fault; kills the invocation where the fault says so. */
function endingOf(effect: FaultEffect, call: OutgoingCall, invocation: Invocation): Ending {
  switch (effect.kind) {
    case 'error':
    case 'throttle':
      return { kind: 'answer', answer: errorAnswer(effect, call) };
    case 'lost-reply':
      return { kind: 'reset' };
    case 'timeout':
      invocation.hang(call);
      return { kind: 'never' };
    case 'kill':
      invocation.kill(exited(invocation.id));
      return { kind: 'never' };
  }
}

const connectionReset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

/** A connection to nowhere that ends the way the fault wants it. */
function fakeSocket(ending: Ending): Duplex {
  let begun = false;
  const socket: Duplex = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      done();
      if (begun) return;
      begun = true;
      setImmediate(() => {
        if (ending.kind === 'reset') socket.destroy(connectionReset());
        if (ending.kind !== 'answer') return;
        const { status, body, headers } = ending.answer;
        const lines = Object.entries({
          ...headers,
          'content-length': String(Buffer.byteLength(body)),
          connection: 'close',
        }).map(([name, value]) => `${name}: ${value}`);
        socket.push(`HTTP/1.1 ${status} Fault\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
      });
    },
  });
  const same = () => socket;
  return Object.assign(socket, {
    setTimeout: same,
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
  });
}

type Listener = (response: http.IncomingMessage) => void;
type RequestFunction = (options: https.RequestOptions, listener?: Listener) => http.ClientRequest;

function parseArguments(values: unknown[]): { options: https.RequestOptions; listener?: Listener } {
  let options: https.RequestOptions = {};
  let listener: Listener | undefined;
  for (const value of values) {
    if (typeof value === 'string') options = { ...options, ...urlToHttpOptions(new URL(value)) };
    else if (value instanceof URL) options = { ...options, ...urlToHttpOptions(value) };
    else if (typeof value === 'function')
      listener = (response) => void Reflect.apply(value, undefined, [response]);
    else if (typeof value === 'object' && value !== null) options = { ...options, ...value };
  }
  return listener === undefined ? { options } : { options, listener };
}

function headerOf(headers: https.RequestOptions['headers'], name: string): string | undefined {
  if (headers === undefined || Array.isArray(headers)) return undefined;
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return value === undefined ? undefined : String(value);
}

/** Replaces what arrives by what the fault says, and lets nothing arrive once the invocation is over. */
function guardArrival(
  request: http.ClientRequest,
  call: OutgoingCall,
  invocation: Invocation,
  connect: (ending: Ending) => http.ClientRequest,
) {
  const emit = request.emit.bind(request);
  const arrive = (name: string | symbol, values: unknown[]): boolean =>
    Reflect.apply(emit, request, [name, ...values]);
  let silent = false;
  request.emit = (name: string | symbol, ...values: unknown[]): boolean => {
    const response = values[0];
    if (name === 'response' && response instanceof http.IncomingMessage) {
      const effect = invocation.over ? undefined : invocation.fault(call, 'after');
      const ending = effect === undefined ? undefined : endingOf(effect, call, invocation);
      if (invocation.over || ending !== undefined) response.resume();
      if (ending?.kind === 'reset') arrive('error', [connectionReset()]);
      if (ending?.kind === 'answer') {
        const substitute = connect(ending);
        substitute.on('response', (answer) => arrive('response', [answer]));
        substitute.end();
      }
      if (ending?.kind === 'never') {
        silent = true;
        request.destroy = (error) => {
          invocation.resume(call);
          silent = false;
          if (error !== undefined) arrive('error', [error]);
          arrive('close', []);
          return request;
        };
      }
      if (invocation.over || ending !== undefined) return true;
    }
    if (invocation.over || silent) return true;
    if (name === 'error' || name === 'close') invocation.resume(call);
    return arrive(name, values);
  };
}

function patchedRequest(
  untouched: typeof http.request,
  original: RequestFunction,
  plain: RequestFunction,
  current: () => Invocation | undefined,
) {
  return function request(this: unknown, ...values: unknown[]): http.ClientRequest {
    const invocation = current();
    if (invocation === undefined) return Reflect.apply(untouched, this, values);
    const { options, listener } = parseArguments(values);
    const hostname = options.hostname ?? options.host ?? 'localhost';
    const call = invocation.numbered(
      describe(`${hostname}:${options.port ?? ''}`, options.path ?? '/', (name) =>
        headerOf(options.headers, name),
      ),
    );
    const effect = invocation.over ? undefined : invocation.fault(call, 'before');
    const early: Ending | undefined = invocation.over
      ? { kind: 'never' }
      : effect && endingOf(effect, call, invocation);
    const connect = (ending: Ending) => {
      const { agent: _unused, ...rest } = options;
      return plain({ ...rest, protocol: 'http:', createConnection: () => fakeSocket(ending) });
    };
    const { headers } = options;
    const tagged = !LOOPBACK.test(hostname)
      ? options
      : Array.isArray(headers)
        ? { ...options, headers: [...headers, INVOCATION_HEADER, invocation.id] }
        : { ...options, headers: Object.assign({}, headers, { [INVOCATION_HEADER]: invocation.id }) };
    const sent = early === undefined ? original(tagged) : connect(early);
    guardArrival(sent, call, invocation, connect);
    if (listener !== undefined) sent.once('response', listener);
    return sent;
  };
}

function patchedFetch(original: typeof fetch, current: () => Invocation | undefined): typeof fetch {
  return async (input, init) => {
    const invocation = current();
    if (invocation === undefined) return original(input, init);
    const request = input instanceof Request ? input : undefined;
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers ?? request?.headers);
    if (LOOPBACK.test(url.hostname)) headers.set(INVOCATION_HEADER, invocation.id);
    const call = invocation.numbered(
      describe(url.host, url.pathname + url.search, (name) => headers.get(name)),
    );
    const signal = init?.signal ?? request?.signal;

    const suffer = (effect: FaultEffect): Promise<Response> => {
      const ending = endingOf(effect, call, invocation);
      if (ending.kind === 'answer') {
        const { status, body, headers: answered } = ending.answer;
        return Promise.resolve(new Response(body, { status, headers: answered }));
      }
      if (ending.kind === 'reset')
        return Promise.reject(new TypeError('fetch failed', { cause: connectionReset() }));
      return new Promise((_resolve, reject) => {
        const aborted = () => {
          if (invocation.over) return;
          invocation.resume(call);
          reject(signal?.reason);
        };
        if (signal?.aborted) aborted();
        signal?.addEventListener('abort', aborted, { once: true });
      });
    };
    const forever = () => new Promise<never>(() => undefined);

    if (invocation.over) return forever();
    const early = invocation.fault(call, 'before');
    if (early !== undefined) return suffer(early);
    try {
      const response = await original(input, { ...init, headers });
      if (invocation.over) return await forever();
      const late = invocation.fault(call, 'after');
      if (late === undefined) return response;
      await response.body?.cancel();
      return await suffer(late);
    } catch (error) {
      if (invocation.over) return forever();
      invocation.resume(call);
      throw error;
    }
  };
}

/** Patches `node:http`, `node:https` and `fetch` for code inside an invocation; the answer restores them. */
export function patchOutgoing(current: () => Invocation | undefined): () => void {
  const real = {
    fetch: globalThis.fetch,
    http: { request: http.request, get: http.get },
    https: { request: https.request, get: https.get },
  };
  const plain: RequestFunction = (options, listener) => real.http.request(options, listener);
  const secure: RequestFunction = (options, listener) => real.https.request(options, listener);
  for (const [module, original] of [
    [http, plain],
    [https, secure],
  ] as const) {
    const request = patchedRequest(module.request, original, plain, current);
    Object.assign(module, {
      request,
      get(this: unknown, ...values: unknown[]) {
        const sent = Reflect.apply(request, this, values);
        sent.end();
        return sent;
      },
    });
  }
  syncBuiltinESMExports();
  globalThis.fetch = patchedFetch(real.fetch, current);
  return () => {
    Object.assign(http, real.http);
    Object.assign(https, real.https);
    syncBuiltinESMExports();
    globalThis.fetch = real.fetch;
  };
}
