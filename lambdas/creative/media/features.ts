// What do the pixels and samples of one scene say?
import type { MeasuredFeatures, Scene } from '../types.ts';
import type { VideoSignal } from './detect-scenes.ts';
import type { FrameSignal } from './frame-signal.ts';
import { MOTION_STEP_MS } from './frame-signal.ts';
import { AUDIO_BLOCK_MS, integratedLufs, silenceRatio } from './loudness.ts';

/** Everything that the one pass over the small frames can say; sharpness needs bigger ones. */
export type PassFeatures = Omit<MeasuredFeatures, 'sharpness'>;

/** Rate of the scale below: a mean difference of 0.06 per step (a brisk pan) is half of the scale. */
const MOTION_RATE = 12;

/**
 * Features of [scene.startMs, scene.endMs).
 * - motion: 1 − e^(−12·d), d = mean absolute luma difference (0..1) between pictures 80 ms apart, steps over cuts left out
 * - brightness: mean luma; contrast: twice the mean standard deviation of luma; saturation: mean chroma magnitude
 * - focus: centre of the moving pixels, weighted by how much they change; the middle when nothing moves
 * - loudness and silence: see loudness.ts; null without audio
 */
export function measureScene(signal: VideoSignal, scene: Pick<Scene, 'startMs' | 'endMs'>): PassFeatures {
  const { frames, audio } = signal;
  const { from, to } = framesWithin(frames, scene);
  const shown = to - from;
  const mean = (values: Float32Array): number => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i] as number;
    return shown === 0 ? 0 : sum / shown;
  };
  let steps = 0;
  let moved = 0;
  let mass = 0;
  let x = 0;
  let y = 0;
  for (let i = from; i < to; i++) {
    const step = frames.motion[i] as number;
    // The first step compares with a picture that may lie before the cut.
    if (Number.isNaN(step) || (frames.timesMs[i] as number) < scene.startMs + MOTION_STEP_MS) continue;
    steps++;
    moved += step;
    const weight = frames.movingMass[i] as number;
    mass += weight;
    x += weight * (frames.focusX[i] as number);
    y += weight * (frames.focusY[i] as number);
  }
  const firstBlock = Math.floor(scene.startMs / AUDIO_BLOCK_MS);
  const endBlock = Math.max(firstBlock + 1, Math.floor(scene.endMs / AUDIO_BLOCK_MS));
  return {
    motion: steps === 0 ? 0 : 1 - Math.exp(-MOTION_RATE * (moved / steps)),
    brightness: mean(frames.brightness),
    contrast: Math.min(1, 2 * mean(frames.deviation)),
    saturation: mean(frames.saturation),
    loudnessLufs: audio === null ? null : integratedLufs(audio, firstBlock, endBlock),
    silenceRatio: audio === null ? null : silenceRatio(audio, firstBlock, endBlock),
    focus: mass === 0 ? { x: 0.5, y: 0.5 } : { x: x / mass, y: y / mass },
  };
}

/** Index range of the pictures shown in a scene; a picture that still stands from before counts if no other comes. */
function framesWithin(
  frames: FrameSignal,
  scene: Pick<Scene, 'startMs' | 'endMs'>,
): { from: number; to: number } {
  const first = (timeMs: number): number => {
    let low = 0;
    let high = frames.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((frames.timesMs[middle] as number) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  // Scene times are whole milliseconds, picture times are not.
  const from = first(scene.startMs - 1);
  const to = first(scene.endMs - 1);
  return to > from
    ? { from, to }
    : { from: Math.max(0, from - 1), to: Math.min(frames.count, Math.max(1, from)) };
}

/** Time of the picture that stands in the middle of the scene, milliseconds. */
export function middlePictureMs(frames: FrameSignal, scene: Pick<Scene, 'startMs' | 'endMs'>): number {
  const { from, to } = framesWithin(frames, scene);
  const middle = (scene.startMs + scene.endMs) / 2;
  let best = frames.timesMs[from] as number;
  for (let i = from; i < to; i++)
    if ((frames.timesMs[i] as number) <= middle) best = frames.timesMs[i] as number;
  return best;
}

/** Variance of the 4-neighbour Laplacian that counts as fully sharp (spec: the usual limit for "blurred" is 100). */
const SHARP_VARIANCE = 100;

/** min(variance of the Laplacian / 100, 1) of 8-bit luma, width × height. */
export function sharpness(luma: Uint8Array, width: number, height: number): number {
  let sum = 0;
  let squares = 0;
  const n = (width - 2) * (height - 2);
  if (n <= 0) return 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, at = y * width + 1; x < width - 1; x++, at++) {
      const value =
        (luma[at - 1] as number) +
        (luma[at + 1] as number) +
        (luma[at - width] as number) +
        (luma[at + width] as number) -
        4 * (luma[at] as number);
      sum += value;
      squares += value * value;
    }
  }
  const mean = sum / n;
  return Math.min(1, (squares / n - mean * mean) / SHARP_VARIANCE);
}
