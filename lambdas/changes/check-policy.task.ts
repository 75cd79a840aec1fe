// May this change be applied, by the rules the tenant chose?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { killSwitchesNeed } from './kill-switches.ts';
import { ledgersNeed } from './ledgers.ts';
import { judgePolicy, modeOf } from './policy.ts';
import { quietUntil } from './quiet-hours.ts';
import { ChangeState, ExecutionMode, Seen } from './types.ts';
import { defer, Verdict } from './verdict.ts';

export const { handler, task } = defineTask({
  name: 'CheckPolicy',
  input: z.object({ change: ChangeState, seen: Seen.nullable(), verdict: Verdict }),
  output: z.object({ verdict: Verdict, mode: ExecutionMode }),
  needs: {
    settings: settingsNeed,
    switches: killSwitchesNeed('Query'),
    ledgers: ledgersNeed('GetItem'),
  },
  runPercent: [40, 50],
  async run({ change, seen, verdict }, { settings, switches, ledgers, run, clock }) {
    const nowMs = clock.now();
    const { changes: chosen } = await settings.get(run.tenant);
    const mode = modeOf(change.mode, chosen.mode);
    const live = seen?.live ?? null;
    if (verdict.decision !== 'apply' || seen === null || live === null) return { verdict, mode };
    const { timeZone } = await settings.adAccount(run.tenant, change.accountId);
    const quiet = quietUntil(nowMs, timeZone, chosen.quietHours);
    if (quiet !== undefined) {
      const until = new Date(quiet).toISOString();
      return { verdict: defer(quiet, 'quiet-hours', `Nothing is applied before ${until}.`), mode };
    }
    const ledger = await ledgers.get(run.tenant, change.accountId);
    const judged = judgePolicy(
      change,
      verdict,
      {
        live,
        account: seen.account,
        switches: await switches.on(run.tenant),
        history: seen.history === null ? undefined : { ...seen.history, own: ledger.edits },
        settings: chosen,
      },
      nowMs,
    );
    return { verdict: judged, mode };
  },
});
