// Does this token let the caller through, as API Gateway's JWT authorizer decides it?
import { decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export interface JwtConfiguration {
  issuer: string;
  audience: readonly string[];
}

export type Verdict =
  | { allowed: true; claims: Record<string, string>; scopes: string[] | null }
  /** 401 without a valid token, 403 with one that lacks the route's scopes. */
  | { allowed: false; status: 401 | 403; reason: string };

/** The gateway's own limit for keys and metadata of an issuer. */
const FETCH_TIMEOUT_MS = 1_500;
const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/** Claims reach the function as strings; lists and objects as Go prints them (`[a b]`, `map[a:1]`). */
export function claimText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(claimText).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([name, member]) => `${name}:${claimText(member)}`).join(' ')}]`;
  }
  return value === null || value === undefined ? '<nil>' : `${value as string | number | boolean}`;
}

async function readJson(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

function scopesOf(payload: JWTPayload): string[] {
  const claim = payload['scope'] ?? payload['scp'];
  if (Array.isArray(claim)) return claim.map(String);
  return typeof claim === 'string' ? claim.split(' ').filter((scope) => scope !== '') : [];
}

/**
 * RSA signatures only. Checks kid, iss, aud (or client_id when there is no aud), exp, nbf, iat and, when the route
 * names scopes, that the token has one of them.
 * @param now milliseconds, the cloud's clock.
 */
export function createJwtAuthorizer(
  { issuer, audience }: JwtConfiguration,
  now: () => number,
): (authorization: string | undefined, routeScopes: readonly string[]) => Promise<Verdict> {
  const keys = new Map<string, CryptoKey | Uint8Array>();

  const loadKeys = async () => {
    const base = issuer.replace(/\/$/, '');
    const metadata = await readJson(`${base}/.well-known/openid-configuration`);
    const { keys: published } = await readJson(String(metadata['jwks_uri']));
    keys.clear();
    for (const key of published as JWK[]) {
      if (key.kty === 'RSA' && key.kid !== undefined)
        keys.set(key.kid, await importJWK(key, key.alg ?? 'RS256'));
    }
  };
  const keyFor = async (kid: string | undefined) => {
    if (kid === undefined) throw new errors.JWSInvalid('the token names no key (kid)');
    if (!keys.has(kid)) await loadKeys();
    const key = keys.get(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key;
  };

  return async (authorization, routeScopes) => {
    const refuse = (status: 401 | 403, reason: string): Verdict => ({ allowed: false, status, reason });
    const token = authorization?.replace(/^Bearer\s+/i, '').trim();
    if (token === undefined || token === '') return refuse(401, 'no token');
    try {
      const key = await keyFor(decodeProtectedHeader(token).kid);
      const { payload } = await jwtVerify(token, key, {
        algorithms: RSA,
        issuer,
        currentDate: new Date(now()),
        requiredClaims: ['exp'],
      });
      if (payload.iat !== undefined && payload.iat * 1000 > now()) return refuse(401, 'issued in the future');
      const forWhom = [payload.aud ?? payload['client_id']].flat().map(String);
      if (!forWhom.some((name) => audience.includes(name))) return refuse(401, 'wrong audience');
      const scopes = scopesOf(payload);
      if (routeScopes.length > 0 && !routeScopes.some((scope) => scopes.includes(scope))) {
        return refuse(403, 'insufficient scope');
      }
      const claims = Object.entries(payload).map(([name, value]) => [name, claimText(value)] as const);
      return {
        allowed: true,
        claims: Object.fromEntries(claims),
        scopes: routeScopes.length > 0 ? scopes : null,
      };
    } catch (error) {
      // Every reason a token can be unreadable, unsigned, expired or without a reachable key is a 401.
      return refuse(401, error instanceof Error ? error.message : String(error));
    }
  };
}
