// How likely is a click on an impression, and how sure is the model?
import * as z from 'zod';
import { CTR_FEATURES, type CtrFeatures } from './ctr-features.ts';
import type { CtrPrediction } from './types.ts';

/**
 * Binomial regression: logit(CTR) = intercept + Σ weight·(x − mean)/scale. Standard deviations are those of the
 * coefficients' posterior (taken as independent), so the interval says how little the model knows.
 */
export const CtrModel = z.object({
  version: z.string().min(1),
  intercept: z.object({ weight: z.number(), deviation: z.number().positive() }),
  features: z
    .array(
      z.object({
        name: z.enum(CTR_FEATURES),
        mean: z.number(),
        scale: z.number().positive(),
        weight: z.number(),
        deviation: z.number().nonnegative(),
      }),
    )
    .refine((features) => new Set(features.map(({ name }) => name)).size === features.length, {
      message: 'names a feature twice',
    }),
});
export type CtrModel = z.infer<typeof CtrModel>;

/** 90 % two-sided, normal. */
const INTERVAL_Z = 1.6449;
/** A standardised feature further out than this is outside what a model was made for. */
const MAX_STANDARD = 4;

/** @returns probabilities in (0, 1), `low` ≤ `probability` ≤ `high` (90 % interval). */
export function predictCtr(model: CtrModel, subject: string, features: CtrFeatures): CtrPrediction {
  let logit = model.intercept.weight;
  let variance = model.intercept.deviation ** 2;
  for (const { name, mean, scale, weight, deviation } of model.features) {
    const value = features[name];
    if (value === null) {
      // Unknown x is N(mean, scale): its term has mean 0 and variance weight² + deviation².
      variance += weight ** 2 + deviation ** 2;
      continue;
    }
    const standard = Math.min(Math.max((value - mean) / scale, -MAX_STANDARD), MAX_STANDARD);
    logit += weight * standard;
    variance += (deviation * standard) ** 2;
  }
  const spread = INTERVAL_Z * Math.sqrt(variance);
  return {
    subject,
    probability: logistic(logit),
    low: logistic(logit - spread),
    high: logistic(logit + spread),
    modelVersion: model.version,
    source: 'model',
  };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Best first; equal scores keep the order of their subjects, so that a retry ranks the same. */
export function rankPredictions(predictions: readonly CtrPrediction[]): CtrPrediction[] {
  return predictions.toSorted((a, b) => b.probability - a.probability || (a.subject < b.subject ? -1 : 1));
}
