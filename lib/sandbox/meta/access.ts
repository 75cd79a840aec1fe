// Who may call the simulated Graph API, for which account and object?
import type { SandboxRequest } from '../vendor.ts';
import type { KnownAccount } from './accounts.ts';
import { failureOf, GraphError, invalidToken, unknownObject } from './errors.ts';

/** `10` and `200` are what Graph answers for a lost permission; `write` leaves reading allowed. */
export interface Denial {
  code: 10 | 200;
  scope: 'all' | 'write';
}

export interface Access {
  /** Token of the request. @throws GraphError 190 for one that is unknown, 190/463 for one that expired. */
  tokenOf(request: SandboxRequest): string;
  /** @throws GraphError 100/33 for an unknown account, 200 or 10 where the token may not. */
  accountFor(id: string, token: string, method: string): KnownAccount;
  /** @throws GraphError 200 or 10 where the permission was taken away, 368 for an object that policy refuses. */
  check(account: KnownAccount, method: string, objectId?: string): void;
  expire(token: string, isExpired: boolean): void;
  deny(accountId: string, denial: Denial | null): void;
  refuse(objectId: string, isRefused: boolean): void;
  clear(): void;
}

export function createAccess(
  accounts: ReadonlyMap<string, KnownAccount>,
  onTokenInUrl: (detail: string) => void,
): Access {
  const expired = new Set<string>();
  const denied = new Map<string, Denial>();
  const refused = new Set<string>();
  const check = (account: KnownAccount, method: string, objectId?: string): void => {
    const denial = denied.get(account.id);
    if (denial !== undefined && (denial.scope === 'all' || method !== 'GET'))
      throw lostPermission(denial.code);
    if (objectId !== undefined && method !== 'GET' && refused.has(objectId)) throw failureOf('policy');
  };
  return {
    check,
    tokenOf(request) {
      const inUrl = request.query.get('access_token');
      if (inUrl !== null) onTokenInUrl(`${request.method} ${request.path}`);
      const token = /^(?:Bearer|OAuth) (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? inUrl;
      if (token === null || ![...accounts.values()].some(({ tokens }) => tokens.includes(token)))
        throw invalidToken();
      if (expired.has(token)) throw failureOf('expired-token');
      return token;
    },
    accountFor(id, token, method) {
      const account = accounts.get(id);
      if (account === undefined) throw unknownObject(method, `act_${id}`);
      if (!account.tokens.includes(token)) throw failureOf('permission');
      check(account, method);
      return account;
    },
    expire(token, isExpired) {
      if (isExpired) expired.add(token);
      else expired.delete(token);
    },
    deny(accountId, denial) {
      if (denial === null) denied.delete(accountId);
      else denied.set(accountId, denial);
    },
    refuse(objectId, isRefused) {
      if (isRefused) refused.add(objectId);
      else refused.delete(objectId);
    },
    clear() {
      expired.clear();
      denied.clear();
      refused.clear();
    },
  };
}

function lostPermission(code: Denial['code']): GraphError {
  if (code === 200) return failureOf('permission');
  return new GraphError({ message: '(#10) Application does not have permission for this action', code }, 403);
}
