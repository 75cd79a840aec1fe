// Oracle: what will each variation earn? Written down before anyone sees it.
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { modelPort } from '../ports/model/model-port.ts';
import { ctrPort } from './ctr-port.ts';
import { forecastAll, withOutlook } from './forecasting.ts';
import { ORACLE, Outlook } from './model-plan.ts';
import { predictionsNeed } from './predictions.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, Forecast, listOf, SceneFeatures } from './types.ts';

const TOKENS_PER_VARIATION = 300;

export const { handler, task } = defineTask({
  name: 'ForecastPerformance',
  input: z.object({ request: CreativeRequest, plan: BattlePlan, features: listOf(SceneFeatures) }),
  output: z.object({ plan: BattlePlan, forecasts: listOf(Forecast) }),
  needs: { ctr: ctrPort, predictions: predictionsNeed, settings: settingsNeed, model: modelPort },
  // A repeated run keeps its forecasts; the first attempt wrote them into the ledger.
  memoised: true,
  memoryMb: 512,
  runPercent: [56, 58],
  async run({ request, plan, features }, { ctr, predictions, settings, model, run, clock, random }) {
    const { forecastBaseline } = await settings.get(run.tenant);
    const computed = forecastAll(plan.variations, features.list, await ctr.for(run.tenant), forecastBaseline);
    let list = computed;
    if (model !== null) {
      const outlook = await (
        await model()
      ).complete({
        task: 'forecast performance',
        system: ORACLE,
        user: JSON.stringify({
          brief: request.brief,
          variations: plan.variations,
          clickThrough: computed.map(({ ctr: one }) => one),
        }),
        schema: Outlook,
        maxTokens: TOKENS_PER_VARIATION * plan.variations.length,
        temperature: 0,
        seed: random.int(0, 2 ** 31 - 1),
      });
      list = withOutlook(computed, outlook);
    }
    await predictions.write(run.tenant, run.id, list, clock.now());
    return { plan, forecasts: { list } };
  },
});
