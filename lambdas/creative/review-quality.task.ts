// Council: do four judges approve, after up to three rewrites?
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { modelPort } from '../ports/model/model-port.ts';
import { ctrPort } from './ctr-port.ts';
import { predictionsNeed } from './predictions.ts';
import { QualityInput, QualityOutput, reviewPlan } from './quality.ts';

export const { handler, task } = defineTask({
  name: 'ReviewQuality',
  input: QualityInput,
  output: QualityOutput,
  needs: { ctr: ctrPort, predictions: predictionsNeed, settings: settingsNeed, model: modelPort },
  memoised: true,
  memoryMb: 512,
  runPercent: [58, 62],
  async run(input, { ctr, predictions, settings, model, run, clock, random }) {
    const reviewed = await reviewPlan(input, await settings.get(run.tenant), {
      predictor: await ctr.for(run.tenant),
      model: model === null ? null : await model(),
      seed: random.int(0, 2 ** 31 - 1),
    });
    await predictions.write(run.tenant, run.id, reviewed.forecasts.list, clock.now());
    return reviewed;
  },
});
