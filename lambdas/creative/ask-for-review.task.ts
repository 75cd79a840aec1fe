// Who decides what the judges could not, and until when?
import * as z from 'zod';
import { busNeed } from '../runtime/bus.ts';
import { defineTask } from '../runtime/define-task.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { creativesNeed } from './creatives.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, Forecast, listOf, Verdict } from './types.ts';

export const { handler, task } = defineTask({
  name: 'AskForReview',
  input: z.object({
    token: z.string().min(1),
    request: CreativeRequest,
    plan: BattlePlan,
    verdicts: listOf(Verdict),
    forecasts: listOf(Forecast),
    reasons: z.array(z.string()),
    timeoutSeconds: z.number().positive(),
  }),
  output: z.object({ until: z.number() }),
  needs: { creatives: creativesNeed('PutItem'), bus: busNeed, runs: runsNeed('close') },
  runPercent: [62, 63],
  async run({ token, plan, verdicts, reasons, timeoutSeconds }, { creatives, bus, runs, run, clock }) {
    const until = clock.now() + timeoutSeconds * 1000;
    // Stored before anyone is asked: an answer that comes at once must find it.
    await creatives.openReview(run.tenant, {
      runId: run.id,
      token,
      reasons,
      until,
      plan,
      verdicts: verdicts.list,
    });
    await runs.setStatus(run.tenant, run.id, 'needs-review', clock.now(), {
      reasons,
      until: new Date(until).toISOString(),
    });
    await bus.publish([
      {
        name: 'creative-generation.needs-review',
        detail: { tenant: run.tenant, runId: run.id, reasons, until: new Date(until).toISOString() },
      },
    ]);
    return { until };
  },
});
