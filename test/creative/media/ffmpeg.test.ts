// Is ffmpeg found, bounded and stopped?
import { describe, expect, it } from 'vitest';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { locateFfmpeg, openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { fontPath } from '../../../lambdas/creative/media/fonts.ts';

const ffmpeg = openFfmpeg(process.env);
const endless = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=30', '-f', 'null', '-'];

describe('locateFfmpeg', () => {
  it('prefers FFMPEG_PATH, and says which version it is', async () => {
    const { path } = await ffmpeg.locate();
    const found = await locateFfmpeg({ FFMPEG_PATH: path, PATH: '' });
    expect(found).toMatchObject({
      path,
      source: 'FFMPEG_PATH',
      version: expect.stringMatching(/\d/) as string,
    });
  });

  it('does not silently use another program than FFMPEG_PATH names', async () => {
    await expect(locateFfmpeg({ FFMPEG_PATH: '/nowhere/ffmpeg' })).rejects.toMatchObject({
      name: 'Unavailable',
    });
  });
});

describe('a run', () => {
  it('is stopped when it takes too long', async () => {
    await expect(ffmpeg.run(endless, { timeoutMs: 300 })).rejects.toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('more than') as string,
    });
  });

  it('is stopped when it is cancelled', async () => {
    const controller = new AbortController();
    const run = ffmpeg.run(endless, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(run).rejects.toMatchObject({
      name: 'Unavailable',
      message: expect.stringContaining('cancelled') as string,
    });
  });

  it('is stopped when it writes too much', async () => {
    const raw = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=640x360', '-f', 'rawvideo', 'pipe:1'];
    await expect(ffmpeg.run(raw, { maxOutputBytes: 1_000_000 })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });

  it('ends with the error of what reads it', async () => {
    const run = ffmpeg.run(['-f', 'lavfi', '-i', 'testsrc2=d=1', '-f', 'rawvideo', 'pipe:1'], {
      onOutput: () => {
        throw new RangeError('enough');
      },
    });
    await expect(run).rejects.toThrow(RangeError);
  });

  it('quotes ffmpeg when it fails', async () => {
    const run = ffmpeg.run(['-v', 'error', '-i', '/nowhere/missing.mp4', '-f', 'null', '-']);
    await expect(run).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('No such file') as string,
    });
  });

  it('opens nothing over the network', async () => {
    let connections = 0;
    const server = createServer(() => connections++).on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const run = ffmpeg.run(['-v', 'error', '-i', `http://127.0.0.1:${port}/x.mp4`, '-f', 'null', '-']);
    await expect(run).rejects.toMatchObject({ name: 'InvalidInput' });
    await new Promise((resolve) => server.close(resolve));
    expect(connections).toBe(0);
  });

  it('tells its progress', async () => {
    const seen: number[] = [];
    await ffmpeg.run(['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=d=2:s=64x64', '-f', 'null', '-'], {
      onProgress: ({ outTimeMs, done }) => seen.push(done ? 100 : outTimeMs),
    });
    expect(seen.at(-1)).toBe(100);
    expect(seen.length).toBeGreaterThan(1);
  });

  it('starts with the program that is there or says how to get one', async () => {
    await expect(openFfmpeg({ FFMPEG_PATH: '/nowhere/ffmpeg' }).run(['-version'])).rejects.toMatchObject({
      name: 'Unavailable',
    });
  });
});

describe('fontPath', () => {
  it.each(['regular', 'semibold', 'bold', 'black'] as const)('names an existing file for %s', (weight) => {
    expect(existsSync(fontPath(weight, {}))).toBe(true);
  });
});
