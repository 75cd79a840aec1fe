// Does the sample video show what its truth says?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DetectedScenes } from '../../../lambdas/creative/media/detect-scenes.ts';
import { detectScenes } from '../../../lambdas/creative/media/detect-scenes.ts';
import { openFfmpeg } from '../../../lambdas/creative/media/ffmpeg.ts';
import { measureScene } from '../../../lambdas/creative/media/features.ts';
import type { ProbedVideo } from '../../../lambdas/creative/media/probe.ts';
import { probeVideo } from '../../../lambdas/creative/media/probe.ts';
import { makeSampleVideo, sampleTruth } from '../../../lib/sandbox/corpus/sample.ts';

const ffmpeg = openFfmpeg(process.env);
let dir = '';
let video: ProbedVideo;
let detected: DetectedScenes;
let made: Awaited<ReturnType<typeof makeSampleVideo>>;
const progress: number[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sample-'));
  const path = join(dir, 'sample.mp4');
  const { path: ffmpegPath } = await ffmpeg.locate();
  made = await makeSampleVideo({ path, ffmpegPath, onProgress: (share) => progress.push(share) });
  video = await probeVideo(ffmpeg, path);
  detected = await detectScenes(ffmpeg, path, video);
}, 120_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the sample video', () => {
  it('is thirty seconds of 720p with sound, and tells its progress', () => {
    expect(video).toMatchObject({
      width: 1280,
      height: 720,
      durationMs: 30_000,
      frameRate: 24,
      hasAudio: true,
    });
    expect(made.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(progress.at(-1)).toBe(1);
  });

  it('has the scenes of its truth', () => {
    const truth = sampleTruth().scenes;
    expect(truth.length).toBeGreaterThanOrEqual(6);
    expect(detected.scenes.map((scene) => scene.startMs)).toEqual(truth.map((scene) => scene.startMs));
    for (const scene of truth) {
      expect(scene.texts.length).toBeGreaterThan(0);
      expect(scene.objects.length).toBeGreaterThan(0);
      for (const word of scene.words) {
        expect(word.startMs).toBeGreaterThanOrEqual(scene.startMs);
        expect(word.endMs).toBeLessThanOrEqual(scene.endMs);
      }
    }
  });

  it('differs from scene to scene in colour, movement and sound', () => {
    const features = detected.scenes.map((scene) => measureScene(detected.signal, scene));
    const range = (of: (one: (typeof features)[number]) => number): number =>
      Math.max(...features.map(of)) - Math.min(...features.map(of));
    expect(range((one) => one.brightness)).toBeGreaterThan(0.4);
    expect(range((one) => one.saturation)).toBeGreaterThan(0.2);
    expect(range((one) => one.motion)).toBeGreaterThan(0.2);
    expect(range((one) => one.loudnessLufs ?? 0)).toBeGreaterThan(15);
  });
});
