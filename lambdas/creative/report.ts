// What does a finished run leave behind as one object?
import * as z from 'zod';
import type { Run } from '../runtime/runs.ts';
import { GoLive } from './go-live.ts';
import { Published } from './publish-input.ts';
import {
  BattlePlan,
  CtrPrediction,
  Forecast,
  listOf,
  RankedScene,
  RenderedVariation,
  SceneFeatures,
  Verdict,
} from './types.ts';

/** The object that RecordOutcome leaves below `analysis/`. */
export const Report = z.object({
  features: listOf(SceneFeatures),
  ranked: listOf(RankedScene),
  predictions: listOf(CtrPrediction),
  plan: BattlePlan,
  forecasts: listOf(Forecast),
  verdicts: listOf(Verdict),
  rendered: z.array(RenderedVariation),
  published: Published.nullable(),
  goLive: GoLive.nullable(),
});
export type Report = z.infer<typeof Report>;

/** Its key, from the run's recorded output. */
export function reportKeyOf(run: Run): string | undefined {
  const output = z.object({ reportKey: z.string() }).safeParse(run.output);
  return output.success ? output.data.reportKey : undefined;
}

/** Scores of the click-through model could not be had and were replaced. */
export function usedFallbackScores({
  predictions,
  forecasts,
}: Pick<Report, 'predictions' | 'forecasts'>): boolean {
  return [...predictions.list, ...forecasts.list.map(({ ctr }) => ctr)].some(
    ({ source }) => source === 'fallback',
  );
}
