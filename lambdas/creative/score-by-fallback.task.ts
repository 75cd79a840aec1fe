// Which scores do the scenes get while the model cannot be reached?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { fallbackCtr } from './ctr-fallback.ts';
import { sceneCtrFeatures } from './ctr-features.ts';
import { rankPredictions } from './ctr-model.ts';
import { CtrPrediction, listOf, SceneFeatures } from './types.ts';

export const { handler, task } = defineTask({
  name: 'ScoreByFallback',
  input: z.object({ features: listOf(SceneFeatures) }),
  output: z.object({ predictions: listOf(CtrPrediction) }),
  needs: {},
  runPercent: [50, 52],
  run: async ({ features }) => ({
    predictions: {
      list: rankPredictions(features.list.map((scene) => fallbackCtr(scene.id, sceneCtrFeatures(scene)))),
    },
  }),
});
