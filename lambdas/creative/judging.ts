// How do the judges mark one variation, and how is it rewritten until they approve?
import type * as z from 'zod';
import { isTaskError } from '../runtime/errors.ts';
import type { Model } from '../ports/model/model.ts';
import { ctrScore, decide, JUDGE_WEIGHTS, type CouncilRules } from './council.ts';
import { variationCtrFeatures } from './ctr-features.ts';
import type { CtrPredictor } from './ctr-port.ts';
import { judgePrompt, Marks } from './model-plan.ts';
import { rewrite } from './rewrite.ts';
import { mark, RUBRICS, totalOf, type Mark, type RubricName } from './rubric.ts';
import type { Brief, SceneFeatures, Variation, Verdict } from './types.ts';

export interface Panel {
  brief: Brief;
  scenes: readonly SceneFeatures[];
  sourceSha256: string;
  predictor: CtrPredictor;
  rules: CouncilRules;
  /** Click-through the account usually sees, 0..1. */
  usualCtr: number;
  /** Null: the rubric judges. */
  model: Model | null;
  seed: number;
}

type VerdictValue = z.infer<typeof Verdict>;
type Judgement = VerdictValue['judges'][number];

/** Requirements, AI council. */
const MAX_REWRITES = 3;
const RUBRIC_NAMES: readonly RubricName[] = ['creative', 'psychology', 'logic'];
const TOKENS_PER_JUDGE = 700;

/** Judged as it is; while not approved, mended and judged again, up to three times. The best version stands. */
export async function judgeUntilApproved(
  panel: Panel,
  variation: Variation,
): Promise<{ variation: Variation; verdict: VerdictValue }> {
  let best = { variation, verdict: await judge(panel, variation, 0) };
  let current = best;
  for (let rewrites = 1; rewrites <= MAX_REWRITES && !best.verdict.approved; rewrites++) {
    const marks = RUBRIC_NAMES.flatMap((rubric) => mark(rubric, current.variation, panel.brief));
    const next = rewrite(current.variation, marks, panel.brief, panel.sourceSha256);
    if (next.id === current.variation.id) break;
    current = { variation: next, verdict: await judge(panel, next, rewrites) };
    if ((current.verdict.score ?? -1) > (best.verdict.score ?? -1)) best = current;
  }
  return best;
}

async function judge(panel: Panel, variation: Variation, rewrites: number): Promise<VerdictValue> {
  const { model } = panel;
  const byRubrics =
    model === null
      ? RUBRIC_NAMES.map((rubric) => byRubric(panel, rubric, variation))
      : await Promise.all(RUBRIC_NAMES.map((rubric) => byModel(panel, model, rubric, variation)));
  return decide(variation.id, [...byRubrics, byCtr(panel, variation)], rewrites, panel.rules);
}

function byRubric({ brief }: Panel, rubric: RubricName, variation: Variation): Judgement {
  return judgement(rubric, mark(rubric, variation, brief), 'rubric');
}

/** A judge that fails or answers nonsense is silent: its weight goes to the others. */
async function byModel(
  panel: Panel,
  model: Model,
  rubric: RubricName,
  variation: Variation,
): Promise<Judgement> {
  const items = RUBRICS[rubric];
  try {
    const { items: answers } = await model.complete({
      task: `judge ${rubric}`,
      system: judgePrompt(rubric, items),
      user: JSON.stringify({ brief: panel.brief, variation }),
      schema: Marks,
      maxTokens: TOKENS_PER_JUDGE,
      temperature: 0,
      seed: panel.seed,
    });
    const marks = items.map(({ item, max }): Mark => {
      const answer = answers.find((one) => one.item === item);
      return {
        item,
        max,
        points: answer === undefined ? 0 : Math.min(answer.points, max),
        note: answer?.note ?? 'The judge gave no points for it.',
      };
    });
    return judgement(rubric, marks, 'model');
  } catch (error) {
    if (!isTaskError(error)) throw error;
    return {
      judge: rubric,
      weight: JUDGE_WEIGHTS[rubric],
      score: null,
      items: {},
      answeredBy: 'nobody',
      notes: [`${error.name}: ${error.message}`],
    };
  }
}

function byCtr({ predictor, scenes, usualCtr }: Panel, variation: Variation): Judgement {
  const prediction = predictor.predict(variation.id, variationCtrFeatures(variation, scenes));
  // A fallback score knows nothing of this account and judges nobody.
  const answered = prediction.source === 'model';
  return {
    judge: 'ctr',
    weight: JUDGE_WEIGHTS.ctr,
    score: answered ? ctrScore(prediction.probability, usualCtr) : null,
    items: {},
    answeredBy: answered ? 'ctr-model' : 'nobody',
    notes: [
      `Predicted click-through ${(100 * prediction.probability).toFixed(2)} %, usually ${(100 * usualCtr).toFixed(2)} %.`,
    ],
  };
}

function judgement(rubric: RubricName, marks: readonly Mark[], answeredBy: 'rubric' | 'model'): Judgement {
  return {
    judge: rubric,
    weight: JUDGE_WEIGHTS[rubric],
    score: totalOf(marks),
    items: Object.fromEntries(marks.flatMap(({ item, points }) => (points === null ? [] : [[item, points]]))),
    answeredBy,
    notes: marks.flatMap(({ note }) => (note === null ? [] : [note])),
  };
}
