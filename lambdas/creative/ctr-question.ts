// Whose click-through rate is asked for, and in which shape is it answered?
import * as z from 'zod';
import { InvalidInput } from '../runtime/errors.ts';
import { ProblemDocument } from '../runtime/problem.ts';
import { sceneCtrFeatures, variationCtrFeatures } from './ctr-features.ts';
import { rankPredictions } from './ctr-model.ts';
import type { CtrPredictor } from './ctr-port.ts';
import { CtrPrediction, SceneFeatures, Variation } from './types.ts';

export const CtrQuestion = z.object({
  features: z.object({
    /** As an analysis answers them. */
    scenes: z.array(SceneFeatures).min(1).max(1000),
    /** With variations these are asked about, otherwise the scenes. */
    variations: z.array(Variation).max(20).default([]),
  }),
});
export type CtrQuestion = z.infer<typeof CtrQuestion>;

export const CtrAnswer = z.object({
  /** Best first. */
  predictions: z.array(CtrPrediction),
  modelVersion: z.string(),
});

/** The model cannot be reached; `fallback` holds labelled heuristic scores. */
export const CtrUnavailable = ProblemDocument.extend({ fallback: CtrAnswer });

/** @throws InvalidInput when a variation cites a scene that is not among them. */
export function answerCtr(
  { features: { scenes, variations } }: CtrQuestion,
  predictor: CtrPredictor,
): z.infer<typeof CtrAnswer> {
  const known = new Set(scenes.map(({ id }) => id));
  variations.forEach(({ shots }, index) => {
    const shot = shots.findIndex(({ sceneId }) => !known.has(sceneId));
    if (shot !== -1)
      throw new InvalidInput(
        `The variation cites scene ${shots[shot]?.sceneId}, which is not among the scenes.`,
        {
          path: `features.variations.${index}.shots.${shot}.sceneId`,
        },
      );
  });
  const predictions =
    variations.length > 0
      ? variations.map((one) => predictor.predict(one.id, variationCtrFeatures(one, scenes)))
      : scenes.map((one) => predictor.predict(one.id, sceneCtrFeatures(one)));
  return { predictions: rankPredictions(predictions), modelVersion: predictor.modelVersion };
}
