// How is Meta's Graph API called: where does the token go, and what is read from every answer?
import type { Clock } from '../../runtime/clock.ts';
import { exchange, type Answer, type Fetch } from '../exchange.ts';
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

export interface Graph {
  /** The parsed answer. @throws what `metaError` says. */
  call(what: string, method: 'GET' | 'POST' | 'DELETE', path: string, params: Params): Promise<unknown>;
  /** As `call`, but the caller judges error answers. */
  ask(what: string, method: 'GET' | 'POST' | 'DELETE', path: string, params: Params): Promise<Answer>;
  /** The named error for an answer that `ask` gave. */
  errorOf(answer: Answer, what: string): Error;
  usage(): Usage | null;
}

/** Largest answer that is read: a page of a hundred creatives stays far below. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

const GRAPH = 'https://graph.facebook.com';
/** Where the live API takes video bytes (guides/videoads). */
const GRAPH_VIDEO = 'https://graph-video.facebook.com';

/** The token travels in the Authorization header only: URLs end up in logs. */
export function createGraph(options: MetaOptions): Graph {
  let latest: Usage | null = null;
  const baseUrl = options.baseUrl.replace(/\/$/, '');

  const ask: Graph['ask'] = async (what, method, path, params) => {
    const isBytes = Object.values(params).some((value) => value instanceof Blob);
    const host = isBytes && baseUrl === GRAPH ? GRAPH_VIDEO : baseUrl;
    const url = `${host}/${options.version}/${path}`;
    const query = method === 'POST' ? '' : encode(params).toString();
    const answer = await exchange(options.fetch, {
      vendor: 'Meta',
      what,
      method,
      url: query === '' ? url : `${url}?${query}`,
      headers: {
        authorization: `Bearer ${options.accessToken}`,
        ...(method === 'POST' && !isBytes ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(method === 'POST' ? { body: isBytes ? form(params) : encode(params).toString() } : {}),
      timeoutMs: options.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const usage = parseUsage(answer.headers);
    if (usage.entries.length > 0) latest = usage;
    return answer;
  };
  const errorOf: Graph['errorOf'] = (answer, what) =>
    metaError(answer, what, parseUsage(answer.headers), options.clock.now());

  return {
    ask,
    errorOf,
    async call(what, method, path, params) {
      const answer = await ask(what, method, path, params);
      if (isGraphError(answer)) throw errorOf(answer, what);
      return answer.json;
    },
    usage: () => latest,
  };
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
