// How does a run end whose plan nobody approved?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { busNeed } from '../runtime/bus.ts';
import { defineTask } from '../runtime/define-task.ts';
import { endRun } from '../runtime/end-run.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { clearAway, leftoversOf } from './leftovers.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, listOf, Verdict } from './types.ts';

export const { handler, task } = defineTask({
  name: 'RecordRejection',
  input: z.object({
    request: CreativeRequest,
    plan: BattlePlan,
    verdicts: listOf(Verdict),
    reasons: z.array(z.string()),
  }),
  output: z.object({ outcome: z.literal('rejected'), plan: z.string(), reasons: z.array(z.string()) }),
  needs: {
    runs: runsNeed('end'),
    bus: busNeed,
    media: bucketNeed([{ prefix: 'uploads/', access: 'delete' }]),
  },
  async run({ request, plan, reasons }, { runs, bus, media, run, clock, log }) {
    const leftovers = leftoversOf(run.tenant, request);
    const output = { outcome: 'rejected' as const, plan: plan.id, reasons };
    await bus.publish([
      {
        name: 'creative-generation.succeeded',
        detail: { tenant: run.tenant, runId: run.id, summary: output },
      },
    ]);
    await endRun(runs, { workflow: 'creative-generation', state: 'RecordRejection' }, run, {
      status: 'rejected',
      output,
      nowMs: clock.now(),
    });
    // Until now a redrive might have read them again.
    await clearAway(media, leftovers, log);
    return output;
  },
});
