// What do the rendering tests render, and how do they look at the result?
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { fontPath } from '../../../lambdas/creative/media/fonts.ts';
import { readFont } from '../../../lambdas/creative/render/font.ts';
import type { Font } from '../../../lambdas/creative/render/font.ts';
import { RenderSpec } from '../../../lambdas/creative/render/render-spec.ts';
import type { Variation } from '../../../lambdas/creative/types.ts';

export const ffmpeg = openFfmpeg(process.env);
export const FONT_PATH = fontPath('black');
export const font: Font = readFont(await readFile(FONT_PATH));

/** A directory for one test file. */
export function workDirectory(): { path: (...parts: string[]) => string } {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'render-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return { path: (...parts) => join(directory, ...parts) };
}

const WIDTH = 320;
const HEIGHT = 180;
const SECONDS = 8;

/** Eight seconds that never repeat: moving colours, a tone that steps every second with pauses like speech. */
export async function makeSource(
  path: string,
  size = `${WIDTH}x${HEIGHT}`,
  seconds = SECONDS,
): Promise<string> {
  const speech = '0.3*sin(2*PI*t*(180+60*floor(t)))*lt(mod(t,0.5),0.35)';
  await ffmpeg.run([
    '-y',
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=${size}:r=30:d=${seconds}`,
    '-f',
    'lavfi',
    '-i',
    `aevalsrc=exprs='${speech}':s=48000:d=${seconds}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '30',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-shortest',
    path,
  ]);
  return path;
}

export const variation: Variation = {
  id: 'v-0123456789ab',
  title: 'Sample',
  hook: { type: 'question', text: 'Still editing ads by hand?' },
  template: 'hook_problem_solution',
  shots: [
    {
      sceneId: 's01',
      startMs: 0,
      endMs: 1400,
      role: 'hook',
      textOverlay: 'Still editing ads by hand?',
      transition: 'cut',
    },
    {
      sceneId: 's02',
      startMs: 2000,
      endMs: 3400,
      role: 'problem',
      textOverlay: 'Hours lost every week',
      transition: 'fade',
    },
    {
      sceneId: 's03',
      startMs: 5000,
      endMs: 6800,
      role: 'cta',
      textOverlay: 'Let the machine cut them',
      transition: 'cut',
    },
  ],
  callToAction: { type: 'learn_more', text: 'Learn more' },
  captionStyle: 'bold',
  grade: 'neutral',
  pace: 'steady',
  primaryText: '',
  headline: '',
  hashtags: [],
  targetAudience: '',
  emotionalTriggers: [],
};

/** A small spec; `change` edits the variation, `rest` the spec around it. */
export function sampleSpec(change: Partial<Variation> = {}, rest: Record<string, unknown> = {}): RenderSpec {
  const planned = { ...variation, ...change };
  return RenderSpec.parse({
    variation: planned,
    source: {
      key: 't/sources/x',
      sha256: 'a'.repeat(64),
      width: WIDTH,
      height: HEIGHT,
      durationMs: SECONDS * 1000,
      frameRate: 30,
      hasAudio: true,
    },
    shots: planned.shots.map(() => ({ focus: [{ atMs: 0, x: 0.5, y: 0.5 }], words: null })),
    formats: ['1:1'],
    preset: 'draft',
    music: null,
    seed: 1,
    ...rest,
  });
}

/** Runs a filter graph on lavfi inputs and returns raw frames of `pixels` bytes each. */
export async function frames(
  inputs: readonly string[],
  graph: string,
  options: { pix?: string; extra?: string[] } = {},
): Promise<Buffer> {
  const sources = inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]);
  const { stdout } = await ffmpeg.run(
    [
      ...sources,
      '-filter_complex',
      graph,
      '-map',
      '[out]',
      ...(options.extra ?? []),
      '-f',
      'rawvideo',
      '-pix_fmt',
      options.pix ?? 'gray',
      '-',
    ],
    { maxOutputBytes: 256 * 1024 * 1024 },
  );
  return stdout;
}

/** Mono 32-bit float samples at 48 kHz of a filter graph's `[out]`. */
export async function samples(inputs: readonly string[], graph: string): Promise<Float32Array> {
  const sources = inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]);
  const { stdout } = await ffmpeg.run([
    ...sources,
    '-filter_complex',
    graph,
    '-map',
    '[out]',
    '-f',
    'f32le',
    '-ac',
    '1',
    '-ar',
    '48000',
    '-',
  ]);
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
}

/** Root mean square between two moments. */
export function rms(signal: Float32Array, fromSeconds: number, toSeconds: number): number {
  const part = signal.subarray(Math.round(fromSeconds * 48_000), Math.round(toSeconds * 48_000));
  return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
}

/** Mean of a rectangle of one 8-bit plane. */
export function mean(
  frame: Uint8Array,
  width: number,
  area: { x: number; y: number; width: number; height: number },
): number {
  let sum = 0;
  for (let y = area.y; y < area.y + area.height; y++)
    for (let x = area.x; x < area.x + area.width; x++) sum += frame[y * width + x] ?? 0;
  return sum / (area.width * area.height);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
