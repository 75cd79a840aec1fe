// Which access token does a connection use right now?
import * as z from 'zod';
import type { Clock } from '../../runtime/clock.ts';
import { Refused } from '../../runtime/errors.ts';
import { httpClient, type Fetch } from '../../runtime/http.ts';
import { shaped } from '../shaped.ts';
import { driveError } from './google-errors.ts';

/** What a connection holds; access tokens last an hour and are fetched as needed. */
export const GoogleCredential = z.object({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  refreshToken: z.string().min(1),
  tokenUrl: z.url().default('https://oauth2.googleapis.com/token'),
});

export interface TokenOptions {
  fetch: Fetch;
  clock: Clock;
  credential: z.output<typeof GoogleCredential>;
  timeoutMs: number;
}

const Token = z.object({ access_token: z.string(), expires_in: z.number() });

/** Renewed this much before it ends. */
const MARGIN_MS = 60_000;
const WHAT = 'renew access token';

/** Runs a call with the Authorization header it needs; one that is rejected with a token from an earlier call is run again with a new one. */
export type Authorized = <T>(call: (authorization: string) => Promise<T>) => Promise<T>;

export function googleTokens(options: TokenOptions): Authorized {
  let token: { value: string; untilMs: number } | undefined;

  const authorization = async (): Promise<string> => {
    if (token === undefined || options.clock.now() >= token.untilMs) {
      const renewed = await renew(options);
      const lifetimeMs = renewed.expires_in * 1000 - MARGIN_MS;
      token = { value: renewed.access_token, untilMs: options.clock.now() + lifetimeMs };
    }
    return `Bearer ${token.value}`;
  };

  return async (call) => {
    const before = token;
    const first = await authorization();
    try {
      return await call(first);
    } catch (error) {
      const isStale = before !== undefined && token === before && isRejected(error);
      if (!isStale) throw error;
      token = undefined;
      return call(await authorization());
    }
  };
}

function isRejected(error: unknown): boolean {
  return error instanceof Refused && error.vendorCode?.startsWith('401') === true;
}

async function renew({ fetch, clock, credential, timeoutMs }: TokenOptions): Promise<z.output<typeof Token>> {
  const http = httpClient({
    fetch,
    clock,
    vendor: 'Google Drive',
    timeoutMs,
    toError: ({ status, json }) =>
      status === 400 || status === 401
        ? new Refused('Google Drive: the connection was revoked or has expired. Reconnect Google Drive.', {
            vendorCode: `${status}/token`,
            cause: json,
          })
        : driveError(status, json, WHAT),
  });
  const { json } = await http.call({
    what: WHAT,
    method: 'POST',
    url: credential.tokenUrl,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: credential.clientId,
      client_secret: credential.clientSecret,
      refresh_token: credential.refreshToken,
    }).toString(),
  });
  return shaped(Token, json, `Google Drive: ${WHAT}`);
}
