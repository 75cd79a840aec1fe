// May this rendition be shown as an ad?
import type { Format } from '../types.ts';
import { FORMATS } from '../types.ts';
import type { DrawnText } from './ass.ts';
import { safeBox } from './safe-zones.ts';
import { MAX_AD_MS, MIN_AD_MS } from './timeline.ts';

export interface MeasuredRendition {
  format: Format;
  width: number;
  height: number;
  durationMs: number;
  hookText: string;
  /** Every text as drawn. */
  texts: readonly DrawnText[];
  /** Letters of the plan that our font cannot draw. */
  undrawable: readonly string[];
  /** LUFS as measured in the file: null without sound, -Infinity for silence. */
  loudnessLufs: number | null;
  targetLufs: number;
}

export interface ComplianceCheck {
  name: string;
  passed: boolean;
  detail: string;
}

export interface Compliance {
  passed: boolean;
  checks: ComplianceCheck[];
  /** Allowed, but worth knowing. */
  warnings: string[];
}

/** Spec §7. */
export const MAX_HOOK_CHARACTERS = 38;
const LONG_AD_MS = 60_000;
/** WCAG 2.2, success criterion 1.4.3 (level AA, any text size). */
export const MIN_CONTRAST = 4.5;
/** EBU R128 s1 allows ±1 LU where exact normalisation is not practicable. */
export const LOUDNESS_TOLERANCE_LU = 1;
/** One frame at 24 per second: containers round up to whole frames and audio packets. */
const DURATION_SLACK_MS = 42;

/** Judges measured facts against spec §7; every check is listed, passed or not. */
export function judgeCompliance(made: MeasuredRendition): Compliance {
  const expected = FORMATS[made.format];
  const safe = safeBox(made.format);
  const outside = made.texts.filter(
    (text) =>
      text.x < safe.x ||
      text.y < safe.y ||
      text.x + text.width > safe.x + safe.width ||
      text.y + text.height > safe.y + safe.height,
  );
  const faint = made.texts.filter((text) => contrastRatio(text.colour, text.background) < MIN_CONTRAST);
  const hookLength = Array.from(made.hookText).length;
  const seconds = (made.durationMs / 1000).toFixed(1);
  const loudness = made.loudnessLufs;
  const audible = loudness !== null && loudness > -70;
  const checks: ComplianceCheck[] = [
    check(
      'resolution',
      made.width === expected.width && made.height === expected.height,
      `${made.width}×${made.height}, ${made.format} needs ${expected.width}×${expected.height}`,
    ),
    check(
      'duration',
      made.durationMs >= MIN_AD_MS && made.durationMs <= MAX_AD_MS + DURATION_SLACK_MS,
      `${seconds} s, allowed are 3 to 90 s`,
    ),
    check(
      'hook',
      hookLength > 0 && hookLength <= MAX_HOOK_CHARACTERS,
      `${hookLength} characters, at most ${MAX_HOOK_CHARACTERS}`,
    ),
    check(
      'subtitles',
      made.texts.some((text) => text.what === 'caption'),
      'a viewer without sound must be able to follow',
    ),
    check(
      'safe-zone',
      outside.length === 0,
      quote(
        'outside the safe area',
        outside.map((text) => text.text),
      ),
    ),
    check(
      'contrast',
      faint.length === 0,
      quote(
        `below ${MIN_CONTRAST}:1`,
        faint.map((text) => text.text),
      ),
    ),
    check(
      'font',
      made.undrawable.length === 0,
      quote('letters that the font does not have', made.undrawable),
    ),
    check('audio', audible, audible ? 'audible' : 'no audible sound'),
    check(
      'loudness',
      audible && Math.abs(loudness - made.targetLufs) <= LOUDNESS_TOLERANCE_LU,
      `${loudness ?? 'no'} LUFS, wanted ${made.targetLufs} ±${LOUDNESS_TOLERANCE_LU}`,
    ),
  ];
  const warnings =
    made.durationMs > LONG_AD_MS ? [`${seconds} s: ads over 60 s are seldom watched to the end`] : [];
  return { passed: checks.every((each) => each.passed), checks, warnings };
}

function check(name: string, passed: boolean, detail: string): ComplianceCheck {
  return { name, passed, detail };
}

function quote(problem: string, texts: readonly string[]): string {
  return texts.length === 0 ? 'nothing wrong' : `${problem}: ${texts.map((text) => `“${text}”`).join(', ')}`;
}

/** WCAG 2.2 contrast ratio of two `#rrggbb` colours, 1…21. */
export function contrastRatio(first: string, second: string): number {
  const [a, b] = [luminance(first), luminance(second)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
