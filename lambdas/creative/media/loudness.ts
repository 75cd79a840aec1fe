// How loud is each tenth of a second, and how loud is a stretch of them?

/** Samples come as interleaved 16-bit stereo at this rate. */
export const SAMPLE_RATE = 48_000;
export const AUDIO_BLOCK_MS = 100;
const BLOCK_SAMPLES = (SAMPLE_RATE * AUDIO_BLOCK_MS) / 1000;

export interface AudioSignal {
  /** Per block: K-weighted mean square, summed over both channels (ITU-R BS.1770-4). */
  weighted: Float32Array;
  /** Per block: unweighted mean square, mean of the channels, full scale = 1. */
  level: Float32Array;
}

export interface AudioMeter {
  /** Little-endian signed 16-bit, left then right; chunks may end anywhere. */
  add(chunk: Uint8Array): void;
  finish(): AudioSignal;
}

/** BS.1770-4 annex 1, tables 1 and 2: the coefficients for 48 kHz. */
const SHELF = {
  b: [1.53512485958697, -2.69169618940638, 1.19839281085285],
  a: [-1.69065929318241, 0.73248077421585],
} as const;
const HIGH_PASS = { b: [1, -2, 1], a: [-1.99004745483398, 0.99007225036621] } as const;

/** Meters samples as they stream by; keeps eight bytes per tenth of a second. */
export function createAudioMeter(): AudioMeter {
  const weighted: number[] = [];
  const level: number[] = [];
  // Two filters of two states for each channel.
  const state = new Float64Array(8);
  let carry = new Uint8Array(0);
  let n = 0;
  let sumWeighted = 0;
  let sumLevel = 0;

  const weigh = (x: number, at: number): number => {
    const y = SHELF.b[0] * x + (state[at] as number);
    state[at] = SHELF.b[1] * x - SHELF.a[0] * y + (state[at + 1] as number);
    state[at + 1] = SHELF.b[2] * x - SHELF.a[1] * y;
    const z = y + (state[at + 2] as number);
    state[at + 2] = HIGH_PASS.b[1] * y - HIGH_PASS.a[0] * z + (state[at + 3] as number);
    state[at + 3] = y - HIGH_PASS.a[1] * z;
    return z;
  };
  const close = (): void => {
    weighted.push(sumWeighted / n);
    level.push(sumLevel / (2 * n));
    n = 0;
    sumWeighted = 0;
    sumLevel = 0;
  };

  return {
    add(chunk) {
      let bytes = chunk;
      if (carry.length > 0) {
        bytes = new Uint8Array(carry.length + chunk.length);
        bytes.set(carry);
        bytes.set(chunk, carry.length);
      }
      const whole = bytes.length - (bytes.length % 4);
      const view = new DataView(bytes.buffer, bytes.byteOffset, whole);
      for (let at = 0; at < whole; at += 4) {
        const left = view.getInt16(at, true) / 32_768;
        const right = view.getInt16(at + 2, true) / 32_768;
        const l = weigh(left, 0);
        const r = weigh(right, 4);
        sumWeighted += l * l + r * r;
        sumLevel += left * left + right * right;
        if (++n === BLOCK_SAMPLES) close();
      }
      carry = bytes.slice(whole);
    },
    finish() {
      // A last block shorter than half is too short to say anything.
      if (n >= BLOCK_SAMPLES / 2) close();
      return { weighted: Float32Array.from(weighted), level: Float32Array.from(level) };
    },
  };
}

const toLufs = (power: number): number => -0.691 + 10 * Math.log10(power);
/** What is reported for digital silence and for anything below the absolute gate. */
export const SILENT_LUFS = -70;

/**
 * Integrated loudness of the blocks [from, to), LUFS: 400 ms windows with 75 % overlap, gated at −70 LUFS and at 10 LU
 * below the mean of what passed (BS.1770-4). A stretch under 400 ms is one window. Never below SILENT_LUFS.
 */
export function integratedLufs(signal: AudioSignal, from: number, to: number): number {
  const windows: number[] = [];
  const last = Math.min(to, signal.weighted.length);
  const size = Math.max(1, Math.min(4, last - from));
  for (let at = from; at + size <= last; at++) {
    let sum = 0;
    for (let i = at; i < at + size; i++) sum += signal.weighted[i] as number;
    windows.push(sum / size);
  }
  const mean = (powers: readonly number[]): number =>
    powers.reduce((sum, power) => sum + power, 0) / powers.length;
  const audible = windows.filter((power) => power > 0 && toLufs(power) > SILENT_LUFS);
  if (audible.length === 0) return SILENT_LUFS;
  const gate = toLufs(mean(audible)) - 10;
  return Math.max(SILENT_LUFS, toLufs(mean(audible.filter((power) => toLufs(power) > gate))));
}

/** Below −50 dBFS (RMS) a tenth of a second counts as silent. */
export const SILENCE_DBFS = -50;

/** Share of the blocks [from, to) that are silent, 0..1. Blocks after the end of the sound are silent. */
export function silenceRatio(signal: AudioSignal, from: number, to: number): number {
  const limit = 10 ** (SILENCE_DBFS / 10);
  let silent = 0;
  for (let at = from; at < to; at++) if ((signal.level[at] ?? 0) < limit) silent++;
  return to > from ? silent / (to - from) : 0;
}
