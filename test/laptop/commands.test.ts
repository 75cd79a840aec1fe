import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemblyOfToday, makeAssembly } from '../../lib/laptop/assembly.ts';
import { CACHE_DIR } from '../../lib/laptop/laptop.ts';
import { readServing } from '../../lib/laptop/serving.ts';
import { command, ROOT, type Said } from './console.ts';

const folder = mkdtempSync(join(tmpdir(), 'impresario-'));
/** Own addresses, the shared synthesis. */
const cacheDir = join(folder, 'cache');

beforeAll(async () => {
  const { directory, isCurrent } = assemblyOfToday(CACHE_DIR);
  if (!isCurrent) await makeAssembly(directory);
  mkdirSync(cacheDir);
  symlinkSync(join(CACHE_DIR, 'cdk.out'), join(cacheDir, 'cdk.out'));
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('run --json', () => {
  it('writes one line, and exits 1 for an execution that failed', { timeout: 240_000 }, async () => {
    const args = [
      'bin/local.ts',
      'run',
      'creative-generation',
      'events/creative-generation/failing.json',
      '--json',
    ];
    const said = await new Promise<Said>((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT }, (error, out, err) =>
        resolve({ exitCode: error === null ? 0 : Number(error.code), out, err }),
      );
    });
    expect(said.exitCode).toBe(1);
    expect(said.out.match(/\n/g)).toHaveLength(1);
    const line = JSON.parse(said.out) as { states: Record<string, unknown>[] };
    expect(Object.keys(line)).toEqual(['executionArn', 'status', 'output', 'error', 'states']);
    expect(line).toMatchObject({
      executionArn: expect.stringMatching(/^arn:aws:states:.*:run-00000000000000000000000003$/) as string,
      status: 'FAILED',
      output: null,
      error: { name: 'InvalidInput', cause: 'This is not a video file, or it is damaged beyond reading.' },
    });
    expect(line.states.map(({ name, status }) => `${String(name)} ${String(status)}`)).toEqual([
      'Begin SUCCEEDED',
      'IngestVideo SUCCEEDED',
      'CheckVideo CAUGHT',
      'DiscardVideo SUCCEEDED',
      'Failed FAILED',
    ]);
    for (const state of line.states)
      expect(Object.keys(state)).toEqual(['name', 'status', 'startedAt', 'durationMs', 'attempts']);
    expect(said.err).toContain('IngestVideo');
  });

  it('names the state machines there are', { timeout: 60_000 }, async () => {
    const input = join(ROOT, 'events/creative-generation/failing.json');
    const { exitCode, err } = await command(['run', 'creative-degeneration', input], { cacheDir });
    expect(exitCode).toBe(1);
    expect(err).toContain('There is no state machine creative-degeneration. There are: ');
    expect(err).toContain('creative-generation');
  });
});

describe('demo', () => {
  it(
    'ends a broken video with one sentence a person understands and exit code 1',
    { timeout: 60_000 },
    async () => {
      const video = join(folder, 'broken.mp4');
      writeFileSync(video, Buffer.alloc(20_000, 'no video at all '));
      const { exitCode, out } = await command(['demo', video, '--exit'], { cacheDir });
      expect(exitCode).toBe(1);
      expect(out.trimEnd().split('\n').at(-1)).toBe(
        'This is not a video file, or it is damaged beyond reading.',
      );
      expect(out).not.toContain('Battle plan');
    },
  );

  it('without any ffmpeg says how to get one, shows the rest and exits 0', { timeout: 60_000 }, async () => {
    const { exitCode, out } = await command(['demo', '--exit'], { cacheDir, findFfmpeg: async () => null });
    expect(exitCode).toBe(0);
    expect(out).toContain('ffmpeg was not found');
    expect(out).toContain('apt-get install ffmpeg');
    expect(out).toContain('✓ Starting the embedded cloud and deploying into it');
    expect(out).toMatch(/– model/);
  });
});

describe('serve', () => {
  it(
    'answers, signs tokens for its owner only, restarts runs, and takes its address back',
    { timeout: 120_000 },
    async () => {
      const interruption = new AbortController();
      const options = { cacheDir, findFfmpeg: async () => null, signal: interruption.signal };
      let tell = (): void => undefined;
      const isServing = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const served = command(['serve', '--json'], { ...options, writeOut: () => tell() });
      await isServing;
      const file = join(cacheDir, 'serving.json');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { apiUrl, awsEndpoint, tokenUrl } = readServing(cacheDir)!;

      const { out: token } = await command(['token', '--tenant', 'demo', '--role', 'admin'], { cacheDir });
      const headers = { authorization: `Bearer ${token.trim()}` };
      expect((await fetch(`${apiUrl}/v1/executions`, { headers })).status).toBe(200);
      expect((await fetch(`${apiUrl}/v1/executions`)).status).toBe(401);
      expect(
        (await fetch(tokenUrl, { method: 'POST', body: '{"tenant":"demo","role":"admin"}' })).status,
      ).toBe(403);
      expect(readFileSync(file, 'utf8')).toContain(awsEndpoint);

      const unknown = await command(['redrive', '--run', 'run-00000000000000000000000009'], { cacheDir });
      expect(unknown).toMatchObject({
        exitCode: 1,
        err: 'There is no run run-00000000000000000000000009.\n',
      });
      const empty = await command(['redrive', '--queue', 'creative-dead-letters', '--json'], { cacheDir });
      expect(empty.exitCode).toBe(0);
      expect(JSON.parse(empty.out)).toMatchObject({ redriven: [], left: [] });

      const letter = (run: string, state: string, error: string) => ({
        kind: 'run',
        stateMachine: 'creative-generation',
        run: { id: run, tenant: 'demo' },
        error,
        state,
        executionArn: `arn:aws:states:us-east-1:000000000000:execution:impresario-dev-creative-generation:${run}`,
      });
      const [wanted, other] = ['run-0000000000000000000000000a', 'run-0000000000000000000000000b'];
      const sqs = new SQSClient({
        endpoint: awsEndpoint,
        region: 'us-east-1',
        credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      });
      for (const body of [
        letter(wanted, 'PublishAds', 'Unavailable'),
        letter(other, 'PublishAds', 'RateLimited'),
        letter(other, 'IngestVideo', 'Unavailable'),
      ])
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: `${awsEndpoint}/000000000000/impresario-dev-creative-dead-letters`,
            MessageBody: JSON.stringify(body),
          }),
        );
      sqs.destroy();
      const filters = ['--error', 'Unavailable', '--state', 'PublishAds', '--machine', 'creative-generation'];
      const filtered = await command(['redrive', ...filters, '--json'], { cacheDir });
      expect(filtered.exitCode).toBe(1);
      expect(JSON.parse(filtered.out)).toEqual({
        redriven: [],
        outdated: 0,
        left: [{ runId: wanted, reason: `There is no run ${wanted}.` }],
        moving: false,
      });
      const none = await command(['redrive', '--tenant', 'nobody'], { cacheDir });
      expect(none).toMatchObject({
        exitCode: 0,
        out: 'creative-dead-letters, changes-dead-letters: nothing matches.\n',
      });

      interruption.abort(new Error('Interrupted.'));
      expect((await served).exitCode).toBe(0);
      expect(existsSync(file)).toBe(false);
      await expect(fetch(`${apiUrl}/health`)).rejects.toThrow('fetch failed');
    },
  );
});
