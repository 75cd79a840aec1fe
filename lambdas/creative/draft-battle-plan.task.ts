// Director: which variations tell the story?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { modelPort } from '../ports/model/model-port.ts';
import { defaultPlan } from './director.ts';
import { DIRECTOR, directorData, Ideas, variationsFrom } from './model-plan.ts';
import { PlanInput } from './plan-input.ts';
import { BattlePlan } from './types.ts';

/** Tokens of one variation in a model's answer, generously. */
const TOKENS_PER_VARIATION = 700;
const SEEDS = 2 ** 31;

export const { handler, task } = defineTask({
  name: 'DraftBattlePlan',
  input: PlanInput,
  output: z.object({ plan: BattlePlan }),
  needs: { model: modelPort },
  memoised: true,
  memoryMb: 512,
  runPercent: [52, 56],
  async run({ request: { brief }, video, features, ranked }, { model, random, tries }) {
    const context = { brief, scenes: features.list, ranked: ranked.list, sourceSha256: video.sha256 };
    if (model === null) {
      return {
        plan: {
          ...defaultPlan(context),
          writtenBy: 'default-strategy' as const,
          needsReview: false,
          reasons: ['No language model is configured, so the default strategy wrote the plan.'],
        },
      };
    }
    const director = await model();
    const ideas = await director.complete({
      task: 'draft battle plan',
      system: DIRECTOR,
      user: directorData(brief, features.list, ranked.list),
      schema: Ideas,
      maxTokens: TOKENS_PER_VARIATION * brief.count,
      temperature: 0.7,
      // The next one for each retry: a plan that could not be used would be written again.
      seed: (random.int(0, SEEDS - 1) + tries - 1) % SEEDS,
    });
    return {
      plan: {
        id: `plan-${video.sha256.slice(0, 12)}`,
        title: ideas.title,
        variations: variationsFrom(ideas, context),
        writtenBy: 'model' as const,
        needsReview: false,
        reasons: [`Written by ${director.name}.`],
      },
    };
  },
});
