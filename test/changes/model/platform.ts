// How does the simulated platform answer when requests are late, lost or answered into nothing?
import { createMetaWriter } from '../../../lambdas/ports/ads/meta-write.ts';
import type { AdsWriterPort } from '../../../lambdas/ports/ads/ads-writer-port.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import type { SandboxReply } from '../../../lib/sandbox/vendor.ts';
import type { Process } from './agenda.ts';
import type { SmallWorld } from './small-world.ts';

/** As the product's port waits (account-port.ts). */
const TIMEOUT_MS = 20_000;

export interface PlatformWeather {
  slow: number;
  /** The work is done, the connection breaks. */
  lostReply: number;
  /** The connection breaks before anything happened. */
  refused: number;
  /** Never answered; the work is done in half of the cases. */
  silent: number;
}

export interface Platform {
  weather: PlatformWeather;
  /** Whose request it was, by the number that effects carry. */
  causes: Map<number, string>;
  /** The product's writer, asked by one process in the name of one change. */
  port(process: Process, changeId: string): AdsWriterPort;
}

export function platformOf({ agenda: time, random, meta, accountId }: SmallWorld): Platform {
  let requests = 0;
  const platform: Platform = {
    weather: { slow: 0, lostReply: 0, refused: 0, silent: 0 },
    causes: new Map(),
    port: (process, changeId) => ({
      for: async () =>
        createMetaWriter({
          fetch: (url, init) => send(process, changeId, url, init),
          clock: { now: time.now },
          baseUrl: 'http://sandbox/meta',
          version: 'v25.0',
          accountId,
          accessToken: String(DEFAULT_ACCOUNT.tokens[0]),
          // The agenda ends what is not answered.
          timeoutMs: 1_000,
        }),
    }),
  };

  /** Arrives whatever becomes of its sender. */
  function arrival(url: string, init: RequestInit, delayMs: number, no: number): Promise<SandboxReply> {
    return new Promise((resolve, reject) => {
      time.at(time.now() + delayMs, () => {
        const target = new URL(url);
        const body = typeof init.body === 'string' ? Buffer.from(init.body) : Buffer.alloc(0);
        const headers = Object.fromEntries(
          Object.entries(init.headers as Record<string, string>).map(([name, value]) => [
            name.toLowerCase(),
            value,
          ]),
        );
        const path = target.pathname.replace(/^\/meta/, '');
        meta
          .handle({
            method: init.method ?? 'GET',
            path,
            query: target.searchParams,
            headers,
            body,
            failsLater: false,
            no,
          })
          .then(resolve, reject);
      });
    });
  }

  async function send(process: Process, changeId: string, url: string, init: RequestInit): Promise<Response> {
    const { slow, lostReply, refused, silent } = platform.weather;
    const no = requests;
    requests += 1;
    platform.causes.set(no, changeId);
    const delayMs = random.chance(slow) ? random.int(1_000, 12_000) : random.int(20, 400);
    const lot = random.next();
    if (lot < refused) {
      await time.sleep(process, delayMs);
      throw new TypeError('fetch failed');
    }
    if (lot < refused + silent) {
      if (random.chance(0.5)) void arrival(url, init, delayMs, no);
      await time.sleep(process, TIMEOUT_MS);
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    }
    const reply = await arrival(url, init, delayMs, no);
    await time.sleep(process, random.int(1, 100));
    if (lot < refused + silent + lostReply) throw new TypeError('fetch failed');
    return answerOf(reply);
  }
  return platform;
}

/** As much of a Response as the product's HTTP client reads. */
function answerOf({ status, headers = {}, body }: SandboxReply): Response {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? String(body) : JSON.stringify(body ?? {});
  return { status, headers: new Headers(headers), body: [Buffer.from(text)] } as unknown as Response;
}
