// Do the bytes of a video arrive whole, whatever the server does on the way?
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchDriveFile, fetchUrl } from '../../lambdas/creative/fetch-source.ts';
import { createGoogleDrive } from '../../lambdas/ports/drive/google.ts';
import { GoogleCredential } from '../../lambdas/ports/drive/google-token.ts';
import type { Drive } from '../../lambdas/ports/drive/drive.ts';
import { openOutbound } from '../../lambdas/runtime/outbound.ts';
import { driveSecret } from '../../lib/sandbox/drive/drive.ts';
import type { Failure } from '../../lib/sandbox/switches.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();
const content = randomBytes(200_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const nothing = (): void => undefined;

const outbound = (
  url: string,
  resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 as const }]),
) => openOutbound({ allowHosts: [new URL(url).host], resolve, timeoutMs: 500 });
async function offer(name: string): Promise<string> {
  await rig.sandbox.download.addFile(name, await rig.file(name, content));
  return `${rig.sandbox.url}/download/${name}`;
}
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/video`;
}
async function get(url: string, resolve?: Parameters<typeof outbound>[1]): Promise<Buffer> {
  const path = await rig.file('arrived');
  const fetched = await fetchUrl(outbound(url, resolve), url, path, nothing);
  const bytes = await readFile(path);
  expect(fetched).toEqual({
    sha256: createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
  });
  return bytes;
}

describe('a file at a URL', () => {
  it('arrives, saying how far it is', async () => {
    const url = await offer('plain.mp4');
    const seen: [number, number | null][] = [];
    await fetchUrl(
      outbound(url),
      url,
      await rig.file('arrived'),
      (done, total) => void seen.push([done, total]),
    );
    expect(seen.at(-1)).toEqual([content.length, content.length]);
  });

  it('goes on where a broken transfer stopped', async () => {
    const url = await offer('cut.mp4');
    const cut = rig.sandbox.download.fail({ match: { method: 'GET' }, with: 'truncate', times: 2 });
    expect((await get(url)).equals(content)).toBe(true);
    expect(cut.hits()).toBe(2);
  });

  it('begins anew where the server knows no ranges', async () => {
    const url = await offer('rangeless.mp4');
    rig.sandbox.download.ignoreRanges('rangeless.mp4');
    rig.sandbox.download.fail({ match: { method: 'GET' }, with: 'truncate' });
    expect((await get(url)).equals(content)).toBe(true);
  });

  it('is not mixed up by a server that sends another part than the one asked for', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      response.setHeader('content-length', content.length);
      if (request.method === 'HEAD') return void response.end();
      asked += 1;
      if (request.headers.range === undefined)
        return void response.write(content.subarray(0, 1000), () => response.destroy());
      response.writeHead(206, { 'content-range': `bytes 0-${content.length - 1}/${content.length}` });
      response.end(content);
    });
    await expect(get(url)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(asked).toBe(6);
  });

  it('gives up a transfer that breaks off again and again', async () => {
    const url = await offer('never.mp4');
    const cut = rig.sandbox.download.fail({ match: { method: 'GET' }, with: 'disconnect', times: 99 });
    await expect(get(url)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(cut.hits()).toBe(6);
  });

  it('is refused when it is larger than we take, before a byte of it is read', async () => {
    let read = 0;
    const url = await serve((request, response) => {
      read += Number(request.method === 'GET');
      response.setHeader('content-length', 3 * 1024 ** 3);
      response.end();
    });
    await expect(get(url)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(/2 GiB/) as string,
    });
    expect(read).toBe(0);
  });

  it.each([
    ['10.0.0.1', 4],
    ['169.254.169.254', 4],
    ['::1', 6],
  ] as const)('is refused when a redirect leads to a host at %s', async (address, family) => {
    await offer('hop.mp4');
    rig.sandbox.download.addRedirect('hop', 'https://inside.example/video.mp4');
    const resolve = () => Promise.resolve([{ address, family }]);
    const url = `${rig.sandbox.url}/download/hop`;
    await expect(
      fetchUrl(
        openOutbound({ allowHosts: [new URL(url).host], resolve }),
        url,
        await rig.file('arrived'),
        nothing,
      ),
    ).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(/private network/) as string,
    });
  });

  it.each<[Failure, string]>([
    ['refuse', 'Refused'],
    ['permission', 'Refused'],
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
  ])('that met %s is %s', async (failure, name) => {
    const url = await offer('fails.mp4');
    rig.sandbox.download.fail({ with: failure, times: 99 });
    await expect(get(url)).rejects.toMatchObject({ name });
  });
});

describe('a file in Drive', () => {
  const drive = (): Drive =>
    createGoogleDrive({
      fetch,
      clock: rig.clock,
      baseUrl: `${rig.sandbox.url}/drive`,
      credential: GoogleCredential.parse(driveSecret(rig.sandbox.url)),
      timeoutMs: 500,
      idleTimeoutMs: 500,
    });
  async function share(id: string): Promise<void> {
    await rig.sandbox.drive.addFile(id, await rig.file(id, content), {
      name: 'clip.mp4',
      folderId: 'folder',
    });
  }

  it('arrives with Drive’s checksum, also when the transfer breaks off', async () => {
    await share('f1');
    const path = await rig.file('arrived');
    rig.sandbox.drive.fail({ match: { method: 'GET', path: /f1/ }, with: 'truncate', after: 1 });
    expect(await fetchDriveFile(drive(), 'f1', path, nothing)).toEqual({ sha256, sizeBytes: content.length });
    expect((await readFile(path)).equals(content)).toBe(true);
  });

  it('is fetched again when its checksum is another', async () => {
    await share('f2');
    const real = drive();
    const lying: Drive = {
      ...real,
      file: async (id) => ({ ...(await real.file(id)), sha256: 'ab'.repeat(32) }),
    };
    await expect(fetchDriveFile(lying, 'f2', await rig.file('arrived'), nothing)).rejects.toMatchObject({
      name: 'Unavailable',
      message: expect.stringMatching(/checksum/) as string,
    });
  });

  it('is refused when it has no bytes or too many', async () => {
    await share('f3');
    const real = drive();
    for (const sizeBytes of [null, 3 * 1024 ** 3]) {
      const other: Drive = { ...real, file: async (id) => ({ ...(await real.file(id)), sizeBytes }) };
      await expect(fetchDriveFile(other, 'f3', await rig.file('arrived'), nothing)).rejects.toMatchObject({
        name: 'InvalidInput',
      });
    }
  });

  it.each<[Failure, string]>([
    ['expired-token', 'Refused'],
    ['permission', 'Refused'],
    ['refuse', 'Refused'],
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
    ['timeout', 'Unavailable'],
  ])('that met %s is %s', async (failure, name) => {
    await share('f4');
    rig.sandbox.drive.fail({ match: { path: /files/ }, with: failure, times: 99 });
    await expect(fetchDriveFile(drive(), 'f4', await rig.file('arrived'), nothing)).rejects.toMatchObject({
      name,
    });
  });
});
