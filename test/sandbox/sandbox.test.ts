import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../lib/sandbox/sandbox.ts';
import { useWorld } from './world.ts';

const world = useWorld();

async function served(name: string, content: string): Promise<string> {
  await world.sandbox.download.addFile(name, await world.file(name, content));
  return `${world.sandbox.url}/download/${name}`;
}

describe('switches', () => {
  it('fail what they match, after and as often as told', async () => {
    const url = await served('a.mp4', 'abc');
    const other = await served('b.mp4', 'abc');
    const handle = world.sandbox.download.fail({
      match: { path: /a\.mp4/, method: 'GET' },
      with: 'server-error',
      times: 2,
      after: 1,
    });
    const statuses = [];
    for (let index = 0; index < 5; index += 1)
      statuses.push((await fetch(url)).status, (await fetch(other)).status);
    expect(statuses).toEqual([200, 200, 503, 200, 503, 200, 200, 200, 200, 200]);
    expect(handle.hits()).toBe(2);
  });

  it('can be turned off one by one or all at once', async () => {
    const url = await served('a.mp4', 'abc');
    const one = world.sandbox.download.fail({ with: 'throttle', times: 9 });
    world.sandbox.download.fail({ with: 'permission', times: 9 });
    expect((await fetch(url)).status).toBe(429);
    one.off();
    expect((await fetch(url)).status).toBe(403);
    world.sandbox.download.heal();
    expect((await fetch(url)).status).toBe(200);
  });

  it('say what they did in the record of requests', async () => {
    const url = await served('a.mp4', 'abc');
    for (const failure of ['disconnect', 'apply-and-lose-reply', 'truncate'] as const) {
      world.sandbox.download.fail({ with: failure });
      await expect(fetch(url).then((response) => response.text())).rejects.toThrow(/fetch failed|terminated/);
    }
    world.sandbox.download.fail({ with: 'timeout' });
    await expect(fetch(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/aborted/);
    await fetch(url);
    expect(world.sandbox.download.requests.map(({ outcome }) => outcome)).toEqual([
      'disconnected',
      'reply-lost',
      'truncated',
      'timed-out',
      200,
    ]);
  });
});

describe('downloads', () => {
  it.each([
    [undefined, 200, 'abcdefghij', null],
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=5-99', 206, 'fghij', 'bytes 5-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=5-4', 416, '', 'bytes */10'],
    ['lines=1-2', 200, 'abcdefghij', null],
  ])('range %s → %d', async (range, status, text, contentRange) => {
    const response = await fetch(await served('r.mp4', 'abcdefghij'), {
      headers: range === undefined ? {} : { range },
    });
    expect({
      status: response.status,
      text: await response.text(),
      range: response.headers.get('content-range'),
    }).toEqual({
      status,
      text,
      range: contentRange,
    });
  });

  it('redirect, ignore ranges, tell the length to HEAD, and serve empty files', async () => {
    const url = await served('h.mp4', 'abcdefghij');
    world.sandbox.download.addRedirect('r', url);
    expect(
      (await fetch(`${world.sandbox.url}/download/r`, { redirect: 'manual' })).headers.get('location'),
    ).toBe(url);
    expect((await fetch(url, { method: 'HEAD' })).headers.get('content-length')).toBe('10');
    world.sandbox.download.ignoreRanges('h.mp4');
    expect((await fetch(url, { headers: { range: 'bytes=2-' } })).status).toBe(200);
    expect(await (await fetch(await served('empty.mp4', ''))).text()).toBe('');
    expect((await fetch(`${world.sandbox.url}/download/none`)).status).toBe(404);
  });
});

describe('the server', () => {
  it('knows only its vendors', async () => {
    expect((await fetch(`${world.sandbox.url}/nobody/x`)).status).toBe(404);
  });

  it('answers a malformed request by closing the connection, and lives on', async () => {
    const { port } = new URL(world.sandbox.url);
    const broken = new Promise((resolve, reject) => {
      const request = httpRequest({
        port,
        path: '/rekognition/',
        method: 'POST',
        headers: { 'x-amz-target': 'RekognitionService.DetectLabels' },
      });
      request.on('error', resolve);
      request.on('response', reject);
      request.end('not json');
    });
    await expect(broken).resolves.toBeInstanceOf(Error);
    expect((await fetch(await served('a.mp4', 'abc'))).status).toBe(200);
  });

  it('says which port is taken, and closes with requests still open', async () => {
    const port = Number(new URL(world.sandbox.url).port);
    const options = { now: () => 0, random: () => 0 };
    await expect(startSandbox({ ...options, port })).rejects.toThrow('EADDRINUSE');
    const second = await startSandbox(options);
    second.download.fail({ with: 'timeout' });
    const hanging = fetch(`${second.url}/download/x`).catch((error: unknown) => error);
    while (second.download.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await second.close();
    expect(await hanging).toBeInstanceOf(TypeError);
  });

  it('names the variables that make functions talk to it', () => {
    expect(
      Object.values(world.sandbox.environment()).every((value) => value.startsWith(world.sandbox.url)),
    ).toBe(true);
  });
});
