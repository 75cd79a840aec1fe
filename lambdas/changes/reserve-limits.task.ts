// Is there room for one more change in everything that limits the account, and whose is it now?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { buckets } from './buckets.ts';
import { entityName, slotOf } from './change.ts';
import { observe, reserve } from './ledger.ts';
import { ledgersNeed } from './ledgers.ts';
import { limitsOf, localDay } from './limits.ts';
import { movedMinor, velocityRule, velocityVerdict } from './policy.ts';
import { ChangeState, ExecutionMode, Reserved, Seen } from './types.ts';
import { judgeVelocity } from './velocity.ts';
import { block, defer, Verdict } from './verdict.ts';

export const { handler, task } = defineTask({
  name: 'ReserveLimits',
  input: z.object({ change: ChangeState, seen: Seen.nullable(), verdict: Verdict, mode: ExecutionMode }),
  output: z.object({ verdict: Verdict, reserved: Reserved.nullable() }),
  needs: { settings: settingsNeed, ledgers: ledgersNeed('GetItem', 'PutItem') },
  runPercent: [50, 60],
  async run({ change, seen, verdict, mode }, { settings, ledgers, run, clock }) {
    const nowMs = clock.now();
    if (verdict.decision !== 'apply' || seen === null || seen.live === null)
      return { verdict, reserved: null };
    const { live, usage } = seen;
    // What writes nothing takes nothing.
    if (mode === 'shadow') return { verdict, reserved: { at: nowMs, limits: [] } };
    const { changes: chosen } = await settings.get(run.tenant);
    const { timeZone } = await settings.adAccount(run.tenant, change.accountId);
    const limits = limitsOf(chosen);
    const campaignId = live.campaignId ?? live.id;
    const [before, after] = [verdict.before, verdict.applied];
    const isBudget =
      slotOf(change.kind) === 'budget' && typeof before === 'number' && typeof after === 'number';

    return ledgers.change<{ verdict: Verdict; reserved: Reserved | null }>(
      run.tenant,
      change.accountId,
      (found) => {
        const ledger =
          usage === null
            ? found
            : observe(found, {
                highestPercent: usage.highestPercent,
                regainUntil: usage.regainMs > 0 ? usage.at + usage.regainMs : 0,
                readAt: usage.at,
              });
        // A refusal writes nothing that is there already: those who ask do not stand in each other's way.
        const seenOnly = ledger === found ? {} : { ledger };
        // Judged again on what the others have reserved since the policy was.
        if (isBudget && seen.history !== null) {
          const own = ledger.edits.filter(({ changeId }) => changeId !== change.id);
          const target = { entity: entityName(change.entity), campaignId };
          const velocity = judgeVelocity(
            target,
            after,
            { ...seen.history, own },
            velocityRule(chosen),
            nowMs,
          );
          if (!velocity.allowed)
            return { ...seenOnly, answer: { verdict: velocityVerdict(change, velocity), reserved: null } };
        }
        const answer = reserve(
          ledger,
          {
            changeId: change.id,
            lease: change.lease,
            entity: entityName(change.entity),
            campaignId,
            ...(isBudget ? { budget: { beforeMinor: before, afterMinor: after } } : {}),
            ...(change.entity.kind === 'adset' ? { adSetId: change.entity.id } : {}),
            movesMinor: movedMinor(change, live, before, after),
            originId: `${change.origin.area}/${change.origin.id}`,
            ...localDay(nowMs, timeZone),
          },
          limits,
          nowMs,
        );
        if (answer.granted) {
          const full = buckets(answer.ledger, limits, nowMs).map(({ name, used, limit }) => ({
            name,
            used,
            limit,
          }));
          const reserved = { at: answer.reservation.at, limits: full };
          return { ledger: answer.ledger, answer: { verdict, reserved } };
        }
        const { code, reason, retryAt } = answer;
        const no =
          retryAt === null || retryAt >= change.expiresAt
            ? block(code, reason)
            : defer(retryAt, code, reason);
        return { ...seenOnly, answer: { verdict: no, reserved: null } };
      },
    );
  },
});
