// How is a file taken away that is not a usable video?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { Failure } from './failure.ts';
import { Ingested } from './ingested.ts';
import { leftoversOf } from './leftovers.ts';
import { CreativeRequest } from './request.ts';

export const { handler, task } = defineTask({
  name: 'DiscardVideo',
  input: z.object({ request: CreativeRequest, source: Ingested, failure: Failure }),
  output: z.object({ discarded: z.boolean() }),
  needs: {
    media: bucketNeed([
      { prefix: 'sources/', access: 'delete' },
      { prefix: 'uploads/', access: 'delete' },
    ]),
  },
  async run({ request, source, failure }, { media, run }) {
    // Only bytes that no run could ever use; a check that could not be made says nothing of the file.
    if (failure.Error !== 'InvalidInput') return { discarded: false };
    for (const key of [source.key, ...leftoversOf(run.tenant, request)]) await media.delete(key);
    return { discarded: true };
  },
});
