// Which variations go on, in which words, and must a person decide?
import * as z from 'zod';
import { Unavailable } from '../runtime/errors.ts';
import { reviewReasons, type CouncilRules, type PanelRules } from './council.ts';
import { forecastAll } from './forecasting.ts';
import { judgeUntilApproved, type Panel } from './judging.ts';
import type { ForecastBaseline } from './oracle.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, Forecast, listOf, SceneFeatures, VariationId, Verdict, Video } from './types.ts';

export const QualityInput = z.object({
  request: CreativeRequest,
  video: Video,
  plan: BattlePlan,
  features: listOf(SceneFeatures),
  forecasts: listOf(Forecast),
});

export const QualityOutput = z.object({
  /** With rewritten variations in place of the first versions. */
  plan: BattlePlan,
  forecasts: listOf(Forecast),
  verdicts: listOf(Verdict),
  /** Ids of approved variations. */
  approved: z.array(VariationId),
  /** Why a person must decide; empty: nobody needs to. */
  reviewReasons: z.array(z.string()),
});

/** What the tenant's settings say of it. */
export interface QualityRules {
  council: CouncilRules & PanelRules;
  forecastBaseline: ForecastBaseline;
}

/** Variations judged side by side; each asks three judges at once, and vendors limit calls in flight. */
const JUDGED_TOGETHER = 3;

/**
 * Judges every variation; a rewritten one is forecast anew, because it is another ad.
 * @throws Unavailable when there is a model and it answered for no judge of any variation: nobody has judged.
 */
export async function reviewPlan(
  { request, video, plan, forecasts, features }: z.output<typeof QualityInput>,
  { council, forecastBaseline }: QualityRules,
  judges: Pick<Panel, 'predictor' | 'model' | 'seed'>,
): Promise<z.output<typeof QualityOutput>> {
  const panel: Panel = {
    ...judges,
    brief: request.brief,
    scenes: features.list,
    sourceSha256: video.sha256,
    rules: council,
    usualCtr: forecastBaseline.ctrPercent / 100,
  };
  const judged: Awaited<ReturnType<typeof judgeUntilApproved>>[] = [];
  for (let at = 0; at < plan.variations.length; at += JUDGED_TOGETHER) {
    const some = plan.variations.slice(at, at + JUDGED_TOGETHER);
    judged.push(...(await Promise.all(some.map((variation) => judgeUntilApproved(panel, variation)))));
  }
  const judgements = judged.flatMap(({ verdict }) => verdict.judges);
  if (panel.model !== null && !judgements.some(({ answeredBy }) => answeredBy === 'model')) {
    const why = judgements.find(({ answeredBy }) => answeredBy === 'nobody')?.notes[0] ?? 'no reason given';
    throw new Unavailable(`The model judged none of ${judged.length} variations: ${why}`);
  }
  const known = new Map(forecasts.list.map((one) => [one.variationId, one]));
  const rewritten = judged.map(({ variation }) => variation).filter(({ id }) => !known.has(id));
  for (const one of forecastAll(rewritten, features.list, panel.predictor, forecastBaseline))
    known.set(one.variationId, one);
  const distinct = judged.filter(
    ({ variation }, index) => judged.findIndex((other) => other.variation.id === variation.id) === index,
  );
  const verdicts = distinct.map(({ verdict }) => verdict);
  return {
    plan: { ...plan, variations: distinct.map(({ variation }) => variation) },
    forecasts: { list: distinct.flatMap(({ variation }) => known.get(variation.id) ?? []) },
    verdicts: { list: verdicts },
    approved: verdicts.filter(({ approved }) => approved).map(({ variationId }) => variationId),
    reviewReasons: reviewReasons(verdicts, council, plan.needsReview ? reasonsOf(plan) : []),
  };
}

/** A plan that needs a person is never waved through because it does not say why. */
function reasonsOf({ reasons, writtenBy }: BattlePlan): readonly string[] {
  return reasons.length > 0 ? reasons : [`The plan (written by ${writtenBy}) asks for a person.`];
}
