// Where do music, logo and fonts come from?
import type { Layout } from './templates.ts';
import type { Music } from './render-spec.ts';

type Mood = Extract<Music, { kind: 'generated' }>['mood'];

interface Bed {
  /** Semitones above the root of the four chords, three voices each, then the bass note. */
  chords: readonly (readonly [number, number, number, number])[];
  beatsPerMinute: number;
  /** How much of the sound is the pulse rather than the pad. */
  pulse: number;
}

// I-V-vi-IV, I-IV-vi-V and vi-IV-I-V: progressions nobody owns.
const BEDS: Record<Mood, Bed> = {
  bright: {
    chords: [
      [0, 4, 7, -12],
      [-5, -1, 2, -17],
      [-3, 0, 4, -15],
      [-7, -3, 0, -19],
    ],
    beatsPerMinute: 104,
    pulse: 0.5,
  },
  warm: {
    chords: [
      [0, 4, 7, -12],
      [-7, -3, 0, -19],
      [-3, 0, 4, -15],
      [-5, -1, 2, -17],
    ],
    beatsPerMinute: 84,
    pulse: 0.25,
  },
  driving: {
    chords: [
      [-3, 0, 4, -15],
      [-7, -3, 0, -19],
      [0, 4, 7, -12],
      [-5, -1, 2, -17],
    ],
    beatsPerMinute: 124,
    pulse: 0.8,
  },
};

const SAMPLE_RATE = 24_000;

/**
 * An endless music bed as an `aevalsrc` source: pad, bass and a plucked pulse over four chords, synthesised from an
 * expression, so it belongs to nobody and is the same for the same mood, seed and tempo. `speed` is the ad's pace.
 */
export function musicBed(mood: Mood, seed: number, speed: number): string {
  const bed = BEDS[mood];
  const rootHz = 220 * 2 ** ((seed % 7) / 12);
  const beat = 60 / (bed.beatsPerMinute * speed);
  const bar = beat * 4;
  const chord = `mod(floor(t/${bar.toFixed(5)}),4)`;
  const voice = (index: 0 | 1 | 2 | 3): string => {
    const hz = bed.chords.map((each) => (rootHz * 2 ** (each[index] / 12)).toFixed(3));
    return `st(${index},if(lt(${chord},2),if(lt(${chord},1),${hz[0]},${hz[1]}),if(lt(${chord},3),${hz[2]},${hz[3]})))`;
  };
  const sine = (index: number, times = 1): string => `sin(2*PI*t*${times}*ld(${index}))`;
  const pad = `${sine(0)}+${sine(1)}+${sine(2)}`;
  const pluck = `exp(-7*mod(t,${(beat / 2).toFixed(5)}))*(${sine(0, 2)}+0.6*${sine(2, 2)})`;
  const bass = `exp(-2.5*mod(t,${beat.toFixed(5)}))*${sine(3)}`;
  // Starts and ends of a bar are faded: a chord may not click.
  const edge = `min(1,min(mod(t,${bar.toFixed(5)}),${bar.toFixed(5)}-mod(t,${bar.toFixed(5)}))*40)`;
  const level = (value: number): string => value.toFixed(4);
  const sum = `0*(${[voice(0), voice(1), voice(2), voice(3)].join('+')})+${edge}*(${level(0.07 * (1.2 - bed.pulse))}*(${pad})+${level(0.14 * bed.pulse)}*${pluck}+0.12*${bass})`;
  return `aevalsrc=exprs='${sum}':s=${SAMPLE_RATE}:c=mono`;
}

/** Puts the logo (a PNG input) into the layout's corner from `fromMs` on; its shape is kept. */
export function logoOverlay(
  video: string,
  logo: string,
  out: string,
  layout: Layout,
  fromMs: number,
): string {
  const { x, y, width, height } = layout.logo;
  const from = (fromMs / 1000).toFixed(3);
  return (
    `[${logo}]scale=${width}:${height}:force_original_aspect_ratio=decrease,format=rgba[${out}logo];` +
    `[${video}][${out}logo]overlay=${x}:${y}:enable='gte(t,${from})':eof_action=repeat:format=yuv420[${out}]`
  );
}

/** The font directory that libass may read: only our own, never the machine's. */
export function fontsDirectory(workDir: string): string {
  return `${workDir}/fonts`;
}
