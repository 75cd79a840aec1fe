import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { examine } from '../../lib/laptop/doctor.ts';
import { vendorsFrom } from '../../lib/laptop/vendors.ts';
import { command } from './console.ts';

const none = async (): Promise<null> => null;
const found = async () => ({ path: '/usr/bin/ffmpeg', source: 'PATH' as const, version: '7.1' });

describe('doctor', () => {
  it('says what a missing ffmpeg turns off and how to install it, and exits 0', async () => {
    const { exitCode, out } = await command(['doctor'], { findFfmpeg: none });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/– ffmpeg +not found: apt-get install ffmpeg/);
    expect(out).toMatch(/without it: .*rendering/);
  });

  it('says which ffmpeg is used', async () => {
    const [, ffmpeg] = await examine({ env: {}, findFfmpeg: found });
    expect(ffmpeg).toEqual({
      part: 'ffmpeg',
      present: true,
      detail: '7.1, on PATH: /usr/bin/ffmpeg',
      turnsOff: '',
    });
  });

  it('reports one that does not start as missing', async () => {
    const [, ffmpeg] = await examine({
      env: {},
      findFfmpeg: () => Promise.reject(new Error('It is a text file.')),
    });
    expect(ffmpeg).toMatchObject({ present: false, detail: 'It is a text file.' });
  });

  it('sees credentials without ever showing one', async () => {
    const env = {
      MODEL_BASE_URL: 'https://models.example/v1?key=hidden-a',
      MODEL_NAME: 'm',
      MODEL_API_KEY: 'hidden-b',
      AWS_ACCESS_KEY_ID: 'hidden-c',
    };
    const { out } = await command(['doctor', '--json'], { env, findFfmpeg: found });
    const { findings } = JSON.parse(out) as {
      findings: { part: string; present: boolean; detail: string }[];
    };
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(findings.find(({ part }) => part === 'model')).toMatchObject({
      present: true,
      detail: 'OpenAI-compatible endpoint models.example, key set',
    });
    expect(findings.find(({ part }) => part === 'aws credentials')?.present).toBe(true);
    expect(out).not.toContain('hidden');
  });

  it('tells whether a port is free', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const busy = await examine({ env: {}, findFfmpeg: found, apiPort: port });
    expect(busy.find(({ part }) => part === 'api port')).toMatchObject({
      present: false,
      detail: `${port} is in use`,
    });
    await new Promise((resolve) => server.close(resolve));
    const free = await examine({ env: {}, findFfmpeg: found, apiPort: port });
    expect(free.find(({ part }) => part === 'api port')).toMatchObject({ present: true });
  });
});

describe('vendors of a laptop', () => {
  it('are none unless both an address and a model are named', () => {
    expect(vendorsFrom({ MODEL_BASE_URL: 'http://x' })).toEqual({
      environment: {},
      secrets: {},
      model: false,
      speech: false,
    });
    expect(vendorsFrom({ SPEECH_BASE_URL: 'http://x', SPEECH_API_KEY: 'k' })).toMatchObject({
      environment: { SPEECH_PROVIDER: 'openai', SPEECH_BASE_URL: 'http://x' },
      secrets: { 'impresario/platform/speech': 'k' },
      speech: true,
    });
  });
});
