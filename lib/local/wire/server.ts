// How do AWS clients talk to the cloud?
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { NoReply } from '../faults.ts';
import { handleS3 } from '../s3/rest.ts';
import type { CallContext, CloudCall, CloudClock, CloudService, Json, Principal } from '../types.ts';
import { AwsError } from '../types.ts';
import { parse, readBody, send, sendError, signature, unsigned } from './exchange.ts';
import { queryAnswer, queryError } from './query.ts';
import { restCall } from './rest.ts';
import { JSON_SERVICES } from './target.ts';

export interface WireOptions {
  clock: CloudClock;
  call: CloudCall;
  /** Of a running invocation; undefined once it is over, and then its requests have no effect. */
  principalOf(invocationId: string): Principal | undefined;
  /** Of the access key id that signed. */
  roleOfKey(accessKeyId: string): string | undefined;
  /** Secrets of the keys in `roleOfKey`, to check presigned URLs. */
  secretOf(accessKeyId: string): string | undefined;
}

export const INVOCATION_HEADER = 'x-impresario-invocation';

/** Calls that wait for something: they must not keep cloud time from passing. */
const WAITING = new Set([
  'sqs ReceiveMessage',
  'lambda Invoke',
  'states StartSyncExecution',
  'states GetActivityTask',
]);

/** Answers every AWS protocol that the services here speak, on one endpoint. */
export function createWire(options: WireOptions): RequestListener {
  const { clock } = options;

  /** The invocation may have died while its request was read. */
  const callAlive: CloudCall = async (context, service, operation, input) => {
    const { invocationId } = context;
    if (invocationId !== undefined && options.principalOf(invocationId) === undefined) {
      throw new NoReply('lost');
    }
    return options.call(context, service, operation, input);
  };

  const perform = async (context: CallContext, service: CloudService, operation: string, input: Json) => {
    const what = `${service} ${operation}`;
    const done = WAITING.has(what) ? undefined : clock.work(`request ${what}`);
    try {
      return await callAlive(context, service, operation, input);
    } finally {
      done?.();
    }
  };

  /** Undefined: the invocation that asks is over. */
  const callerOf = (request: IncomingMessage, key: string): CallContext | undefined => {
    const invocationId = request.headers[INVOCATION_HEADER];
    if (typeof invocationId === 'string') {
      const principal = options.principalOf(invocationId);
      return principal === undefined ? undefined : { principal, invocationId };
    }
    const roleArn = options.roleOfKey(key);
    return { principal: roleArn === undefined ? { kind: 'administrator' } : { kind: 'role', roleArn } };
  };

  const answerJson = async (
    target: string,
    request: IncomingMessage,
    response: ServerResponse,
    context: CallContext,
  ) => {
    const dot = target.lastIndexOf('.');
    const known = JSON_SERVICES[target.slice(0, dot)];
    if (known === undefined) {
      throw new AwsError(
        'UnknownOperationException',
        `${target} is not a service of the embedded cloud`,
        400,
      );
    }
    const { service, contentType } = known;
    try {
      const body = await readBody(request);
      const input = body.length === 0 ? {} : parse(body);
      const output = await perform(context, service, target.slice(dot + 1), input);
      send(response, 200, { 'content-type': contentType }, JSON.stringify(output ?? {}));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      sendError(response, service, contentType, error);
    }
  };

  const answerRest = async (
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    context: CallContext,
    service: CloudService,
  ) => {
    try {
      const rest = restCall({
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: await readBody(request),
      });
      if (rest === undefined) {
        throw new AwsError(
          'UnknownOperationException',
          `${request.method} ${url.pathname} is not supported here`,
          404,
        );
      }
      const output = await perform(context, rest.service, rest.operation, rest.input);
      const { status, headers, body } = rest.respond?.(output) ?? {
        status: 200,
        body: JSON.stringify(output ?? {}),
      };
      send(response, status, { 'content-type': 'application/json', ...headers }, body);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      sendError(response, service, 'application/json', error);
    }
  };

  const answerQuery = async (request: IncomingMessage, response: ServerResponse, context: CallContext) => {
    try {
      const { call, xml } = queryAnswer(new URLSearchParams((await readBody(request)).toString()), context);
      const output = call === undefined ? undefined : await perform(context, 'sns', 'Publish', call);
      send(response, 200, { 'content-type': 'text/xml' }, xml(output));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      send(response, error.status, { 'content-type': 'text/xml' }, queryError(error));
    }
  };

  const answerS3 = async (request: IncomingMessage, response: ServerResponse, context: CallContext) => {
    const done = clock.work(`request s3 ${request.method} ${request.url}`);
    // handleS3 turns every error into an answer; an injected silence must stay one.
    const silent = (error: unknown): Promise<never> => {
      if (!(error instanceof NoReply)) throw error;
      done();
      if (error.how === 'lost') request.socket.destroy();
      return new Promise(() => undefined);
    };
    try {
      await handleS3(
        request,
        response,
        (operation, input) => callAlive(context, 's3', operation, input).catch(silent),
        { now: () => clock.now(), secretOf: options.secretOf },
      );
    } finally {
      done();
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const signed = signature(request, url.searchParams);
    if (signed === undefined) {
      return sendError(response, 's3', 'application/json', unsigned(url.searchParams));
    }
    const context = callerOf(request, signed.key);
    if (context === undefined) {
      request.socket.destroy();
      return;
    }
    const target = request.headers['x-amz-target'];
    if (typeof target === 'string') return answerJson(target, request, response, context);
    if (signed.service === 'scheduler' || signed.service === 'lambda') {
      return answerRest(url, request, response, context, signed.service);
    }
    if (signed.service === 'sts' || signed.service === 'sns') return answerQuery(request, response, context);
    return answerS3(request, response, context);
  };

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof NoReply) {
        if (error.how === 'lost') request.socket.destroy();
        return;
      }
      if (error instanceof AwsError) return sendError(response, 's3', 'application/json', error);
      if (request.destroyed && !request.complete) return;
      console.error('The embedded cloud failed to answer:', error);
      const failure = new AwsError(
        'InternalFailure',
        error instanceof Error ? error.message : String(error),
        500,
      );
      if (!response.headersSent) sendError(response, 's3', 'application/json', failure);
      else response.destroy();
    });
  };
}
