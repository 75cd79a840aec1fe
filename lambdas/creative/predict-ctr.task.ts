// How likely is a click on each scene?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { sceneCtrFeatures } from './ctr-features.ts';
import { rankPredictions } from './ctr-model.ts';
import { ctrPort } from './ctr-port.ts';
import { CtrPrediction, listOf, SceneFeatures } from './types.ts';

export const { handler, task } = defineTask({
  name: 'PredictCtr',
  input: z.object({ features: listOf(SceneFeatures) }),
  output: z.object({ predictions: listOf(CtrPrediction) }),
  needs: { ctr: ctrPort },
  runPercent: [50, 52],
  async run({ features }, { ctr, run, log }) {
    const predictor = await ctr.for(run.tenant);
    if (predictor.source === 'fallback') log.warn('fallback scores', { reason: predictor.reason });
    return {
      predictions: {
        list: rankPredictions(
          features.list.map((scene) => predictor.predict(scene.id, sceneCtrFeatures(scene))),
        ),
      },
    };
  },
});
