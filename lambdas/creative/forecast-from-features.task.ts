// What do the features alone say of each variation, when the Oracle failed?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { ctrPort } from './ctr-port.ts';
import { Failure } from './failure.ts';
import { forecastAll } from './forecasting.ts';
import { predictionsNeed } from './predictions.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, Forecast, listOf, SceneFeatures } from './types.ts';
import { settingsNeed } from '../runtime/settings.ts';

export const { handler, task } = defineTask({
  name: 'ForecastFromFeatures',
  input: z.object({
    request: CreativeRequest,
    plan: BattlePlan,
    features: listOf(SceneFeatures),
    failure: Failure,
  }),
  output: z.object({ plan: BattlePlan, forecasts: listOf(Forecast) }),
  needs: { ctr: ctrPort, predictions: predictionsNeed, settings: settingsNeed },
  runPercent: [56, 58],
  async run({ plan, features, failure }, { ctr, predictions, settings, run, clock }) {
    const list = forecastAll(
      plan.variations,
      features.list,
      await ctr.for(run.tenant),
      (await settings.get(run.tenant)).forecastBaseline,
    );
    await predictions.write(run.tenant, run.id, list, clock.now());
    const reasons = [
      ...plan.reasons,
      `The Oracle failed (${failure.Error}), so forecasts come from features.`,
    ];
    return { plan: { ...plan, needsReview: true, reasons }, forecasts: { list } };
  },
});
