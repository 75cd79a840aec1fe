// What do the tests of ports and sandbox stand on?
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startSandbox, type Sandbox } from '../../lib/sandbox/sandbox.ts';

export const AWS_TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface World {
  sandbox: Sandbox;
  /** Moves the sandbox's time. */
  advance(ms: number): void;
  clock: { now(): number };
  /** Objects that Transcribe wrote, by `bucket/key`. */
  written: Map<string, Buffer>;
  /** Writes a file that lives as long as the suite. */
  file(name: string, content: Uint8Array | string): Promise<string>;
}

const START_MS = Date.UTC(2026, 10, 20, 12);

/** One sandbox per suite, cleaned after each test. */
export function useWorld(): World {
  let nowMs = START_MS;
  let folder = '';
  const written = new Map<string, Buffer>();
  const world = {
    written,
    advance(ms: number) {
      nowMs += ms;
    },
    clock: { now: () => nowMs },
    async file(name: string, content: Uint8Array | string) {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
  } as World;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
    world.sandbox = await startSandbox({
      now: () => nowMs,
      random: () => 0.5,
      elapse: (ms) => world.advance(ms),
      async putObject(bucket, key, body) {
        written.set(`${bucket}/${key}`, body);
      },
    });
  });
  afterEach(() => {
    world.sandbox.reset();
    written.clear();
    nowMs = START_MS;
  });
  afterAll(async () => {
    await world.sandbox.close();
    await rm(folder, { recursive: true });
  });
  return world;
}

/** The error a promise ends with; fails when it ends well. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<Error & { vendorCode?: string; retryAt?: number }> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('It should have failed.');
  return outcome;
}
