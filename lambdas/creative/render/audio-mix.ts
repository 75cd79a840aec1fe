// How do the video's own sound, a spoken track and music become one sound of the right loudness?

export interface MixSpec {
  /** Filter labels of 48 kHz stereo streams as long as the ad; null when there is no such sound. */
  source: string | null;
  voice: string | null;
  music: string | null;
  /** Seconds of the whole ad, as ffmpeg writes them. */
  duration: string;
  loudness: Loudness;
  /** Prefix for inner labels, and the label of the result. */
  out: string;
}

/** What the first pass heard (EBU R128, by ffmpeg's ebur128). LUFS, dBTP, LU. */
export interface MeasuredLoudness {
  integratedLufs: number;
  thresholdLufs: number;
  truePeakDb: number;
  rangeLu: number;
}

export type Loudness =
  /** First pass: nothing is changed but by `before`; the meter prints its figures under the name `ebur128@<name>`. */
  | { kind: 'measure'; name: string; before: Loudness | null }
  /** Second pass: one gain for the whole ad. */
  | { kind: 'linear'; targetLufs: number; measured: MeasuredLoudness }
  /** Second pass when that gain would clip: the gain, then a limiter. */
  | { kind: 'limited'; gainDb: number }
  /** Nothing audible: there is no gain that reaches the target. */
  | { kind: 'none' };

/** Peaks stay below this after lossy coding (dBTP). EBU R128 allows -1; AAC adds a little. */
export const TRUE_PEAK_DB = -1.5;
/** The limiter sees samples, not the curve between them: half a decibel of reserve. */
const LIMIT = (10 ** ((TRUE_PEAK_DB - 0.5) / 20)).toFixed(4);

const DUCK = 'sidechaincompress=threshold=0.02:ratio=9:attack=15:release=400:makeup=1';
const MUSIC_UNDER_VOICE_DB = -8;
const SOURCE_UNDER_VOICE_DB = -14;

/**
 * Second-pass treatment for a target (EBU R128): a plain gain where its peaks stay below TRUE_PEAK_DB, otherwise gain and
 * limiter. At or below -70 LUFS (the standard's absolute gate) the sound counts as silent.
 */
export function loudnessFor(targetLufs: number, measured: MeasuredLoudness): Loudness {
  if (!(measured.integratedLufs > -70)) return { kind: 'none' };
  const gainDb = targetLufs - measured.integratedLufs;
  if (measured.truePeakDb + gainDb <= TRUE_PEAK_DB && measured.rangeLu > 0)
    return { kind: 'linear', targetLufs, measured };
  return { kind: 'limited', gainDb: round(gainDb) };
}

/** The whole mix as filter chains ending in `[out]`. Music steps back while somebody speaks (side chain). */
export function audioMix(spec: MixSpec): string {
  const { source, voice, music, out, duration } = spec;
  const chains: string[] = [];
  let speech = voice ?? source;
  if (voice !== null && source !== null) {
    speech = `${out}sp`;
    chains.push(
      `[${source}]volume=${SOURCE_UNDER_VOICE_DB}dB[${out}sl]`,
      `[${voice}][${out}sl]amix=inputs=2:duration=first:normalize=0[${speech}]`,
    );
  }
  let mixed: string;
  if (speech !== null && music !== null) {
    mixed = `${out}mx`;
    chains.push(
      `[${speech}]asplit=2[${out}a][${out}key]`,
      `[${music}]volume=${MUSIC_UNDER_VOICE_DB}dB[${out}ml]`,
      `[${out}ml][${out}key]${DUCK}[${out}du]`,
      `[${out}a][${out}du]amix=inputs=2:duration=first:normalize=0[${mixed}]`,
    );
  } else if (speech !== null || music !== null) mixed = speech ?? music ?? '';
  else {
    mixed = `${out}mx`;
    chains.push(`anullsrc=r=48000:cl=stereo,atrim=end=${duration}[${mixed}]`);
  }
  const fade = `afade=t=out:st=${Math.max(0, Number(duration) - 0.25).toFixed(3)}:d=0.25`;
  chains.push(`[${mixed}]${fade},${loudnessFilter(spec.loudness)},aresample=48000[${out}]`);
  return chains.join(';');
}

/** The meter for the first pass; `loudnorm…` for a plain gain, `volume,alimiter` where peaks must be held. */
export function loudnessFilter(loudness: Loudness): string {
  switch (loudness.kind) {
    case 'measure': {
      const before = loudness.before === null ? '' : `${loudnessFilter(loudness.before)},`;
      return `${before}ebur128@${loudness.name}=peak=true:framelog=quiet`;
    }
    case 'linear': {
      const { integratedLufs, thresholdLufs, truePeakDb, rangeLu } = loudness.measured;
      return (
        `loudnorm=I=${loudness.targetLufs}:TP=${TRUE_PEAK_DB}:LRA=50:linear=true:measured_I=${integratedLufs}` +
        `:measured_TP=${truePeakDb}:measured_LRA=${rangeLu}:measured_thresh=${thresholdLufs}`
      );
    }
    case 'limited':
      return `volume=${loudness.gainDb}dB,alimiter=limit=${LIMIT}:attack=3:release=60:level=0:latency=1`;
    case 'none':
      return 'anull';
  }
}

/** The meters' figures by name, from what ffmpeg printed at its end. Silence is -Infinity. */
export function readLoudness(lines: readonly string[]): Map<string, MeasuredLoudness> {
  const found = new Map<string, MeasuredLoudness>();
  const summaries = lines.join('\n').split(/\[ebur128@(?=\w+ @ [^\]]*\] Summary:)/);
  for (const summary of summaries.slice(1)) {
    const name = /^\w+/.exec(summary)?.[0] ?? '';
    const figure = (label: string): number =>
      levelOf(new RegExp(`\\b${label}:\\s+(\\S+)`).exec(summary)?.[1]);
    found.set(name, {
      integratedLufs: figure('I'),
      thresholdLufs: figure('Threshold'),
      truePeakDb: figure('Peak'),
      rangeLu: figure('LRA'),
    });
  }
  return found;
}

// ebur128 says -70.0 when nothing passed its absolute gate, and `-inf` for the peak of nothing.
function levelOf(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) && value > -70 ? value : Number.NEGATIVE_INFINITY;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
