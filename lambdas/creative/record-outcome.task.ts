// What did the run make, and who is told?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { busNeed } from '../runtime/bus.ts';
import { defineTask } from '../runtime/define-task.ts';
import { intentsNeed } from '../runtime/intents-need.ts';
import { endRun } from '../runtime/end-run.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { GoLive } from './go-live.ts';
import { Published } from './publish-input.ts';
import { clearAway, leftoversOf } from './leftovers.ts';
import { Report, usedFallbackScores } from './report.ts';
import { CreativeRequest } from './request.ts';
import { Video } from './types.ts';

export const { handler, task } = defineTask({
  name: 'RecordOutcome',
  input: Report.extend({ request: CreativeRequest, video: Video }),
  output: z.object({
    outcome: z.enum(['published', 'analyzed']),
    /** Everything above, as an object in the media bucket. */
    reportKey: z.string(),
    scenes: z.number().int(),
    variations: z.number().int(),
    published: Published.nullable(),
    goLive: GoLive.nullable(),
    usedFallbackScores: z.boolean(),
  }),
  needs: {
    media: bucketNeed([
      { prefix: 'analysis/', access: 'write' },
      { prefix: 'uploads/', access: 'delete' },
    ]),
    runs: runsNeed('end'),
    intents: intentsNeed,
    bus: busNeed,
  },
  runPercent: [99, 100],
  async run(input, { media, runs, intents, bus, run, clock, log }) {
    const reportKey = `${run.tenant}/analysis/${input.video.sha256}/report-${run.id}.json`;
    const leftovers = leftoversOf(run.tenant, input.request);
    await media.putJson(reportKey, input);
    const output = {
      outcome: input.published === null ? ('analyzed' as const) : ('published' as const),
      reportKey,
      scenes: input.features.list.length,
      variations: input.rendered.length,
      published: input.published,
      goLive: input.goLive,
      usedFallbackScores: usedFallbackScores(input),
    };
    await bus.publish([
      {
        name: 'creative-generation.succeeded',
        detail: { tenant: run.tenant, runId: run.id, summary: output },
      },
    ]);
    // Whatever fails before this line undoes the launch.
    await endRun(runs, { workflow: 'creative-generation', state: 'RecordOutcome' }, run, {
      status: 'succeeded',
      output,
      nowMs: clock.now(),
    });
    await intents.keep(run);
    // Until now a redrive might have read them again.
    await clearAway(media, leftovers, log);
    return output;
  },
});
