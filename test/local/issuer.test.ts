import { createLocalJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { createIssuer } from '../../lib/local/issuer.ts';
import type { Json } from '../../lib/local/types.ts';

it('serves the keys its tokens verify with', async () => {
  const now = Date.UTC(2030, 0, 1);
  const issuer = await createIssuer({ now: () => now });
  try {
    const read = async (url: string): Promise<Json> => (await fetch(url)).json();
    const metadata = await read(`${issuer.issuer}/.well-known/openid-configuration`);
    expect(metadata.issuer).toBe(issuer.issuer);
    const keys = createLocalJWKSet(await read(metadata.jwks_uri));
    const token = await issuer.sign({
      tenant: 'acme',
      role: 'approver',
      subject: 'ada',
      expiresInSeconds: 60,
    });
    const { payload, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(now) });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toEqual({
      sub: 'ada',
      'custom:tenant': 'acme',
      role: 'approver',
      token_use: 'access',
      client_id: issuer.audience,
      aud: issuer.audience,
      iss: issuer.issuer,
      iat: now / 1000,
      exp: now / 1000 + 60,
    });
    expect((await fetch(`${issuer.issuer}/private`)).status).toBe(404);
  } finally {
    await issuer.close();
  }
});
