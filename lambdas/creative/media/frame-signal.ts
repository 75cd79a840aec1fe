// What is kept of each small frame, so that cuts and features can be decided without the pixels?

/** Every frame is looked at as 128 × 72 planar YUV 4:4:4 (limited range), whatever its real shape. */
export const FRAME_WIDTH = 128;
export const FRAME_HEIGHT = 72;
const PIXELS = FRAME_WIDTH * FRAME_HEIGHT;
export const FRAME_BYTES = PIXELS * 3;

const BLOCK = 8;
const COLUMNS = FRAME_WIDTH / BLOCK;
const ROWS = FRAME_HEIGHT / BLOCK;
const BLOCKS = COLUMNS * ROWS;
/** Bins per channel of the soft histogram. */
const BINS = 32;
/** Per frame: block means of Y, U, V, then the square roots of the three histograms, all 0..255. */
export const DESCRIPTOR_BYTES = BLOCKS * 3 + BINS * 3;
/** Motion compares frames at least this far apart, so that it does not depend on the frame rate. */
export const MOTION_STEP_MS = 80;

export interface FrameSignal {
  count: number;
  /** Presentation times, milliseconds from the start. */
  timesMs: Float64Array;
  /** 1 where the encoder coded the picture on its own. */
  intra: Uint8Array;
  /** `count` × DESCRIPTOR_BYTES. */
  descriptors: Uint8Array;
  /** Mean luma, 0..1. */
  brightness: Float32Array;
  /** Standard deviation of luma, 0..0.5. */
  deviation: Float32Array;
  /** Mean chroma magnitude, 0..1. */
  saturation: Float32Array;
  /** Mean absolute luma difference, 0..1, to the picture at least MOTION_STEP_MS earlier; NaN where not sampled. */
  motion: Float32Array;
  /** Sum of the moving pixels' differences, and its centre 0..1: where something moves. */
  movingMass: Float32Array;
  focusX: Float32Array;
  focusY: Float32Array;
}

export interface FrameMeter {
  /** @param frame FRAME_BYTES of Y, U, V planes; read, not kept. */
  add(frame: Uint8Array, timeMs: number, intra: boolean): void;
  finish(): FrameSignal;
}

/** Differences of fewer than this many luma steps are noise, not movement. */
const MOVING_STEPS = 10;

/** Collects frames one by one into typed arrays that double when full (560 bytes a frame). */
export function createFrameMeter(): FrameMeter {
  let capacity = 1024;
  let count = 0;
  let timesMs = new Float64Array(capacity);
  let intra = new Uint8Array(capacity);
  let descriptors = new Uint8Array(capacity * DESCRIPTOR_BYTES);
  const scalars: Float32Array[] = Array.from({ length: 7 }, () => new Float32Array(capacity));
  const reference = new Uint8Array(PIXELS);
  let referenceMs = Number.NaN;
  const histogram = new Float64Array(256);

  const grow = (): void => {
    capacity *= 2;
    const times = new Float64Array(capacity);
    times.set(timesMs);
    timesMs = times;
    const flags = new Uint8Array(capacity);
    flags.set(intra);
    intra = flags;
    const bytes = new Uint8Array(capacity * DESCRIPTOR_BYTES);
    bytes.set(descriptors);
    descriptors = bytes;
    for (const [index, scalar] of scalars.entries()) {
      const wider = new Float32Array(capacity);
      wider.set(scalar);
      scalars[index] = wider;
    }
  };
  const put = (scalar: number, value: number): void => {
    (scalars[scalar] as Float32Array)[count] = value;
  };

  return {
    add(frame, timeMs, isIntra) {
      if (count === capacity) grow();
      timesMs[count] = timeMs;
      intra[count] = isIntra ? 1 : 0;
      const base = count * DESCRIPTOR_BYTES;
      for (let plane = 0; plane < 3; plane++) {
        blockMeans(frame, plane * PIXELS, descriptors, base + plane * BLOCKS);
        histogram.fill(0);
        for (let at = plane * PIXELS, end = at + PIXELS; at < end; at++) {
          const level = frame[at] as number;
          histogram[level] = (histogram[level] as number) + 1;
        }
        softBins(histogram, descriptors, base + BLOCKS * 3 + plane * BINS);
        if (plane === 0) {
          const { mean, deviation } = moments(histogram);
          put(0, Math.min(1, Math.max(0, (mean - 16) / 219)));
          put(1, Math.min(0.5, deviation / 219));
        }
      }
      put(2, meanChroma(frame));
      if (Number.isNaN(referenceMs) || timeMs - referenceMs >= MOTION_STEP_MS - 1) {
        if (Number.isNaN(referenceMs)) put(3, Number.NaN);
        else {
          const moved = movement(frame, reference);
          put(3, moved.mean);
          put(4, moved.mass);
          put(5, moved.x);
          put(6, moved.y);
        }
        reference.set(frame.subarray(0, PIXELS));
        referenceMs = timeMs;
      } else put(3, Number.NaN);
      count++;
    },
    finish: () => {
      const cut = (scalar: number): Float32Array => (scalars[scalar] as Float32Array).slice(0, count);
      return {
        count,
        timesMs: timesMs.slice(0, count),
        intra: intra.slice(0, count),
        descriptors: descriptors.slice(0, count * DESCRIPTOR_BYTES),
        brightness: cut(0),
        deviation: cut(1),
        saturation: cut(2),
        motion: cut(3),
        movingMass: cut(4),
        focusX: cut(5),
        focusY: cut(6),
      };
    },
  };
}

