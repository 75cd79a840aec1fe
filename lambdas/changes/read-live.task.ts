// What does the platform say about the object right now, and is it still what the decision was based on?
import * as z from 'zod';
import { adsReaderPort, type AdsReaderPort } from '../ports/ads/ads-reader-port.ts';
import type { Activity, AdsReader, BudgetHolder } from '../ports/ads/live-ads.ts';
import type { Clock } from '../runtime/clock.ts';
import { defineTask } from '../runtime/define-task.ts';
import { settingsNeed, type SettingsReader } from '../runtime/settings.ts';
import { entityName, slotOf, type Change } from './change.ts';
import { changesNeed, type Changes } from './changes.ts';
import { heedNeeds, heedRefusal } from './heed-refusal.ts';
import { historyNeed, type History } from './history.ts';
import { byPeople, hasReached } from './people.ts';
import { velocityRule } from './policy.ts';
import { judgeLive } from './precondition.ts';
import { ChangeState, Seen, type ReadHistory } from './types.ts';
import { Verdict } from './verdict.ts';
import { refusalVerdict, unseenIf } from './write.ts';

export const { handler, task } = defineTask({
  name: 'ReadLive',
  input: z.object({ change: ChangeState }),
  output: z.object({ seen: Seen.nullable(), verdict: Verdict }),
  needs: {
    ads: adsReaderPort,
    settings: settingsNeed,
    changes: changesNeed(['Query']),
    timelines: historyNeed('PutItem'),
    ...heedNeeds,
  },
  runPercent: [20, 40],
  async run(input, context) {
    const { change } = input;
    try {
      return await look(change, context);
    } catch (error) {
      const refused = refusalVerdict(error, context.clock.now());
      if (refused === undefined) throw error;
      await heedRefusal(change, error, refused, context);
      return {
        seen: null,
        verdict: unseenIf(change.intent !== undefined, refused.verdict, context.clock.now()),
      };
    }
  },
});

interface Looking {
  ads: AdsReaderPort;
  settings: SettingsReader;
  changes: Pick<Changes, 'ofEntity'>;
  timelines: Pick<History, 'note'>;
  run: { tenant: string };
  clock: Clock;
}

async function look(
  change: Change,
  { ads, settings, changes, timelines, run, clock }: Looking,
): Promise<{ seen: Seen; verdict: Verdict }> {
  const account = await settings.adAccount(run.tenant, change.accountId);
  const { changes: chosen } = await settings.get(run.tenant);
  const reader = await ads.for({ tenant: run.tenant, accountId: account.id, secret: account.secret });
  const rule = velocityRule(chosen);
  const sinceMs = clock.now() - rule.windowMs - rule.marginMs;

  const [live, { currency, minDailyBudget }, activities, others] = await Promise.all([
    reader.live(change.entity),
    reader.account(),
    reader.activities(sinceMs),
    changes.ofEntity(run.tenant, change.accountId, change.entity),
  ]);
  const people = byPeople(activities, change.entity, others);
  await importEdits(timelines, change, people);
  const heldBy = others.find(
    ({ id, status, statusCode }) => id !== change.id && status === 'HELD' && statusCode === 'held-by-person',
  );
  const latest = people.at(-1);
  const verdict = judgeLive(
    change,
    live,
    {
      currency,
      heldBy: heldBy && { changeId: heldBy.id, reason: heldBy.statusReason },
      personsEdit: latest && { at: latest.at, actor: latest.actorName },
      personCooldownMs: chosen.personCooldownMinutes * 60_000,
      reached: hasReached(activities, change),
    },
    clock.now(),
  );
  const budgets = slotOf(change.kind) === 'budget' && verdict.decision === 'apply';
  const usage = reader.usage();
  return {
    seen: {
      live,
      account: { currency, minDailyBudgetMinor: minDailyBudget.amountMinor },
      history: budgets ? await historyOf(reader, activities, clock.now()) : null,
      usage: usage && { highestPercent: usage.highestPercent, regainMs: usage.regainMs, at: clock.now() },
    },
    verdict,
  };
}

/** Everybody's edits of the account's budgets, as far back as a window reaches. */
async function historyOf(
  reader: AdsReader,
  activities: readonly Activity[],
  readAt: number,
): Promise<ReadHistory> {
  const holders = await reader.budgets();
  const edits = activities.flatMap(({ what, entity, at, before, after }) => {
    if (typeof after !== 'number') return [];
    const line = { entity: entityName(entity), at, afterMinor: after };
    if (what === 'budget' && typeof before === 'number') return [{ ...line, beforeMinor: before }];
    // Until it was created it held none.
    return what === 'created' ? [{ ...line, beforeMinor: 0 }] : [];
  });
  const statusEdits = activities.flatMap(({ what, entity, at, before, after }) =>
    what === 'status' && entity.kind !== 'ad' && typeof before === 'string' && typeof after === 'string'
      ? [
          {
            entity: entityName(entity),
            at,
            activeBefore: before === 'ACTIVE',
            activeAfter: after === 'ACTIVE',
          },
        ]
      : [],
  );
  return { readAt, held: holders.map(heldOf), edits, statusEdits };
}

function heldOf({ kind, id, campaignId, dailyBudget, active }: BudgetHolder): ReadHistory['held'][number] {
  return { entity: `${kind}/${id}`, campaignId, amountMinor: dailyBudget.amountMinor, active };
}

/** The object's timeline shows what people did beside what we did; the same line again is no second one. */
async function importEdits(
  timelines: Pick<History, 'note'>,
  { tenant, accountId, entity }: Change,
  edits: readonly Activity[],
): Promise<void> {
  await Promise.all(
    edits.map((edit) =>
      timelines.note({
        tenant,
        accountId,
        entity,
        at: edit.at,
        sourceId: edit.id,
        by: edit.actorId === '' ? 'platform' : 'person',
        actor: edit.actorName,
        what: edit.what,
        before: edit.before,
        after: edit.after,
      }),
    ),
  );
}
