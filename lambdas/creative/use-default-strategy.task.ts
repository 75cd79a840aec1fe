// What is made when the Director fails?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { defaultPlan } from './director.ts';
import { PlanInput } from './plan-input.ts';
import { BattlePlan } from './types.ts';
import { Failure } from './failure.ts';

export const { handler, task } = defineTask({
  name: 'UseDefaultStrategy',
  input: PlanInput.extend({ failure: Failure }),
  output: z.object({ plan: BattlePlan }),
  needs: {},
  runPercent: [52, 56],
  async run({ request: { brief }, video, features, ranked, failure }) {
    const context = { brief, scenes: features.list, ranked: ranked.list, sourceSha256: video.sha256 };
    return {
      plan: {
        ...defaultPlan(context),
        writtenBy: 'default-strategy' as const,
        needsReview: true,
        reasons: [`The Director failed (${failure.Error}), so the default strategy wrote the plan.`],
      },
    };
  },
});
