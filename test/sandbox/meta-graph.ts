// How do tests of the simulated Graph API call it?
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import type { World } from './world.ts';

export const TOKEN = DEFAULT_ACCOUNT.tokens[0] ?? '';
export const ACCOUNT = `act_${DEFAULT_ACCOUNT.id}`;

export interface Reply {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the vendor answers
  body: any;
  headers: Headers;
}

export type Graph = (method: string, path: string, params?: Record<string, unknown>) => Promise<Reply>;

/** Calls v25.0 with the token of the default account. */
export function graphOf(world: World, token = TOKEN): Graph {
  return async (method, path, params = {}) => {
    const encoded = new URLSearchParams(
      Object.entries(params).map(([name, value]): [string, string] => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ).toString();
    const url = `${world.sandbox.url}/meta/v25.0/${path}`;
    const response = await fetch(method === 'POST' ? url : `${url}?${encoded}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
      ...(method === 'POST' ? { body: encoded } : {}),
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
}

/** `100/1885272`, or the status of an answer that is no error. */
export function codeOf({ body, status }: Reply): string {
  if (body.error === undefined) return String(status);
  const { code, error_subcode: subcode } = body.error;
  return subcode === undefined ? String(code) : `${code}/${subcode}`;
}
