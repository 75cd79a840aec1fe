// May we fetch the URL that a user gave us, and from exactly which address?
import { lookup } from 'node:dns/promises';
import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import { InvalidInput, Unavailable } from './errors.ts';
import type { Need } from './need.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** All addresses of a host. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export interface OutboundOptions {
  /** The system's resolver by default. */
  resolve?: Resolve;
  /** `host:port` pairs that skip the checks: only the embedded cloud sets them, for its sandbox. */
  allowHosts?: readonly string[];
  /** Longest silence on the connection. */
  timeoutMs?: number;
}

export interface OutboundAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** After redirects. */
  url: string;
  /** Read it or destroy it. */
  body: IncomingMessage;
}

export interface Outbound {
  /**
   * GET or HEAD. Follows at most five redirects; each hop is checked again and connects to the address that was checked, so
   * that a name cannot point elsewhere a moment later.
   * @throws InvalidInput for a URL we do not fetch, with the reason; Unavailable for network failures.
   */
  open(
    url: string,
    request?: { method?: 'GET' | 'HEAD'; headers?: Readonly<Record<string, string>> },
  ): Promise<OutboundAnswer>;
}

const MAX_REDIRECTS = 5;
const SILENCE_MS = 15_000;

/** OUTBOUND_ALLOW_HOSTS (`host:port,…`) is not part of any stage: the embedded cloud alone puts it into a function's environment. */
export const outboundNeed: Need<Outbound> = {
  grants: [],
  env: {},
  open: (env) =>
    openOutbound({
      allowHosts: (env['OUTBOUND_ALLOW_HOSTS'] ?? '').split(',').filter((host) => host !== ''),
    }),
};

export function openOutbound(options: OutboundOptions = {}): Outbound {
  const { resolve = systemResolve, allowHosts = [], timeoutMs = SILENCE_MS } = options;
  return {
    async open(url, request = {}) {
      let target = url;
      for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
        const { parsed, address } = await checked(target, resolve, allowHosts);
        const response = await connect(parsed, address, request, timeoutMs);
        const status = response.statusCode ?? 0;
        const location = response.headers.location;
        if (status < 300 || status >= 400 || location === undefined) {
          return { status, headers: response.headers, url: target, body: response };
        }
        response.destroy();
        target = absolute(location, parsed);
      }
      throw refused('redirects more than five times');
    },
  };
}

/** @throws InvalidInput unless it is https on port 443 without credentials and every address of its host is public. */
async function checked(
  url: string,
  resolve: Resolve,
  allowHosts: readonly string[],
): Promise<{ parsed: URL; address: Address }> {
  if (!URL.canParse(url)) throw refused('is not a URL');
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  if (parsed.username !== '' || parsed.password !== '') throw refused('contains a user name or password');
  const port = parsed.port === '' ? (parsed.protocol === 'http:' ? '80' : '443') : parsed.port;
  const allowed = allowHosts.includes(`${host}:${port}`);
  if (parsed.protocol !== 'https:' && !(allowed && parsed.protocol === 'http:'))
    throw refused('is not an https address');
  if (!allowed && port !== '443') throw refused('has a port other than 443');
  const version = isIP(host);
  const addresses: readonly Address[] =
    version === 0 ? await resolve(host) : [{ address: host, family: version as 4 | 6 }];
  const [address] = addresses;
  if (address === undefined) throw refused(`names a host without an address (${host})`);
  if (!allowed && !addresses.every((found) => isPublicAddress(found.address)))
    throw refused('points into a private network');
  return { parsed, address };
}

async function connect(
  url: URL,
  address: Address,
  request: { method?: 'GET' | 'HEAD'; headers?: Readonly<Record<string, string>> },
  timeoutMs: number,
): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((settle, fail) => {
    const outgoing = send(url.href, {
      method: request.method ?? 'GET',
      headers: { 'user-agent': 'impresario', accept: '*/*', ...request.headers },
      // One connection per request, to the address that was checked.
      agent: false,
      family: address.family,
      lookup: (_host, lookupOptions, done) => {
        if (lookupOptions.all === true) done(null, [address]);
        else done(null, address.address, address.family);
      },
      timeout: timeoutMs,
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(
        new Unavailable(`${url.host} was silent for ${timeoutMs} ms.`, { vendorCode: 'timeout' }),
      ),
    );
    outgoing.on('error', (error) => fail(networkError(error, url.host)));
    outgoing.on('response', (response) => {
      // After the headers, silence ends the body too.
      response.setTimeout(timeoutMs, () =>
        response.destroy(new Unavailable(`${url.host} was silent for ${timeoutMs} ms.`)),
      );
      settle(response);
    });
    outgoing.end();
  });
}

async function systemResolve(host: string): Promise<readonly Address[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOTFOUND') throw refused(`names a host that does not exist (${host})`);
    throw networkError(error, host);
  }
}

function networkError(error: unknown, host: string): Error {
  if (error instanceof Unavailable) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'network';
  return new Unavailable(`${host} cannot be reached (${code}).`, { cause: error, vendorCode: code });
}

function absolute(location: string, from: URL): string {
  if (!URL.canParse(location, from.href)) throw refused('redirects to something that is not a URL');
  return new URL(location, from.href).href;
}

function refused(reason: string): InvalidInput {
  return new InvalidInput(`The URL ${reason}.`, { path: 'url' });
}
