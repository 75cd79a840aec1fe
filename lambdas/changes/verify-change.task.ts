// Does the object have what was applied?
import * as z from 'zod';
import { adsReaderPort } from '../ports/ads/ads-reader-port.ts';
import { defineTask } from '../runtime/define-task.ts';
import { Unavailable } from '../runtime/errors.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { entityName, slotOf } from './change.ts';
import { valueOf } from './precondition.ts';
import { ChangeState } from './types.ts';
import { Value, Verdict } from './verdict.ts';

export const { handler, task } = defineTask({
  name: 'VerifyChange',
  input: z.object({ change: ChangeState, verdict: Verdict }),
  output: z.object({ after: Value.nullable() }),
  needs: { ads: adsReaderPort, settings: settingsNeed },
  runPercent: [80, 90],
  async run({ change, verdict }, { ads, settings, run }) {
    if (verdict.decision !== 'applied') return { after: null };
    const account = await settings.adAccount(run.tenant, change.accountId);
    const reader = await ads.for({ tenant: run.tenant, accountId: account.id, secret: account.secret });
    const live = await reader.live(change.entity);
    const after = live === null ? undefined : valueOf(live, slotOf(change.kind));
    if (after !== verdict.applied) {
      // Reads may lag behind writes: asked again a few times, then recorded as not verified.
      throw new Unavailable(
        `The platform took ${String(verdict.applied)} for ${entityName(change.entity)} and shows ${String(after)}.`,
      );
    }
    return { after };
  },
});
