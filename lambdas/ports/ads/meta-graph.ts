// How is Meta's Graph API called: where does the token go, and what is read from every answer?
import type { Clock } from '../../runtime/clock.ts';
import { httpClient, type Fetch, type HttpAnswer } from '../../runtime/http.ts';
import { isGraphError, metaError } from './meta-errors.ts';
import { parseUsage } from './meta-usage.ts';
import type { Usage } from './publisher.ts';

export interface MetaOptions {
  fetch: Fetch;
  clock: Clock;
  /** `https://graph.facebook.com` */
  baseUrl: string;
  /** `v25.0` */
  version: string;
  /** Digits, without `act_`. */
  accountId: string;
  accessToken: string;
  timeoutMs: number;
}

/** Nested values are sent as JSON text, as the API documents. */
export type Params = Readonly<Record<string, unknown>>;

type Method = 'GET' | 'POST' | 'DELETE';

export interface Graph {
  /** The parsed answer. @throws what `metaError` says. */
  call(what: string, method: Method, path: string, params: Params): Promise<unknown>;
  /** The same with Meta's own name of the answer, which its support asks for; empty when it gives none. */
  ask(
    what: string,
    method: Method,
    path: string,
    params: Params,
  ): Promise<{ json: unknown; traceId: string }>;
  usage(): Usage | null;
}

/** Largest answer that is read: a page of a hundred creatives stays far below. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** A chunk of video needs its time on the wire. */
const TRANSFER_TIMEOUT_FACTOR = 3;

const GRAPH = 'https://graph.facebook.com';
/** Where the live API takes videos (guides/videoads). */
const GRAPH_VIDEO = 'https://graph-video.facebook.com';

/** The token travels in the Authorization header only: URLs end up in logs. */
export function createGraph(options: MetaOptions): Graph {
  let latest: Usage | null = null;
  const baseUrl = options.baseUrl.replace(/\/$/, '');

  const graph: Graph = {
    call: async (what, method, path, params) => (await graph.ask(what, method, path, params)).json,
    async ask(what, method, path, params) {
      const isBytes = Object.values(params).some((value) => value instanceof Blob);
      const isVideo = method === 'POST' && path.endsWith('/advideos');
      const url = `${isVideo && baseUrl === GRAPH ? GRAPH_VIDEO : baseUrl}/${options.version}/${path}`;
      const query = method === 'POST' ? '' : encode(params).toString();
      const toError = (answer: HttpAnswer): Error =>
        metaError(answer, what, parseUsage(answer.headers), options.clock.now());
      const http = httpClient({
        fetch: options.fetch,
        clock: options.clock,
        vendor: 'Meta',
        timeoutMs: options.timeoutMs * (isBytes ? TRANSFER_TIMEOUT_FACTOR : 1),
        maxBytes: MAX_ANSWER_BYTES,
        toError,
        onHeaders(headers) {
          const usage = parseUsage(headers);
          if (usage.entries.length > 0) latest = usage;
        },
      });
      const answer = await http.call({
        what,
        method,
        url: query === '' ? url : `${url}?${query}`,
        headers: {
          authorization: `Bearer ${options.accessToken}`,
          ...(method === 'POST' && !isBytes ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        },
        ...(method === 'POST' ? { body: isBytes ? form(params) : encode(params).toString() } : {}),
      });
      // Graph also sends `{error}` with status 200.
      if (isGraphError(answer)) throw toError(answer);
      const { headers } = answer;
      return {
        json: answer.json,
        traceId: headers.get('x-fb-trace-id') ?? headers.get('x-fb-request-id') ?? '',
      };
    },
    usage: () => latest,
  };
  return graph;
}

function encode(params: Params): URLSearchParams {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined) encoded.set(name, asText(value));
  return encoded;
}

function form(params: Params): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(params)) {
    if (value instanceof Blob) data.set(name, value, 'chunk');
    else if (value !== undefined) data.set(name, asText(value));
  }
  return data;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
