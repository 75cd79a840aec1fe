// Which click-through rate do we assume while the model cannot be reached?
import type { CtrFeatures } from './ctr-features.ts';
import type { CtrPrediction } from './types.ts';

export const FALLBACK_VERSION = 'fallback';

/** Weights of the heuristic and its bands, per cent of impressions (requirements, CTR fallback scores). */
const WEIGHTS = { psychology: 0.4, hook: 0.35, appeal: 0.25 };
const BANDS = [
  { above: 0.85, ctrPercent: 8 },
  { above: 0.7, ctrPercent: 5 },
  { above: 0.5, ctrPercent: 3 },
  { above: -Infinity, ctrPercent: 1 },
];
/** A band is a guess: the interval spans from a quarter of it to twice it. */
const LOW_FACTOR = 0.25;
const HIGH_FACTOR = 2;

/** Labelled `fallback`, shown as such to the end and left out of accuracy. */
export function fallbackCtr(subject: string, features: CtrFeatures): CtrPrediction {
  const psychology = mean([features.addressesViewer, features.hasSpeech, features.hasCallToAction]);
  const hook = mean([features.hookIsQuestion, features.hookHasNumber, capped(features.openingMotion, 0.3)]);
  const appeal = mean([features.contrast, features.saturation, features.sharpness]);
  const score = weightedMean([
    [psychology, WEIGHTS.psychology],
    [hook, WEIGHTS.hook],
    [appeal, WEIGHTS.appeal],
  ]);
  const { ctrPercent } = BANDS.find(({ above }) => score > above) ?? { ctrPercent: 1 };
  const probability = ctrPercent / 100;
  return {
    subject,
    probability,
    low: probability * LOW_FACTOR,
    high: probability * HIGH_FACTOR,
    modelVersion: FALLBACK_VERSION,
    source: 'fallback',
  };
}

function capped(value: number | null, full: number): number | null {
  return value === null ? null : Math.min(value / full, 1);
}

function mean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

function weightedMean(parts: readonly (readonly [number | null, number])[]): number {
  const present = parts.flatMap(([value, weight]) => (value === null ? [] : [{ value, weight }]));
  const total = present.reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? 0 : present.reduce((sum, { value, weight }) => sum + value * weight, 0) / total;
}
