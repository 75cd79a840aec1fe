// Which moving, textured and noisy pictures is the corpus made of?
import { fontPath } from '../../../lambdas/creative/media/fonts.ts';

/** Uniform in [0, 1), the same for the same seed everywhere (mulberry32). */
export type Random = () => number;
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function integer(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

export interface Shot {
  kind: ShotKind;
  /** Degrees: the colour it is recognised by. */
  hue: number;
  frames: number;
  seed: number;
}

const KINDS = [
  'bars',
  'zoom',
  'life',
  'automaton',
  'gradient',
  'noise',
  'boxes',
  'text',
  'triangles',
  'pan',
] as const;
export type ShotKind = (typeof KINDS)[number];

export interface Picture {
  width: number;
  height: number;
  frameRate: number;
}

/** Shots such that neighbours differ in kind and by at least 90° in colour, as the two sides of a cut do. */
export function makeShots(random: Random, count: number, frames: readonly [number, number]): Shot[] {
  const shots: Shot[] = [];
  for (let i = 0; i < count; i++) {
    const before = shots.at(-1);
    const kinds = KINDS.filter((kind) => kind !== before?.kind);
    shots.push({
      kind: kinds[integer(random, 0, kinds.length - 1)] as ShotKind,
      hue: ((before?.hue ?? 0) + integer(random, 90, 270)) % 360,
      frames: integer(random, frames[0], frames[1]),
      seed: integer(random, 1, 1_000_000),
    });
  }
  return shots;
}

/** `0xRRGGBB` of a hue with a given saturation and lightness (0..1). */
export function colour(hue: number, saturation: number, lightness: number): string {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number): string => {
    const k = (n + hue / 30) % 12;
    const value = lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, '0');
  };
  return `0x${channel(0)}${channel(8)}${channel(4)}`;
}

/** A part of an ffmpeg filter graph that ends in `[label]` and gives exactly `shot.frames` frames. */
export function shotGraph(shot: Shot, picture: Picture, label: string): string {
  const { width: w, height: h, frameRate: r } = picture;
  const random = seededRandom(shot.seed);
  const size = `s=${w}x${h}:r=${r}`;
  const dark = colour(shot.hue, 0.8, 0.25);
  const light = colour(shot.hue + 30, 0.9, 0.6);
  const small = `s=${Math.round(w / 4)}x${Math.round(h / 4)}:r=${r}:seed=${shot.seed}`;
  const sources: Record<ShotKind, () => string> = {
    bars: () => `testsrc2=${size},hue=h=${shot.hue}`,
    zoom: () =>
      `mandelbrot=${size}:start_scale=${(0.2 + random()).toFixed(3)}:end_scale=0.05:end_pts=400,hue=h=${shot.hue}`,
    life: () =>
      `life=${small}:mold=10:ratio=0.25:life_color=${light}:death_color=${dark}:mold_color=${dark},scale=${w}:${h}:flags=neighbor`,
    automaton: () =>
      `cellauto=${small}:rule=${[30, 90, 110, 73][integer(random, 0, 3)]},scale=${w}:${h}:flags=neighbor,format=yuv444p,` +
      `colorize=hue=${shot.hue}:saturation=0.7:lightness=0.5:mix=0.6`,
    gradient: () =>
      `gradients=${size}:c0=${dark}:c1=${light}:n=2:seed=${shot.seed}:speed=${(0.01 + random() * 0.05).toFixed(3)}`,
    noise: () =>
      `color=c=${colour(shot.hue, 0.7, 0.4)}:${size},noise=alls=${integer(random, 30, 70)}:allf=t+u:all_seed=${shot.seed}`,
    boxes: () =>
      `color=c=${light}:s=${Math.round(w / 4)}x${Math.round(h / 3)}:r=${r}[${label}b];color=c=${dark}:${size}[${label}a];` +
      `[${label}a][${label}b]overlay=x='mod(t*${integer(random, 60, 200)},${w})':y='${h / 3}+${h / 4}*sin(t*${integer(random, 1, 4)})':shortest=1`,
    text: () =>
      `color=c=${dark}:${size},drawtext=fontfile=${fontPath('black')}:text=SHOT-${shot.seed}:fontsize=${Math.round(h / 3)}:` +
      `fontcolor=${light}:x='w-mod(t*${integer(random, 80, 200)},w+tw)':y=h/3`,
    triangles: () =>
      `sierpinski=${size}:seed=${shot.seed}:type=triangle:jump=20,hue=h=${shot.hue},noise=alls=10:allf=t`,
    pan: () =>
      `smptehdbars=${size},hue=h=${shot.hue},scroll=h=${(0.004 + random() * 0.02).toFixed(4)}:v=0.003,noise=alls=14:allf=t`,
  };
  return `${sources[shot.kind]()},format=yuv420p,setsar=1,trim=end_frame=${shot.frames},setpts=PTS-STARTPTS,fps=${r}[${label}]`;
}
