// Has the platform taken the change, once?
import * as z from 'zod';
import { adsWriterPort } from '../ports/ads/ads-writer-port.ts';
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { changesNeed } from './changes.ts';
import { heedNeeds, heedRefusal } from './heed-refusal.ts';
import { leasesNeed } from './leases.ts';
import { switchedOff } from './policy.ts';
import { STRAGGLER_MS } from './release.ts';
import { ChangeState, ExecutionMode, Live, Reserved } from './types.ts';
import { defer, Verdict, type Value } from './verdict.ts';
import { doneVerdict, movedVerdict, patchOf, readBack, refusalVerdict, unseenIf } from './write.ts';

/** An older reservation is not used: its place in the window would be wrong. */
const RESERVATION_VALID_MS = 20_000;

export const { handler, task } = defineTask({
  name: 'ApplyChange',
  input: z.object({
    change: ChangeState,
    live: Live,
    verdict: Verdict,
    reserved: Reserved.pick({ at: true }),
    mode: ExecutionMode,
  }),
  output: z.object({ verdict: Verdict }),
  needs: {
    leases: leasesNeed('begin'),
    ...heedNeeds,
    changes: changesNeed(['GetItem']),
    settings: settingsNeed,
    ads: adsWriterPort,
  },
  runPercent: [60, 80],
  async run(
    { change, live, verdict, reserved, mode },
    { leases, changes, ads, settings, run, clock, log, ...heeding },
  ) {
    if (verdict.decision !== 'apply') return { verdict };
    const { before, applied } = verdict;
    if (mode === 'shadow') return { verdict: checked(before, applied, 'It was decided and recorded only.') };
    const account = await settings.adAccount(run.tenant, change.accountId);
    const writer = await ads.for({ tenant: run.tenant, accountId: account.id, secret: account.secret });
    const earlier = (await changes.get(run.tenant, change.id))?.intent;
    /** An earlier try may have reached the platform, and nobody has looked yet. */
    let open = earlier !== undefined;
    try {
      if (mode === 'validate') {
        await writer.update(change.entity, patchOf(change, applied), { validateOnly: true });
        return { verdict: checked(before, applied, 'The platform would take it; nothing was changed.') };
      }
      const found = await writer.live(change.entity);
      const reading = readBack(change, found, before, applied);
      if (reading === 'moved') return { verdict: movedVerdict(change, found, before) };
      if (reading === 'done') return { verdict: doneVerdict(change, before, applied, earlier) };
      const arrivedBy = earlier === undefined ? 0 : earlier.at + STRAGGLER_MS;
      if (clock.now() < arrivedBy) {
        const reason = 'What was asked before may still arrive: it is looked for once more after that.';
        return { verdict: unseenIf(true, defer(arrivedBy, 'unheard', reason), clock.now()) };
      }
      open = false;
      if (clock.now() - reserved.at > RESERVATION_VALID_MS) {
        const reason = 'Its place in the limits was too old to use.';
        return { verdict: defer(clock.now(), 'reservation-lapsed', reason) };
      }
      const stopped = await leases.begin(
        change,
        change.lease,
        { lease: change.lease, at: clock.now(), before, applied, tries: (earlier?.tries ?? 0) + 1 },
        { accountId: change.accountId, campaignId: live.campaignId ?? live.id, rule: change.origin.rule },
        clock.now(),
      );
      if (stopped !== undefined) return { verdict: switchedOff(stopped, clock.now()) };
      const { responseId } = await writer.update(change.entity, patchOf(change, applied));
      const executedAt = clock.now();
      return { verdict: { decision: 'applied' as const, before, applied, executedAt, responseId } };
    } catch (error) {
      const refused = refusalVerdict(error, clock.now());
      if (refused === undefined) throw error;
      await heedRefusal(change, error, refused, { ...heeding, clock, log });
      return { verdict: unseenIf(open, refused.verdict, clock.now()) };
    }
  },
});

function checked(before: Value, applied: Value, reason: string): Verdict {
  return { decision: 'checked', before, applied, code: 'checked', reason };
}
