// What did this run create in the ad account, to be deleted in reverse?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { publisherPort } from '../ports/ads/publisher-port.ts';
import { predictionsNeed } from './predictions.ts';
import { PUBLISH_EFFECTS, takeBack } from './publish.ts';

export const { handler, task } = defineTask({
  name: 'UndoPublish',
  input: z.object({}),
  output: z.object({ removed: z.number().int() }),
  needs: { publisher: publisherPort, predictions: predictionsNeed },
  undoes: [...PUBLISH_EFFECTS],
  async run(_input, { publisher, predictions, effects, run }) {
    // First, while the intents still say which: learning must not join a prediction to an ad that is gone.
    for (const { subject } of await effects.open('ad'))
      await predictions.unpublished(run.tenant, run.id, subject);
    const removed = await takeBack(
      effects,
      // An open circuit must not keep an undo from trying.
      ({ accountId, secret }) =>
        publisher.for({ tenant: run.tenant, accountId, secret }, { evenIfFailing: true }),
      run.id,
    );
    return { removed };
  },
});
