// Which queued activations of this run are taken back?
import * as z from 'zod';
import { changesNeed } from '../changes/changes.ts';
import { defineTask } from '../runtime/define-task.ts';
import { creativesNeed } from './creatives.ts';
import { GO_LIVE, GoLiveIntent } from './go-live.ts';

export const { handler, task } = defineTask({
  name: 'UndoQueueGoLive',
  input: z.object({}),
  output: z.object({ cancelled: z.number().int() }),
  needs: {
    changes: changesNeed(['GetItem', 'UpdateItem']),
    creatives: creativesNeed('PutItem', 'DeleteItem'),
  },
  undoes: [GO_LIVE],
  async run(_input, { changes, creatives, effects, run, clock }) {
    let cancelled = 0;
    for (const intent of await effects.open(GO_LIVE)) {
      const { changeIds, experimentBefore } = GoLiveIntent.parse(intent.details);
      for (const id of changeIds) {
        if (await changes.retract(run.tenant, id, 'The launch it belongs to was undone.', clock.now()))
          cancelled += 1;
      }
      await changes.transact([
        experimentBefore === null
          ? creatives.removing(run.tenant, run.id)
          : creatives.recording(experimentBefore),
      ]);
      await effects.undone(GO_LIVE, intent.subject);
    }
    return { cancelled };
  },
});
