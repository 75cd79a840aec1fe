// What does Graph answer, word by word, and what was it asked?

export interface Asked {
  method: string;
  /** Below the version. */
  path: string;
  params: Readonly<Record<string, string>>;
  headers: Headers;
}

interface WholeReply {
  status: number;
  body: object;
  headers?: Record<string, string>;
}
/** The body alone is answered with status 200. */
type Reply = object | WholeReply;

export interface ScriptedGraph {
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly asked: Asked[];
}

/** Answers by path, one reply after the other; the last one is repeated. A path that is not scripted fails the test. */
export function scriptedGraph(script: Readonly<Record<string, readonly Reply[]>>): ScriptedGraph {
  const asked: Asked[] = [];
  return {
    asked,
    async fetch(url, init) {
      const { pathname, searchParams } = new URL(url);
      const path = pathname.split('/').slice(2).join('/');
      const body = typeof init.body === 'string' ? new URLSearchParams(init.body) : new URLSearchParams();
      const earlier = asked.filter((one) => one.path === path).length;
      asked.push({
        method: init.method ?? 'GET',
        path,
        params: Object.fromEntries([...searchParams, ...body]),
        headers: new Headers(init.headers),
      });
      const replies = script[path] ?? [];
      const reply = replies[earlier] ?? replies.at(-1);
      if (reply === undefined) throw new Error(`Nothing is scripted for ${path}.`);
      const whole: WholeReply = isWhole(reply) ? reply : { status: 200, body: reply };
      return new Response(JSON.stringify(whole.body), {
        status: whole.status,
        headers: whole.headers ?? {},
      });
    },
  };
}

function isWhole(reply: Reply): reply is WholeReply {
  return 'status' in reply && 'body' in reply;
}

export const ACCOUNT_ID = '1010';
export const NOW_MS = Date.UTC(2026, 10, 20, 12);

/** Graph's answer about the account, in the currency. */
export function accountIn(currency: string): object {
  return {
    id: `act_${ACCOUNT_ID}`,
    name: 'Account',
    currency,
    timezone_name: 'Europe/Prague',
    account_status: 1,
    min_daily_budget: 100,
  };
}

/** Options of a reader or writer that talks to the script. */
export function connectedTo(graph: ScriptedGraph) {
  return {
    fetch: graph.fetch,
    clock: { now: () => NOW_MS },
    baseUrl: 'https://graph.example',
    version: 'v25.0',
    accountId: ACCOUNT_ID,
    accessToken: 'secret-token',
    timeoutMs: 2_000,
  };
}
