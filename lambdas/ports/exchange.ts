// How is one request sent to a vendor, with a time limit, a size limit and nothing secret in its failures?
import type * as z from 'zod';
import { Unavailable } from '../runtime/errors.ts';

/** The part of `fetch` that vendors use; a circuit breaker or a test may stand in front of the real one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Outgoing {
  /** Named in messages: `Meta`. */
  vendor: string;
  /** Named in messages instead of the URL: `create campaign`. */
  what: string;
  method: 'GET' | 'POST' | 'DELETE';
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | FormData;
  timeoutMs: number;
  /** A longer answer is not read to its end. */
  maxBytes: number;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed body; undefined when it is not JSON. */
  json: unknown;
  /** The first kilobyte, for messages. */
  excerpt: string;
}

/** The answer, whatever its status. @throws Unavailable for timeouts, network failures, and answers that break off or never end. */
export async function exchange(fetch: Fetch, outgoing: Outgoing): Promise<Answer> {
  const { vendor, what, timeoutMs } = outgoing;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(outgoing.url, {
      method: outgoing.method,
      headers: outgoing.headers,
      ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
      // A credential must not follow a redirect to another host.
      redirect: 'manual',
      signal,
    });
    const text = await readText(response, outgoing);
    return {
      status: response.status,
      headers: response.headers,
      json: parsed(text),
      excerpt: text.slice(0, 1000),
    };
  } catch (error) {
    throw networkFailure(error, `${vendor}: ${what}`, timeoutMs);
  }
}

/** What the vendor said, checked. @throws Unavailable: an answer in an unknown shape leaves open what happened. */
export function shaped<T extends z.ZodType>(schema: T, json: unknown, what: string): z.output<T> {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  const fields = read.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Unavailable(`${what} was answered in an unknown shape (${fields}).`, { cause: read.error });
}

/** A failure of the connection rather than of the vendor, as Unavailable; what already has a name stays. */
export function networkFailure(error: unknown, what: string, timeoutMs: number): unknown {
  if (error instanceof Unavailable) return error;
  if (!(error instanceof Error)) return error;
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return new Unavailable(`${what} was not answered within ${timeoutMs} ms.`, {
      cause: error,
      vendorCode: 'timeout',
    });
  }
  // `fetch failed` and `terminated` are TypeErrors whose cause says why; other TypeErrors are our bugs.
  const reason: unknown = error.cause;
  const isNetwork =
    error instanceof TypeError &&
    (reason instanceof Error || error.message === 'terminated' || error.message === 'fetch failed');
  if (!isNetwork) return error;
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : error.message;
  return new Unavailable(`${what} failed on the network (${code}).`, { cause: error, vendorCode: code });
}

async function readText(response: Response, { vendor, what, maxBytes }: Outgoing): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new Unavailable(`${vendor}: ${what} answered with more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
