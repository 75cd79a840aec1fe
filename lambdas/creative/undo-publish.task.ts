// What did this run create in the ad account, to be deleted in reverse?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { noteObjects } from '../changes/creation.ts';
import { historyNeed } from '../changes/history.ts';
import { publisherPort } from '../ports/ads/publisher-port.ts';
import { predictionsNeed } from './predictions.ts';
import { createdObjects, PUBLISH_EFFECTS, takeBack } from './publish.ts';

export const { handler, task } = defineTask({
  name: 'UndoPublish',
  input: z.object({}),
  output: z.object({ removed: z.number().int() }),
  needs: {
    publisher: publisherPort,
    predictions: predictionsNeed,
    timelines: historyNeed('PutItem'),
  },
  undoes: [...PUBLISH_EFFECTS],
  async run(_input, { publisher, predictions, timelines, effects, run, clock }) {
    // First, while the intents still say which: learning must not join a prediction to an ad that is gone.
    for (const { subject } of await effects.open('ad'))
      await predictions.unpublished(run.tenant, run.id, subject);
    const created = await createdObjects(effects);
    const removed = await takeBack(
      effects,
      // An open circuit must not keep an undo from trying.
      ({ accountId, secret }) =>
        publisher.for({ tenant: run.tenant, accountId, secret }, { evenIfFailing: true }),
      run.id,
    );
    for (const [accountId, entities] of created)
      await noteObjects(
        timelines,
        { tenant: run.tenant, accountId, runId: run.id },
        'deleted',
        entities,
        clock.now(),
      );
    return { removed };
  },
});
