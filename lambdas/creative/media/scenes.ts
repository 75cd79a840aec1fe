// Where does one scene end and the next begin?
import type { Scene } from '../types.ts';
import type { FrameSignal } from './frame-signal.ts';
import { colourDistance, distance, medianBlockChange } from './frame-signal.ts';

export interface Cut {
  /** Time of the first frame after the cut, milliseconds. */
  atMs: number;
  /** How far the true frame may be from `atMs`: frames that were not watched hide it. */
  uncertaintyMs: number;
  /** Distance of the pictures on both sides, 0..1. */
  strength: number;
}

/** A cut is at least this big … */
const MIN_DISTANCE = 0.09;
/** … or this big in colour alone, which a shaking camera does not change … */
const MIN_COLOUR_DISTANCE = 0.2;
/** … and this many times bigger than what goes on around it. */
const MIN_CONTRAST = 2.2;
/** A caption that appears changes colour less than this where most blocks stay as they are … */
const MAX_OVERLAY_COLOUR = 0.35;
const UNCHANGED_STEPS = 3;
/** … and less than this where the picture below moves; then a cut must change most blocks by so many steps. */
const MAX_MOVING_OVERLAY_COLOUR = 0.16;
const MIN_BLOCK_CHANGE = 8;
/** Frames on each side that tell what goes on around. */
const NEIGHBOURS = 4;
/** Something that is over within this time was a flash, not a scene. */
const FLASH_MS = 400;
/** After a flash the picture is at least this much nearer to the one before it. */
const RETURN_RATIO = 0.45;
/** A blended frame on a cut makes two candidates; the bigger one counts. */
const SAME_CUT_MS = 160;

/**
 * Hard cuts in time order. A cut is a single big step between two pictures: fades, dissolves, wipes and movement are many
 * steps of like size, noise is small everywhere, and after a flash the picture comes back.
 * @param frameMs duration of one frame of the file; where watched frames are farther apart, frames were left out between.
 */
export function findCuts(signal: FrameSignal, frameMs: number): Cut[] {
  const { count, timesMs } = signal;
  const steps = new Float32Array(count);
  const colours = new Float32Array(count);
  const blocks = new Float32Array(count);
  for (let i = 1; i < count; i++) {
    steps[i] = distance(signal, i - 1, i);
    colours[i] = colourDistance(signal, i - 1, i);
    blocks[i] = medianBlockChange(signal, i - 1, i);
  }
  const standsOut = (of: Float32Array, i: number, least: number): boolean =>
    (of[i] as number) >= least && (of[i] as number) >= MIN_CONTRAST * around(of, timesMs, i);
  const cuts: Cut[] = [];
  for (let i = 1; i < count; i++) {
    const strength = steps[i] as number;
    if (!standsOut(steps, i, MIN_DISTANCE) && !standsOut(colours, i, MIN_COLOUR_DISTANCE)) continue;
    const colour = colours[i] as number;
    if (colour < MAX_OVERLAY_COLOUR && (blocks[i] as number) < UNCHANGED_STEPS) continue;
    if (colour < MAX_MOVING_OVERLAY_COLOUR && !standsOut(blocks, i, MIN_BLOCK_CHANGE)) continue;
    if (comesBack(signal, i, strength)) continue;
    const cut = { ...place(signal, i, frameMs), strength };
    const last = cuts.at(-1);
    if (last !== undefined && cut.atMs - last.atMs < SAME_CUT_MS) {
      if (cut.strength > last.strength) cuts[cuts.length - 1] = cut;
    } else cuts.push(cut);
  }
  return cuts;
}

/**
 * The second biggest step among the neighbours: a flash or a blended frame beside a cut does not hide it, a transition
 * does. A step over a longer time may be bigger in proportion.
 */
function around(steps: Float32Array, timesMs: Float64Array, i: number): number {
  const gap = (timesMs[i] as number) - (timesMs[i - 1] as number);
  let first = 0;
  let second = 0;
  for (let j = Math.max(1, i - NEIGHBOURS); j <= Math.min(steps.length - 1, i + NEIGHBOURS); j++) {
    if (j === i) continue;
    const own = (timesMs[j] as number) - (timesMs[j - 1] as number);
    const step = (steps[j] as number) * Math.min(3, Math.max(1, gap / Math.max(own, 1)));
    if (step > first) {
      second = first;
      first = step;
    } else if (step > second) second = step;
  }
  return second;
}

/** Does some picture shortly after look like one shortly before? */
function comesBack(signal: FrameSignal, i: number, strength: number): boolean {
  const { count, timesMs } = signal;
  const limit = RETURN_RATIO * strength;
  for (let a = i - 1; a >= 0 && (timesMs[i] as number) - (timesMs[a] as number) <= FLASH_MS; a--) {
    for (let b = i; b < count && (timesMs[b] as number) - (timesMs[a] as number) <= FLASH_MS; b++) {
      if (distance(signal, a, b) < limit) return true;
    }
  }
  return false;
}

/** Encoders code the first picture of a scene on its own; otherwise the middle of what was not watched is nearest. */
function place(signal: FrameSignal, i: number, frameMs: number): Omit<Cut, 'strength'> {
  const before = signal.timesMs[i - 1] as number;
  const after = signal.timesMs[i] as number;
  const gap = Math.round((after - before) / frameMs);
  if (gap <= 1 || signal.intra[i] === 1) return { atMs: after, uncertaintyMs: 0 };
  return { atMs: before + Math.ceil(gap / 2) * frameMs, uncertaintyMs: Math.floor(gap / 2) * frameMs };
}

/** The shortest scene, milliseconds (spec: drop under one second; here they join a neighbour instead). */
export const MIN_SCENE_MS = 1000;

/**
 * Scenes that partition [0, durationMs) without gap or overlap. A scene under `minMs` joins its shorter neighbour; a video
 * under `minMs` is one scene. Cuts may come in any order; those outside the video do not count.
 */
export function partition(
  cutsMs: readonly number[],
  durationMs: number,
  minMs: number = MIN_SCENE_MS,
): Scene[] {
  const end = Math.max(1, Math.round(durationMs));
  const inside = cutsMs.map((cut) => Math.round(cut)).filter((cut) => cut > 0 && cut < end);
  const edges = [0, ...new Set(inside.toSorted((a, b) => a - b)), end];
  const length = (at: number): number => (edges[at + 1] as number) - (edges[at] as number);
  while (edges.length > 2) {
    let shortest = 0;
    for (let at = 1; at < edges.length - 1; at++) if (length(at) < length(shortest)) shortest = at;
    if (length(shortest) >= minMs) break;
    const isLast = shortest === edges.length - 2;
    const joinNext = shortest === 0 || (!isLast && length(shortest + 1) < length(shortest - 1));
    edges.splice(joinNext ? shortest + 1 : shortest, 1);
  }
  return edges.slice(0, -1).map((startMs, at) => ({
    id: `s${String(at + 1).padStart(2, '0')}`,
    startMs,
    endMs: edges[at + 1] as number,
  }));
}
