// Who signs the tokens on a laptop?
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';

export interface TokenRequest {
  tenant: string;
  role: string;
  subject?: string;
  expiresInSeconds?: number;
  /** Further claims, also to override the usual ones in tests (`aud`, `nbf`, `scope`). */
  claims?: Record<string, unknown>;
}

export interface Issuer {
  /** Value of `iss`, and where `/.well-known/openid-configuration` is served. */
  issuer: string;
  audience: string;
  /** An RS256 access token with `custom:tenant`, `role`, `client_id` and `aud`. Lifetime 3600 s unless told. */
  sign(request: TokenRequest): Promise<string>;
  close(): Promise<void>;
}

const KEY_ID = 'development';

/**
 * A development issuer on loopback with a key pair made at start.
 * @param options.now milliseconds, the cloud's clock: tokens must be young in virtual time too.
 */
export async function createIssuer(options: {
  now: () => number;
  port?: number;
  audience?: string;
}): Promise<Issuer> {
  const audience = options.audience ?? 'impresario-local';
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };

  const documents = new Map<string, unknown>([['/jwks.json', { keys: [key] }]]);
  const server = createServer((request, response) => {
    const document = documents.get(request.url ?? '');
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? { message: 'Not Found' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  documents.set('/.well-known/openid-configuration', {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    id_token_signing_alg_values_supported: ['RS256'],
  });
  server.unref();

  return {
    issuer,
    audience,
    sign({ tenant, role, subject = 'developer', expiresInSeconds = 3600, claims = {} }) {
      const nowSeconds = Math.floor(options.now() / 1000);
      return new SignJWT({
        sub: subject,
        'custom:tenant': tenant,
        role,
        token_use: 'access',
        client_id: audience,
        aud: audience,
        iss: issuer,
        iat: nowSeconds,
        exp: nowSeconds + expiresInSeconds,
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
        .sign(privateKey);
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
