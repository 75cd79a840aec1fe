// What is the forecast of each variation of a plan?
import type * as z from 'zod';
import { variationCtrFeatures } from './ctr-features.ts';
import type { CtrPredictor } from './ctr-port.ts';
import type { Outlook } from './model-plan.ts';
import { forecast, type ForecastBaseline } from './oracle.ts';
import type { Forecast, SceneFeatures, Variation } from './types.ts';

type ForecastValue = z.infer<typeof Forecast>;

export function forecastAll(
  variations: readonly Variation[],
  scenes: readonly SceneFeatures[],
  predictor: CtrPredictor,
  baseline: ForecastBaseline,
): ForecastValue[] {
  return variations.map((variation) =>
    forecast(
      variation,
      scenes,
      predictor.predict(variation.id, variationCtrFeatures(variation, scenes)),
      baseline,
    ),
  );
}

/** A model's view of the four aspects replaces ours where it gave one; money stays with the click-through model. */
export function withOutlook(
  forecasts: readonly ForecastValue[],
  outlook: z.infer<typeof Outlook>,
): ForecastValue[] {
  return forecasts.map((one) => {
    const view = outlook.forecasts.find(({ variationId }) => variationId === one.variationId);
    if (!view) return one;
    const { hook, callToAction, engagement, conversion, reason } = view;
    const score = Math.round((hook * 3.5 + callToAction * 2 + engagement * 2.5 + conversion * 2) * 10) / 10;
    return {
      ...one,
      hook,
      callToAction,
      engagement,
      conversion,
      score,
      reasons: [...one.reasons, reason],
      forecastBy: 'model',
    };
  });
}
