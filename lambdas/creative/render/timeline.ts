// When does each shot play, how fast, and how long is the ad?
import { InvalidInput } from '../../runtime/errors.ts';
import { TRANSITION_MS } from './transitions.ts';
import type { RenderSpec } from './render-spec.ts';

/** Frames per second as a fraction: 30000/1001 is not 29.97. */
export interface Rate {
  num: number;
  den: number;
}

export interface Segment {
  index: number;
  sourceStartMs: number;
  /** How much of the source is read, before the speed is applied. */
  sourceMs: number;
  /** Output frames, the overlap with the previous segment included. */
  frames: number;
  startFrame: number;
  /** Frames shared with the previous segment; 0 is a hard cut. */
  overlapFrames: number;
}

export interface Timeline {
  rate: Rate;
  /** Source milliseconds per output millisecond. */
  speed: number;
  segments: readonly Segment[];
  totalFrames: number;
  totalMs: number;
}

/** Spec §7: an ad lasts 3 to 90 s. */
export const MIN_AD_MS = 3000;
export const MAX_AD_MS = 90_000;

export const SPEEDS = { calm: 0.92, steady: 1, fast: 1.12 } as const;

const RATES: readonly Rate[] = [
  { num: 24000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 30, den: 1 },
];

/** The nearest film, PAL or NTSC rate; faster sources are halved until they are below 31, so that frames are dropped evenly. */
export function outputRate(frameRate: number): Rate {
  let rate = frameRate;
  while (rate > 31) rate /= 2;
  const distance = (candidate: Rate): number => Math.abs(candidate.num / candidate.den - rate);
  return RATES.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best));
}

export function framesToMs(frames: number, rate: Rate): number {
  return Math.round((frames * 1000 * rate.den) / rate.num);
}

export function framesToSeconds(frames: number, rate: Rate): string {
  return ((frames * rate.den) / rate.num).toFixed(6);
}

/**
 * Lays the plan's shots end to end in the plan's order. A shot's transition says how it takes over from the one before; both
 * play during it. Longer than 90 s: every shot is shortened alike. Shorter than 3 s: the last frame is held.
 * Throws InvalidInput for a shot outside the source.
 */
export function timeline(spec: RenderSpec): Timeline {
  const { variation, source } = spec;
  const rate = outputRate(source.frameRate);
  const speed = SPEEDS[variation.pace];
  const toFrames = (ms: number): number => Math.round((ms * rate.num) / (1000 * rate.den));
  let lengths = variation.shots.map((shot, index) => {
    if (shot.endMs <= shot.startMs || shot.endMs > source.durationMs)
      throw new InvalidInput(`Shot ${index + 1} is not a part of the video`, {
        path: `variation.shots.${index}`,
      });
    return Math.max(2, toFrames((shot.endMs - shot.startMs) / speed));
  });
  const transitionFrames = toFrames(TRANSITION_MS[variation.pace]);
  const lay = (): { segments: Segment[]; total: number } => {
    const segments: Segment[] = [];
    let total = 0;
    variation.shots.forEach((shot, index) => {
      const frames = lengths[index] ?? 0;
      const before = lengths[index - 1];
      const room = before === undefined ? 0 : Math.floor(Math.min(before, frames) / 3);
      const overlapFrames =
        before === undefined || shot.transition === 'cut' ? 0 : Math.min(transitionFrames, room);
      const sourceMs = Math.min(
        shot.endMs - shot.startMs,
        Math.round((frames * 1000 * rate.den * speed) / rate.num),
      );
      segments.push({
        index,
        sourceStartMs: shot.startMs,
        sourceMs,
        frames,
        startFrame: total - overlapFrames,
        overlapFrames,
      });
      total += frames - overlapFrames;
    });
    return { segments, total };
  };
  let laid = lay();
  const most = Math.floor((MAX_AD_MS * rate.num) / (1000 * rate.den));
  while (laid.total > most) {
    const share = most / laid.total;
    lengths = lengths.map((frames) => Math.max(2, Math.floor(frames * share)));
    laid = lay();
  }
  const least = Math.ceil((MIN_AD_MS * rate.num) / (1000 * rate.den));
  const last = laid.segments.at(-1);
  if (last !== undefined && laid.total < least) {
    last.frames += least - laid.total;
    laid.total = least;
  }
  return {
    rate,
    speed,
    segments: laid.segments,
    totalFrames: laid.total,
    totalMs: framesToMs(laid.total, rate),
  };
}

/** From when until when a segment is the one that speaks: its captions may not outlive the takeover by the next. */
export function segmentWindow(line: Timeline, index: number): { startMs: number; endMs: number } {
  const segment = line.segments[index];
  const next = line.segments[index + 1];
  if (segment === undefined) throw new RangeError(`no segment ${index}`);
  const startFrame = segment.startFrame + Math.floor(segment.overlapFrames / 2);
  const endFrame =
    next === undefined ? line.totalFrames : next.startFrame + Math.floor(next.overlapFrames / 2);
  return { startMs: framesToMs(startFrame, line.rate), endMs: framesToMs(endFrame, line.rate) };
}

/**
 * The chain that makes a shot exactly its number of frames long at the ad's speed and rate (`setpts … trim`).
 * A source that ends early holds its last frame.
 */
export function segmentVideo(line: Timeline, segment: Segment): string {
  const { num, den } = line.rate;
  const retime = line.speed === 1 ? '' : `setpts=PTS/${line.speed},`;
  return `${retime}fps=${num}/${den},tpad=stop=-1:stop_mode=clone,trim=end_frame=${segment.frames},settb=AVTB`;
}

/** The same for its sound, in samples of 48 kHz stereo, the pitch kept. */
export function segmentAudio(line: Timeline, segment: Segment): string {
  const retime = line.speed === 1 ? '' : `atempo=${line.speed},`;
  const seconds = framesToSeconds(segment.frames, line.rate);
  return `aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,${retime}apad,atrim=end=${seconds}`;
}
