// Does every way in which a vendor fails get its name, and does no message carry a secret?
import { describe, expect, it } from 'vitest';
import { Refused } from '../../lambdas/runtime/errors.ts';
import { httpClient, redact, type Fetch, type HttpOptions } from '../../lambdas/runtime/http.ts';

const clock = { now: () => 1_000 };
const client = (fetch: Fetch, more: Partial<HttpOptions> = {}) =>
  httpClient({ fetch, clock, timeoutMs: 50, vendor: 'Meta', ...more });
const answering =
  (status: number, body = '{}', headers: Record<string, string> = {}): Fetch =>
  () =>
    Promise.resolve(new Response(body, { status, headers }));
const request = {
  what: 'create ad',
  method: 'POST',
  url: 'https://vendor.test/ads?access_token=EAAGsecret1234567',
} as const;

describe('httpClient', () => {
  it('sends JSON and reads JSON, and shows the headers', async () => {
    const sent: RequestInit[] = [];
    const seen: [string | null, number][] = [];
    const meta = client(
      (_url, init) => (sent.push(init), answering(200, '{"id":"7"}', { 'x-usage': '5' })('', {})),
      { onHeaders: (headers, at) => seen.push([headers.get('x-usage'), at]) },
    );
    expect(await meta.call({ ...request, json: { name: 'a' } })).toMatchObject({
      status: 200,
      json: { id: '7' },
    });
    expect(sent[0]).toMatchObject({
      body: '{"name":"a"}',
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
    });
    expect(seen).toEqual([['5', 1_000]]);
  });

  it.each([
    [400, 'InvalidInput'],
    [401, 'Refused'],
    [403, 'Refused'],
    [404, 'Refused'],
    [302, 'Refused'],
    [408, 'Unavailable'],
    [422, 'InvalidInput'],
    [429, 'RateLimited'],
    [500, 'Unavailable'],
    [503, 'Unavailable'],
  ])('%i is %s', async (status, name) => {
    await expect(client(answering(status)).call(request)).rejects.toMatchObject({
      name,
      vendorCode: String(status),
    });
    await expect(client(answering(status)).stream(request)).rejects.toMatchObject({ name });
  });

  it("prefers the vendor's own meaning", async () => {
    const toError = () => new Refused('the account is closed', { vendorCode: '17' });
    await expect(client(answering(500), { toError }).call(request)).rejects.toMatchObject({
      name: 'Refused',
      vendorCode: '17',
    });
  });

  it('is Unavailable for timeouts, broken connections and endless answers; other errors are bugs', async () => {
    const hang: Fetch = (_url, { signal }) =>
      new Promise((_, fail) => signal?.addEventListener('abort', () => fail(signal.reason as Error)));
    await expect(client(hang).call(request)).rejects.toMatchObject({
      name: 'Unavailable',
      vendorCode: 'timeout',
    });
    const reset: Fetch = () =>
      Promise.reject(
        new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }),
      );
    await expect(client(reset).call(request)).rejects.toMatchObject({
      name: 'Unavailable',
      vendorCode: 'ECONNRESET',
    });
    await expect(
      client(answering(200, 'x'.repeat(101)), { maxBytes: 100 }).call(request),
    ).rejects.toMatchObject({ name: 'Unavailable' });
    await expect(
      client(() => Promise.reject(new TypeError('x is not a function'))).call(request),
    ).rejects.toMatchObject({ name: 'TypeError' });
  });

  it('streams a body unread', async () => {
    const response = await client(answering(200, 'video')).stream(request);
    expect(await response.text()).toBe('video');
  });

  it('keeps credentials out of messages', async () => {
    const body =
      '{"error":"token EAAGm0PX4ZCpsBAexpired1 for access_token=EAAGsecret1234567&x=1","authorization":"Bearer abc.def-ghi"}';
    const failure = await client(answering(400, body))
      .call(request)
      .catch((error: Error) => error.message);
    expect(failure).toContain('Meta: create ad was answered 400');
    expect(failure).not.toMatch(/EAAG|abc\.def|secret1234567/);
    expect(redact('"client_secret": "hush", sk-abcdefghijklmnop1234 ya29.a0Af_x')).toBe(
      '"client_secret": "***", *** ***',
    );
  });
});
