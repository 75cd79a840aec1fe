// What will a variation earn, judged from its features before anyone has seen it?
import type * as z from 'zod';
import type { CtrPrediction, Forecast, SceneFeatures, Variation } from './types.ts';

/** What the account usually sees; a tenant setting. */
export interface ForecastBaseline {
  /** Revenue per unit of spend. */
  roas: number;
  ctrPercent: number;
}

/**
 * ROAS moves with click-through at equal cost per impression and equal value per click, so the forecast is the account's
 * usual ROAS times predicted over usual click-through, with the interval of the click-through prediction.
 */
export function forecast(
  variation: Variation,
  scenes: readonly SceneFeatures[],
  ctr: CtrPrediction,
  baseline: ForecastBaseline,
): z.infer<typeof Forecast> {
  const opening = scenes.find(({ id }) => id === variation.shots[0]?.sceneId);
  const seconds = variation.shots.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0) / 1000;
  const hook = tenths(
    3 * Number(variation.hook.text.length <= 38) +
      3 * Number(/[?\d→]/.test(variation.hook.text)) +
      4 * Math.min((opening?.motion ?? 0) / 0.2, 1),
  );
  const callToAction = tenths(
    5 * Number(variation.shots.at(-1)?.role === 'cta') +
      5 * Number(variation.primaryText.includes(variation.callToAction.text)),
  );
  const engagement = tenths(
    4 * Math.min((variation.shots.length - 1) / Math.max(seconds, 1) / 0.4, 1) +
      3 * Number(seconds <= 30) +
      3 * Math.min((opening?.contrast ?? 0) / 0.5, 1),
  );
  const conversion = tenths(
    5 * Number(variation.shots.some(({ role }) => role === 'proof')) +
      5 * Number(variation.shots.some(({ role }) => role === 'solution')),
  );
  const usual = baseline.ctrPercent / 100;
  const roas = (probability: number): number => Math.round(100 * baseline.roas * (probability / usual)) / 100;
  return {
    variationId: variation.id,
    score: Math.round((hook * 3.5 + callToAction * 2 + engagement * 2.5 + conversion * 2) * 10) / 10,
    hook,
    callToAction,
    engagement,
    conversion,
    roas: { expected: roas(ctr.probability), low: roas(ctr.low), high: roas(ctr.high) },
    ctr,
    reasons: [
      `Click-through ${percent(ctr.probability)} (90 % interval ${percent(ctr.low)} to ${percent(ctr.high)}, ${ctr.source === 'model' ? `model ${ctr.modelVersion}` : 'fallback score'}).`,
      `The account usually sees ${baseline.ctrPercent} % and a ROAS of ${baseline.roas}.`,
      `${variation.shots.length} shots in ${seconds.toFixed(1)} s; opens with ${opening ? `scene ${opening.id}, motion ${opening.motion.toFixed(2)}` : 'no scene'}.`,
    ],
    forecastBy: 'features',
  };
}

function percent(probability: number): string {
  return `${(100 * probability).toFixed(2)} %`;
}

function tenths(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 10) * 10) / 10;
}
