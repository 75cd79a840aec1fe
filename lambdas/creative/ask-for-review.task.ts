// Who decides what the judges could not, and until when?
import * as z from 'zod';
import { busNeed } from '../runtime/bus.ts';
import { hashOf } from '../runtime/canonical.ts';
import { defineTask } from '../runtime/define-task.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import { stateMachineNeed } from '../runtime/state-machine.ts';
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
  needs: {
    creatives: creativesNeed('GetItem', 'PutItem'),
    bus: busNeed,
    runs: runsNeed('close'),
    machine: stateMachineNeed('creative-generation', 'token'),
  },
  runPercent: [62, 63],
  async run(
    { token, plan, verdicts, reasons, timeoutSeconds },
    { creatives, bus, runs, machine, run, clock },
  ) {
    const before = await creatives.review(run.tenant, run.id);
    // A run that was started again asks nobody twice about the same plan.
    if (before?.decision !== undefined && before.planHash === hashOf(plan)) {
      await machine.taskSucceeded(token, { approved: before.decision.approved });
      return { until: before.until };
    }
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
