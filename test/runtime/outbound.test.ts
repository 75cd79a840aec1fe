// Can a user's URL reach anything but the public internet?
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../lambdas/runtime/addresses.ts';
import { openOutbound, outboundNeed, type Resolve } from '../../lambdas/runtime/outbound.ts';

let server: Server;
let port: number;
const requests: { url: string; range: string | undefined }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', range: request.headers.range });
    const to = new URL(request.url ?? '', 'http://x').searchParams.get('to');
    if (to !== null) return response.writeHead(302, { location: to }).end();
    if (request.url === '/silent') return undefined;
    return response.writeHead(200, { 'content-type': 'video/mp4' }).end('bytes');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const resolving =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
const refusal = (message: string) => ({
  name: 'InvalidInput',
  path: 'url',
  message: expect.stringContaining(message),
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.127.255.255',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '192.0.0.192',
    '::1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:1::1',
    '2001:db8::1',
    '3fff::1',
    '::127.0.0.1',
    'localhost',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it('no private IPv4 address is public in any IPv6 disguise', () => {
    fc.assert(
      fc.property(fc.constantFrom('127', '10'), fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c, d) => {
        const dotted = `${a}.${b}.${c}.${d}`;
        for (const disguise of [dotted, `::ffff:${dotted}`, `::${dotted}`, `64:ff9b::${dotted}`])
          expect(isPublicAddress(disguise)).toBe(false);
      }),
    );
  });
});

describe('URLs that are refused before any connection', () => {
  const open = (url: string, resolve = resolving('93.184.216.34')) => openOutbound({ resolve }).open(url);

  it.each([
    ['not a url', 'is not a URL'],
    ['http://example.com/', 'not an https'],
    ['file:///etc/passwd', 'not an https'],
    ['https://user:pw@example.com/', 'user name'],
    ['https://example.com:8443/', 'port other than 443'],
    ['https://127.0.0.1/', 'private network'],
    ['https://2130706433/', 'private network'],
    ['https://0x7f.1/', 'private network'],
    ['https://017700000001/', 'private network'],
    ['https://[::1]/', 'private network'],
    ['https://[::ffff:169.254.169.254]/', 'private network'],
  ])('%s', async (url, message) => {
    await expect(open(url)).rejects.toMatchObject(refusal(message));
  });

  it('a host with one private address among public ones', async () => {
    await expect(open('https://example.com/', resolving('93.184.216.34', '10.0.0.1'))).rejects.toMatchObject(
      refusal('private network'),
    );
    await expect(open('https://example.com/', resolving())).rejects.toMatchObject(
      refusal('without an address'),
    );
  });

  it('everything on loopback, unless the embedded cloud allowed exactly that host and port', async () => {
    const url = `http://localhost:${port}/`;
    await expect(openOutbound().open(url)).rejects.toMatchObject({ name: 'InvalidInput' });
    await expect(openOutbound({ allowHosts: [`localhost:${port + 1}`] }).open(url)).rejects.toMatchObject({
      name: 'InvalidInput',
    });
    expect(requests).toEqual([]);
  });
});

describe('fetching', () => {
  const allowed = () =>
    openOutbound({ resolve: resolving('127.0.0.1'), allowHosts: [`media.test:${port}`], timeoutMs: 200 });

  it('connects to the address that was checked, whatever the name means elsewhere', async () => {
    const answer = await allowed().open(`http://media.test:${port}/video`, {
      headers: { range: 'bytes=0-9' },
    });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'video/mp4']);
    expect(Buffer.concat(await answer.body.toArray()).toString()).toBe('bytes');
    expect(requests.at(-1)).toEqual({ url: '/video', range: 'bytes=0-9' });
  });

  it('follows redirects to allowed places and checks each one again', async () => {
    const base = `http://media.test:${port}`;
    const followed = await allowed().open(`${base}/?to=/end`);
    expect(followed).toMatchObject({ status: 200, url: `${base}/end` });
    followed.body.resume();
    for (const to of [
      'https://169.254.169.254/latest/meta-data',
      `http://127.0.0.1:${port}/`,
      'file:///etc/passwd',
    ]) {
      await expect(allowed().open(`${base}/?to=${encodeURIComponent(to)}`)).rejects.toMatchObject({
        name: 'InvalidInput',
      });
    }
  });

  it('gives up after five redirects', async () => {
    const base = `http://media.test:${port}`;
    const chain = (hops: number): string =>
      hops === 0 ? '/end' : `/?to=${encodeURIComponent(chain(hops - 1))}`;
    const reached = await allowed().open(`${base}${chain(5)}`);
    expect(reached.url).toBe(`${base}/end`);
    reached.body.resume();
    await expect(allowed().open(`${base}${chain(6)}`)).rejects.toMatchObject(refusal('more than five'));
  });

  it('is Unavailable when nobody answers', async () => {
    await expect(allowed().open(`http://media.test:${port}/silent`)).rejects.toMatchObject({
      name: 'Unavailable',
      vendorCode: 'timeout',
    });
    const gone = openOutbound({ resolve: resolving('127.0.0.1'), allowHosts: ['media.test:1'] });
    await expect(gone.open('http://media.test:1/')).rejects.toMatchObject({
      name: 'Unavailable',
      vendorCode: 'ECONNREFUSED',
    });
  });

  it('opens the allow-list from its variable only', async () => {
    const outbound = outboundNeed.open(
      { OUTBOUND_ALLOW_HOSTS: `127.0.0.1:${port},x:1` },
      { clock: { now: () => 0 } },
    );
    const answer = await outbound.open(`http://127.0.0.1:${port}/v`);
    answer.body.resume();
    expect(answer.status).toBe(200);
    expect(outboundNeed.env).toEqual({});
  });
});
