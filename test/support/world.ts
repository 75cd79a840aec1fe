// How does a test get a whole Impresario under virtual time?
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateFfmpeg, type FfmpegLocation } from '../../lambdas/creative/media/ffmpeg.ts';
import { startWorld, type World, type WorldOptions } from '../../lib/laptop/world.ts';
import { makeSampleVideo } from '../../lib/sandbox/corpus/sample.ts';
import type { VideoTruth } from '../../lib/sandbox/truth.ts';
import { inject } from 'vitest';
import { testAssembly } from './assembly.ts';
import { noteUse } from './grant-use.ts';

export const START = Date.UTC(2026, 10, 20, 9, 0, 0);
export const MEDIA_BUCKET = 'impresario-dev-media-000000000000-us-east-1';
const CACHE = join(import.meta.dirname, '..', '..', '.impresario', 'fixtures');

/** Deployed, connected for tenant `demo`, nothing running. Close it in `afterAll`. */
export async function testWorld(options: Partial<WorldOptions> = {}): Promise<World> {
  const world = await startWorld({
    time: 'virtual',
    startAt: START,
    seed: 1,
    assembly: testAssembly(),
    ffmpeg: await testFfmpeg(),
    perception: true,
    ...options,
  });
  await world.connect('demo');
  const folder = inject('grantUse');
  return {
    ...world,
    async close() {
      if (folder !== undefined) noteUse(folder, world.cloud);
      await world.close();
    },
  };
}

export async function testFfmpeg(): Promise<FfmpegLocation> {
  const found = await locateFfmpeg();
  if (!found)
    throw new Error('The tests need ffmpeg: on Linux x64 npm installs it; elsewhere put it on PATH.');
  return found;
}

export interface SampleFile {
  path: string;
  sha256: string;
  truth: VideoTruth;
}

/** The demo's sample video, made once per machine. */
export async function sampleVideo(): Promise<SampleFile> {
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, 'sample.mp4');
  const notes = join(CACHE, 'sample.json');
  if (!existsSync(notes)) {
    const making = join(CACHE, `making-${process.pid}.mp4`);
    const truth = await makeSampleVideo({ path: making, ffmpegPath: (await testFfmpeg()).path });
    renameSync(making, path);
    writeFileSync(`${notes}.${process.pid}`, JSON.stringify(truth));
    renameSync(`${notes}.${process.pid}`, notes);
  }
  const truth = JSON.parse(readFileSync(notes, 'utf8')) as VideoTruth & { sha256: string };
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { path, sha256, truth };
}
