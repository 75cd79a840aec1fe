// Do the measured features say what is seen and heard?
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchVideo } from '../../../lambdas/creative/media/detect-scenes.ts';
import { measureScene, sharpness } from '../../../lambdas/creative/media/features.ts';
import { openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { integratedLufs } from '../../../lambdas/creative/media/loudness.ts';
import type { MeasuredScene } from '../../../lambdas/creative/media/measure.ts';
import { measureScenes } from '../../../lambdas/creative/media/measure.ts';

const ffmpeg = openFfmpeg(process.env);
const SCENES = [
  { id: 's01', startMs: 0, endMs: 2000 },
  { id: 's02', startMs: 2000, endMs: 4000 },
  { id: 's03', startMs: 4000, endMs: 6000 },
];
let dir = '';
let path = '';
let measured: MeasuredScene[] = [];

/** Two seconds each: dark, still and silent; a bright grey with a box moving at the right and a tone; loud test bars. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'features-'));
  path = join(dir, 'three.mp4');
  const size = 's=640x360:r=25';
  const graph = [
    `color=c=0x101010:${size}:d=2[a]`,
    `color=c=0xC0C0C0:${size}:d=2[b0]`,
    `color=c=0x202020:s=100x100:r=25:d=2[b1]`,
    `[b0][b1]overlay=x=500:y='120+100*sin(t*12)',fps=25[b]`,
    `testsrc2=${size}:d=2[c]`,
    `[a][b][c]concat=n=3,format=yuv420p[v]`,
    `anullsrc=r=48000:cl=stereo,atrim=duration=2[x]`,
    `sine=f=997:r=48000:d=2,volume=-8dB,aformat=channel_layouts=stereo[y]`,
    `anoisesrc=r=48000:d=2:a=0.5:seed=7,aformat=channel_layouts=stereo[z]`,
    `[x][y][z]concat=n=3:v=0:a=1[s]`,
  ];
  await ffmpeg.run([
    '-v',
    'error',
    '-y',
    '-filter_complex',
    graph.join(';'),
    '-map',
    '[v]',
    '-map',
    '[s]',
    path,
  ]);
  const signal = await watchVideo(ffmpeg, path, { hasAudio: true });
  measured = await measureScenes(ffmpeg, path, SCENES, signal, { dir });
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const scene = (at: number): MeasuredScene => {
  const found = measured[at];
  if (found === undefined) throw new Error(`Scene ${at} was not measured.`);
  return found;
};

describe('measured features', () => {
  it('tell dark from bright, flat from contrasty, grey from colourful', () => {
    expect(scene(0).brightness).toBeCloseTo(16 / 255, 1);
    expect(scene(1).brightness).toBeGreaterThan(0.6);
    expect(scene(0).contrast).toBeLessThan(0.02);
    expect(scene(2).contrast).toBeGreaterThan(scene(1).contrast);
    expect(scene(1).saturation).toBeLessThan(0.05);
    expect(scene(2).saturation).toBeGreaterThan(0.2);
  });

  it('tell still from moving, and do not count the cut as movement', () => {
    expect(scene(0).motion).toBeLessThan(0.005);
    expect(scene(1).motion).toBeGreaterThan(0.02);
    expect(scene(0).focus).toEqual({ x: 0.5, y: 0.5 });
    expect(scene(1).focus.x).toBeCloseTo(550 / 640, 1);
  });

  it('tell sharp from flat', () => {
    expect(scene(0).sharpness).toBeLessThan(0.01);
    expect(scene(2).sharpness).toBe(1);
  });

  it('tell silence from sound', () => {
    expect(scene(0).silenceRatio).toBe(1);
    expect(scene(0).loudnessLufs).toBe(-70);
    expect(scene(1).silenceRatio).toBeLessThan(0.1);
    expect(scene(2).loudnessLufs as number).toBeGreaterThan(scene(1).loudnessLufs as number);
  });

  it('agree with the EBU R128 scanner of ffmpeg to 0.2 LU', async () => {
    const signal = await watchVideo(ffmpeg, path, { hasAudio: true });
    const { stderr } = await ffmpeg.run([
      '-v',
      'info',
      '-i',
      path,
      '-map',
      '0:a',
      '-af',
      'ebur128',
      '-f',
      'null',
      '-',
    ]);
    const theirs = Number(/Integrated loudness:\s+I:\s+(-?[\d.]+) LUFS/.exec(stderr)?.[1]);
    if (signal.audio === null) throw new Error('The sound was not heard.');
    expect(Math.abs(integratedLufs(signal.audio, 0, 60) - theirs)).toBeLessThanOrEqual(0.2);
  });

  it('are null without audio', async () => {
    const mute = await watchVideo(ffmpeg, path, { hasAudio: false });
    const features = measureScene(mute, { startMs: 0, endMs: 2000 });
    expect([features.loudnessLufs, features.silenceRatio]).toEqual([null, null]);
  });

  it('come with the middle frame as a JPEG', async () => {
    for (const at of [0, 1, 2]) {
      const file = await readFile(scene(at).framePath);
      expect(file.subarray(0, 3).toString('hex')).toBe('ffd8ff');
      expect(Math.abs(scene(at).frameMs - (1000 + 2000 * at))).toBeLessThanOrEqual(40);
    }
  });
});

describe('sharpness', () => {
  it('is zero for a flat picture and falls when a picture is blurred', () => {
    const flat = new Uint8Array(400).fill(90);
    expect(sharpness(flat, 20, 20)).toBe(0);
    const ramp = Uint8Array.from({ length: 400 }, (_, i) => (i % 20) * 12);
    const edge = Uint8Array.from({ length: 400 }, (_, i) => (i % 20 < 10 ? 100 : 140));
    expect(sharpness(ramp, 20, 20)).toBe(0);
    expect(sharpness(edge, 20, 20)).toBeGreaterThan(0.5);
  });
});