function blockMeans(frame: Uint8Array, from: number, out: Uint8Array, to: number): void {
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (let y = 0; y < BLOCK; y++) {
        const line = from + (row * BLOCK + y) * FRAME_WIDTH + column * BLOCK;
        for (let x = 0; x < BLOCK; x++) sum += frame[line + x] as number;
      }
      out[to + row * COLUMNS + column] = Math.round(sum / (BLOCK * BLOCK));
    }
  }
}

/** Each level is shared between its two nearest bins, so that a little noise moves little. */
function softBins(histogram: Float64Array, out: Uint8Array, to: number): void {
  const bins = new Float64Array(BINS);
  const width = 256 / BINS;
  for (let level = 0; level < 256; level++) {
    const n = histogram[level] as number;
    if (n === 0) continue;
    const place = Math.min(BINS - 1, Math.max(0, (level + 0.5) / width - 0.5));
    const low = Math.floor(place);
    const share = place - low;
    bins[low] = (bins[low] as number) + n * (1 - share);
    if (share > 0) bins[low + 1] = (bins[low + 1] as number) + n * share;
  }
  for (let bin = 0; bin < BINS; bin++)
    out[to + bin] = Math.round(255 * Math.sqrt((bins[bin] as number) / PIXELS));
}

function moments(histogram: Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let level = 0; level < 256; level++) {
    const n = histogram[level] as number;
    sum += n * level;
    squares += n * level * level;
  }
  const mean = sum / PIXELS;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / PIXELS - mean * mean)) };
}

function meanChroma(frame: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < PIXELS; at++) {
    const u = (frame[PIXELS + at] as number) - 128;
    const v = (frame[2 * PIXELS + at] as number) - 128;
    sum += Math.sqrt(u * u + v * v);
  }
  return Math.min(1, sum / PIXELS / 112);
}

function movement(
  frame: Uint8Array,
  before: Uint8Array,
): { mean: number; mass: number; x: number; y: number } {
  let total = 0;
  let mass = 0;
  let x = 0;
  let y = 0;
  for (let row = 0, at = 0; row < FRAME_HEIGHT; row++) {
    let rowMass = 0;
    for (let column = 0; column < FRAME_WIDTH; column++, at++) {
      const difference = Math.abs((frame[at] as number) - (before[at] as number));
      total += difference;
      if (difference >= MOVING_STEPS) {
        rowMass += difference;
        x += difference * (column + 0.5);
      }
    }
    mass += rowMass;
    y += rowMass * (row + 0.5);
  }
  if (mass === 0) return { mean: total / PIXELS / 219, mass: 0, x: 0.5, y: 0.5 };
  return {
    mean: Math.min(1, total / PIXELS / 219),
    mass,
    x: x / mass / FRAME_WIDTH,
    y: y / mass / FRAME_HEIGHT,
  };
}

/**
 * How different two pictures are in layout, 0..1: three times the mean difference of the block means. Movement changes it,
 * noise hardly.
 */
export function layoutDistance(signal: Pick<FrameSignal, 'descriptors'>, a: number, b: number): number {
  const d = signal.descriptors;
  const p = a * DESCRIPTOR_BYTES;
  const q = b * DESCRIPTOR_BYTES;
  let sum = 0;
  for (let i = 0; i < BLOCKS * 3; i++) sum += Math.abs((d[p + i] as number) - (d[q + i] as number));
  return Math.min(1, sum / BLOCKS / 219);
}

/**
 * How different two pictures are in colour, 0..1: 1 − Bhattacharyya coefficient of the histograms, of the channel that
 * differs most (grey pictures differ in luma only). Neither movement nor noise changes it much.
 */
export function colourDistance(signal: Pick<FrameSignal, 'descriptors'>, a: number, b: number): number {
  const d = signal.descriptors;
  const p = a * DESCRIPTOR_BYTES;
  const q = b * DESCRIPTOR_BYTES;
  let least = 1;
  for (let from = BLOCKS * 3; from < DESCRIPTOR_BYTES; from += BINS) {
    let overlap = 0;
    for (let i = from; i < from + BINS; i++) overlap += (d[p + i] as number) * (d[q + i] as number);
    least = Math.min(least, overlap / (255 * 255));
  }
  return 1 - least;
}

const MEDIAN_LIMIT = 64;

/**
 * Change of the median block, in steps summed over the channels, at most MEDIAN_LIMIT: a caption that appears leaves more
 * than half of the picture as it was, a cut does not.
 */
export function medianBlockChange(signal: Pick<FrameSignal, 'descriptors'>, a: number, b: number): number {
  const d = signal.descriptors;
  const p = a * DESCRIPTOR_BYTES;
  const q = b * DESCRIPTOR_BYTES;
  const tally = new Uint16Array(MEDIAN_LIMIT + 1);
  for (let i = 0; i < BLOCKS; i++) {
    let change = 0;
    for (let at = i; at < BLOCKS * 3; at += BLOCKS)
      change += Math.abs((d[p + at] as number) - (d[q + at] as number));
    const bin = Math.min(MEDIAN_LIMIT, change);
    tally[bin] = (tally[bin] as number) + 1;
  }
  let passed = 0;
  for (let bin = 0; bin < MEDIAN_LIMIT; bin++) {
    passed += tally[bin] as number;
    if (passed > BLOCKS / 2) return bin;
  }
  return MEDIAN_LIMIT;
}

/** How different two pictures are, 0..1: half layout, half colour. A cut changes both. */
export function distance(signal: Pick<FrameSignal, 'descriptors'>, a: number, b: number): number {
  return 0.5 * layoutDistance(signal, a, b) + 0.5 * colourDistance(signal, a, b);
}
