// What do the rubrics say when the Council failed?
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { ctrPort } from './ctr-port.ts';
import { Failure } from './failure.ts';
import { predictionsNeed } from './predictions.ts';
import { QualityInput, QualityOutput, reviewPlan } from './quality.ts';

export const { handler, task } = defineTask({
  name: 'ReviewByRubric',
  input: QualityInput.extend({ failure: Failure }),
  output: QualityOutput,
  needs: { ctr: ctrPort, predictions: predictionsNeed, settings: settingsNeed },
  runPercent: [58, 62],
  async run(input, { ctr, predictions, settings, run, clock }) {
    const reviewed = await reviewPlan(input, await settings.get(run.tenant), {
      predictor: await ctr.for(run.tenant),
      model: null,
      seed: 0,
    });
    await predictions.write(run.tenant, run.id, reviewed.forecasts.list, clock.now());
    const reason = `The Council failed (${input.failure.Error}), so the rubrics judged.`;
    return { ...reviewed, reviewReasons: [reason, ...reviewed.reviewReasons] };
  },
});
