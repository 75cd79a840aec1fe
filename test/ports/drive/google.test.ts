import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Drive } from '../../../lambdas/ports/drive/drive.ts';
import { createGoogleDrive } from '../../../lambdas/ports/drive/google.ts';
import { GoogleCredential } from '../../../lambdas/ports/drive/google-token.ts';
import { DEFAULT_DRIVE_CREDENTIAL, driveSecret } from '../../../lib/sandbox/drive/drive.ts';
import type { Failure } from '../../../lib/sandbox/switches.ts';
import { failureOf, useWorld } from '../../sandbox/world.ts';

const world = useWorld();

function drive(changes: Partial<Parameters<typeof createGoogleDrive>[0]> = {}): Drive {
  return createGoogleDrive({
    fetch,
    clock: world.clock,
    baseUrl: `${world.sandbox.url}/drive`,
    credential: GoogleCredential.parse(driveSecret(world.sandbox.url)),
    timeoutMs: 300,
    idleTimeoutMs: 300,
    ...changes,
  });
}

const content = randomBytes(300_000);

async function register(id: string, options = {}): Promise<void> {
  await world.sandbox.drive.addFile(id, await world.file(id, content), {
    name: 'clip.mp4',
    folderId: 'folder',
    ...options,
  });
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('files', () => {
  it('have size and checksums', async () => {
    await register('f1');
    expect(await drive().file('f1')).toEqual({
      id: 'f1',
      name: 'clip.mp4',
      mimeType: 'video/mp4',
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      md5: createHash('md5').update(content).digest('hex'),
      folderIds: ['folder'],
      trashed: false,
    });
  });

  it('of shared drives are found', async () => {
    await register('f2', { sharedDrive: true });
    expect((await drive().file('f2')).sizeBytes).toBe(content.length);
  });

  it('are downloaded whole, in parts, and onwards from where it stopped', async () => {
    await register('f3');
    expect(await collect(await drive().download('f3', 0))).toEqual(content);
    expect(await collect(await drive().download('f3', 100, 200))).toEqual(content.subarray(100, 200));
    expect(await collect(await drive().download('f3', 299_990))).toEqual(content.subarray(299_990));
  });

  it('that break off in the middle are Unavailable, after the bytes that came', async () => {
    await register('f4');
    const google = drive();
    await google.file('f4');
    world.sandbox.drive.fail({ match: { path: /f4/ }, with: 'truncate' });
    const received: Uint8Array[] = [];
    const error = await failureOf(
      (async () => {
        for await (const chunk of await google.download('f4', 0)) received.push(chunk);
      })(),
    );
    const got = Buffer.concat(received);
    expect(error.name).toBe('Unavailable');
    expect(got.length).toBeGreaterThan(0);
    const rest = await collect(await google.download('f4', got.length));
    expect(Buffer.concat([got, rest]).equals(content)).toBe(true);
  });

  it('are not mixed up when a server ignores the range', async () => {
    const whole = async (url: string, init: RequestInit): Promise<Response> =>
      url.includes('alt=media') ? new Response('everything', { status: 200 }) : fetch(url, init);
    expect((await failureOf(drive({ fetch: whole }).download('f5', 10))).name).toBe('Unavailable');
  });
});

describe('changes', () => {
  it('are listed from a token, removed files without content, and the token advances', async () => {
    const google = drive();
    const token = await google.startToken();
    expect(await google.changes(token)).toEqual({ changes: [], nextToken: token, isLast: true });
    await register('f6');
    await register('f7', { sharedDrive: true });
    world.sandbox.drive.removeFile('f6');
    const page = await google.changes(token);
    expect(page.changes.map(({ fileId, file }) => [fileId, file?.name ?? null])).toEqual([
      ['f6', null],
      ['f7', 'clip.mp4'],
      ['f6', null],
    ]);
    expect(page.isLast).toBe(true);
    expect((await google.changes(page.nextToken)).changes).toEqual([]);
  });

  it('come in pages', async () => {
    const google = drive();
    const first = await google.startToken();
    await register('f8');
    for (let index = 0; index < 149; index += 1) world.sandbox.drive.touch('f8');
    const page = await google.changes(first);
    expect(page).toMatchObject({ isLast: false });
    expect(page.changes).toHaveLength(100);
    const last = await google.changes(page.nextToken);
    expect(last).toMatchObject({ isLast: true });
    expect(last.changes).toHaveLength(50);
  });

  it('with a token that is too old are a Conflict, and a new start token works', async () => {
    const google = drive();
    const token = await google.startToken();
    world.sandbox.drive.expirePageTokens();
    expect((await failureOf(google.changes(token))).name).toBe('Conflict');
    expect((await google.changes(await google.startToken())).isLast).toBe(true);
  });
});

describe('tokens', () => {
  it('are fetched once, renewed before they end, and never in a URL', async () => {
    await register('f9');
    const google = drive();
    await google.file('f9');
    await google.file('f9');
    world.advance(3_600_000);
    await google.file('f9');
    const urls = world.sandbox.drive.requests.map(({ method, url }) => `${method} ${url}`);
    expect(urls.filter((url) => url.startsWith('POST'))).toHaveLength(2);
    for (const secret of [
      DEFAULT_DRIVE_CREDENTIAL.refreshToken,
      DEFAULT_DRIVE_CREDENTIAL.clientSecret,
      'sandbox-drive-access',
    ]) {
      expect(urls.filter((url) => url.includes(secret))).toEqual([]);
    }
  });

  it('that are rejected early are renewed once', async () => {
    await register('f10');
    const google = drive();
    await google.file('f10');
    world.sandbox.drive.expireAccessTokens();
    expect((await google.file('f10')).id).toBe('f10');
  });

  it('that cannot be renewed mean reconnecting', async () => {
    const credential = GoogleCredential.parse({ ...driveSecret(world.sandbox.url), refreshToken: 'revoked' });
    const error = await failureOf(drive({ credential }).file('f1'));
    expect(error.name).toBe('Refused');
    expect(error.message).toContain('Reconnect');
    expect(error.message).not.toContain('revoked,');
    expect(JSON.stringify(error.cause)).not.toContain(credential.clientSecret);
  });
});

describe('every documented failure has one of the five names', () => {
  const drives = (status: number, reason: string): Failure => ({
    status,
    error: { message: 'words', errors: [{ domain: 'global', reason, message: 'words' }] },
  });
  const cases: [string, Failure, string][] = [
    ['bad request', drives(400, 'invalid'), 'InvalidInput'],
    ['rejected token', 'expired-token', 'Refused'],
    ['user rate limit', 'throttle', 'RateLimited'],
    ['project rate limit', drives(403, 'rateLimitExceeded'), 'RateLimited'],
    ['429', drives(429, 'rateLimitExceeded'), 'RateLimited'],
    ['no permission', 'permission', 'Refused'],
    ['domain policy', 'policy', 'Refused'],
    ['not found', drives(404, 'notFound'), 'Refused'],
    ['gone', drives(410, 'pageTokenExpired'), 'Conflict'],
    ['backend error', 'server-error', 'Unavailable'],
    ['bad gateway', drives(502, 'x'), 'Unavailable'],
    ['no answer', 'timeout', 'Unavailable'],
    ['dropped connection', 'disconnect', 'Unavailable'],
  ];

  it.each(cases)('%s', async (_, failure, expected) => {
    await register('f11');
    for (const act of [
      (google: Drive) => google.file('f11'),
      async (google: Drive) => collect(await google.download('f11', 0)),
    ]) {
      world.sandbox.drive.heal();
      world.sandbox.drive.fail({ match: { path: /f11/ }, with: failure });
      const error = await failureOf(act(drive()));
      expect(error.name).toBe(expected);
      expect(error.message).not.toContain('sandbox-drive');
      expect(error.message).not.toContain('http');
    }
  });

  it('a range beyond the end is InvalidInput; a file that is not there is Refused', async () => {
    await register('f12');
    expect((await failureOf(drive().download('f12', content.length))).name).toBe('InvalidInput');
    expect((await failureOf(drive().file('nobody'))).message).toContain('not shared');
  });
});
