// Who hears of a variation that could not be rendered, and how is it made later?
import * as z from 'zod';
import { busNeed } from '../runtime/bus.ts';
import { defineTask } from '../runtime/define-task.ts';
import { queueNeed } from '../runtime/queue.ts';
import { Failure } from './failure.ts';
import { RenderOutput } from './render-input.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, VariationId } from './types.ts';

export const { handler, task } = defineTask({
  name: 'ReportRenderFailure',
  input: z.object({ request: CreativeRequest, plan: BattlePlan, variation: VariationId, failure: Failure }),
  output: RenderOutput,
  needs: { deadLetters: queueNeed('creative-dead-letters', 'send'), bus: busNeed },
  subject: ({ variation }) => variation,
  async run({ plan, variation, failure }, { deadLetters, bus, run }) {
    const spec = plan.variations.find(({ id }) => id === variation);
    // A redrive of this message starts the run again, which renders and publishes only what is missing.
    await deadLetters.send({
      kind: 'variation',
      stateMachine: 'creative-generation',
      run: { id: run.id, tenant: run.tenant },
      variation: spec ?? { id: variation },
      error: failure.Error,
      cause: failure.Cause.slice(0, 2000),
    });
    await bus.publish([
      {
        name: 'variation.render-failed',
        detail: {
          tenant: run.tenant,
          runId: run.id,
          variationId: variation,
          error: failure.Error,
          cause: failure.Cause.slice(0, 2000),
        },
      },
    ]);
    return { rendered: [], failed: [variation] };
  },
});
