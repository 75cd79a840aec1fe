// How is a vendor called, with limits on time and size, and nothing secret in what goes wrong?
import type { Clock } from './clock.ts';
import { InvalidInput, RateLimited, Refused, Unavailable, isTaskError } from './errors.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpOptions {
  fetch: Fetch;
  clock: Clock;
  /** Until the answer's last byte (for streams: its headers). */
  timeoutMs: number;
  /** Named in messages: `Meta`. */
  vendor: string;
  /** The vendor's own meaning of a failure; undefined leaves it to the status. */
  toError?(answer: HttpAnswer): Error | undefined;
  /** Every answer's headers, for usage and limits. */
  onHeaders?(headers: Headers, atMs: number): void;
  /** A longer body is not read to its end. 10 MB by default. */
  maxBytes?: number;
}

export interface HttpRequest {
  /** Named in messages instead of the URL: `create campaign`. */
  what: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Uint8Array<ArrayBuffer> | FormData;
  timeoutMs?: number;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Undefined when the body is not JSON. */
  json: unknown;
  text: string;
}

export interface HttpClient {
  /** @throws what `toError` or the status says; Unavailable for timeouts, network failures and bodies that break off. Never retries. */
  call(request: HttpRequest): Promise<HttpAnswer>;
  /** The body unread. @throws as `call`. */
  stream(request: HttpRequest): Promise<Response>;
}

export function httpClient(options: HttpOptions): HttpClient {
  const { vendor, maxBytes = 10_000_000 } = options;

  async function send(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const body = request.json === undefined ? request.body : JSON.stringify(request.json);
    const response = await options.fetch(request.url, {
      method: request.method,
      headers: {
        ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body }),
      // A credential must not follow a redirect to another host.
      redirect: 'manual',
      signal,
    });
    options.onHeaders?.(response.headers, options.clock.now());
    return response;
  }

  async function read(response: Response): Promise<HttpAnswer> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of response.body ?? []) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw new Unavailable(`${vendor} answered with more than ${maxBytes} bytes.`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    return { status: response.status, headers: response.headers, json: parsed(text), text };
  }

  async function guarded<T>(request: HttpRequest, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeoutMs = request.timeoutMs ?? options.timeoutMs;
    try {
      return await call(AbortSignal.timeout(timeoutMs));
    } catch (error) {
      throw networkFailure(error, `${vendor}: ${request.what}`, timeoutMs);
    }
  }

  const judged = (request: HttpRequest, answer: HttpAnswer): HttpAnswer => {
    if (answer.status < 300) return answer;
    throw options.toError?.(answer) ?? statusError(answer, `${vendor}: ${request.what}`);
  };

  return {
    call: (request) =>
      guarded(request, async (signal) => judged(request, await read(await send(request, signal)))),
    stream: (request) =>
      guarded(request, async (signal) => {
        const response = await send(request, signal);
        if (response.status < 300) return response;
        judged(request, await read(response));
        return response;
      }),
  };
}

/** 429 → RateLimited; 408, 425, 5xx → Unavailable; 400, 422 → InvalidInput; the rest, redirects too → Refused. */
export function statusError(answer: Pick<HttpAnswer, 'status' | 'text'>, what: string): Error {
  const message = `${what} was answered ${answer.status}: ${redact(answer.text.slice(0, 500))}`;
  const details = { vendorCode: String(answer.status) };
  if (answer.status === 429) return new RateLimited(message, details);
  if (answer.status === 408 || answer.status === 425 || answer.status >= 500)
    return new Unavailable(message, details);
  if (answer.status === 400 || answer.status === 422) return new InvalidInput(message, details);
  return new Refused(message, details);
}

const SECRETS: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, '$1 ***'],
  [
    /((?:access_?token|refresh_?token|client_?secret|api_?key|app_?secret_?proof|appsecret_proof|password|signature|input_token)["']?\s*[=:]\s*["']?)[^"'&\s,}]+/gi,
    '$1***',
  ],
  [/\bEAA[A-Za-z0-9]{12,}/g, '***'],
  [/\bya29\.[\w-]+/g, '***'],
  [/\bsk-[\w-]{16,}/g, '***'],
];

/** The text without what looks like a credential. */
export function redact(text: string): string {
  return SECRETS.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** A failure of the connection rather than of the vendor, as Unavailable; what already has a name, and our bugs, stay. */
export function networkFailure(error: unknown, what: string, timeoutMs: number): unknown {
  if (!(error instanceof Error) || isTaskError(error)) return error;
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return new Unavailable(`${what} was not answered within ${timeoutMs} ms.`, {
      cause: error,
      vendorCode: 'timeout',
    });
  }
  // `fetch failed` and `terminated` are TypeErrors whose cause says why; other TypeErrors are our bugs.
  const reason: unknown = error.cause;
  if (
    !(error instanceof TypeError) ||
    !(reason instanceof Error || /^(terminated|fetch failed)$/.test(error.message))
  )
    return error;
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : error.message;
  return new Unavailable(`${what} failed on the network (${code}).`, { cause: error, vendorCode: code });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
