// Which activations wait in the queue, held until a person approves?
import * as z from 'zod';
import { changesNeed } from '../changes/changes.ts';
import { defineTask } from '../runtime/define-task.ts';
import { tableNeed } from '../runtime/table.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { creativesNeed } from './creatives.ts';
import type { Experiment } from './experiment.ts';
import { GO_LIVE, GoLive, goLiveChanges, type GoLiveIntent } from './go-live.ts';
import { Published } from './publish-input.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, Forecast, listOf } from './types.ts';

/** What nobody has to approve waits until the run that queued it has ended: one that fails takes it back first. */
const AUTO_DELAY_MS = 5 * 60_000;

export const { handler, task } = defineTask({
  name: 'QueueGoLive',
  input: z.object({
    request: CreativeRequest,
    plan: BattlePlan,
    forecasts: listOf(Forecast),
    published: Published,
  }),
  output: z.object({ goLive: GoLive }),
  needs: {
    changes: changesNeed(['GetItem', 'PutItem']),
    creatives: creativesNeed('GetItem', 'PutItem'),
    settings: settingsNeed,
    guarded: tableNeed('runs', ['ConditionCheckItem']),
  },
  effects: [GO_LIVE],
  undoneBy: 'UndoQueueGoLive',
  runPercent: [97, 99],
  async run({ plan, forecasts, published }, { changes, creatives, settings, effects, run, clock }) {
    const { goLive } = await settings.get(run.tenant);
    const status = goLive === 'auto' ? ('PENDING' as const) : ('HELD' as const);
    const nowMs = clock.now();
    const requests = goLiveChanges({
      notBefore: goLive === 'auto' ? nowMs + AUTO_DELAY_MS : nowMs,
      tenant: run.tenant,
      runId: run.id,
      published,
      plan,
      forecasts: forecasts.list,
      nowMs,
    });
    const { changes: queued, actions } = changes.queueing(
      requests.map((request) => ({ tenant: run.tenant, request, status, nowMs })),
    );
    const changeIds = queued.map(({ id }) => id);
    // Changes that an earlier try or attempt queued stay as they are: the transaction holds what is missing.
    const present = await Promise.all(changeIds.map((id) => changes.get(run.tenant, id)));
    const isMissing = (index: number): boolean =>
      present[index] === undefined || present[index].retracted === true;
    const missing = actions.filter((_, index) => isMissing(index));
    const experiment: Experiment = {
      tenant: run.tenant,
      runId: run.id,
      accountId: published.accountId,
      campaignId: published.campaignId,
      adSetId: published.adSetId,
      publishedAt: nowMs,
      arms: published.ads.map(({ variationId, adId }) => ({
        variationId,
        adId,
        predictedCtr: forecasts.list.find((one) => one.variationId === variationId)?.ctr.probability ?? 0,
      })),
    };
    // A later attempt of a run that has launched adds what was missing, and its undo takes back only that.
    const launched = (await effects.kept(GO_LIVE)).length > 0;
    const subject = launched ? `${published.campaignId}-${run.attempt}` : published.campaignId;
    const intent: GoLiveIntent = {
      changeIds: launched ? changeIds.filter((_, index) => isMissing(index)) : changeIds,
      experimentBefore: launched ? ((await creatives.experiment(run.tenant, run.id)) ?? null) : null,
    };
    await effects.begin(GO_LIVE, subject, intent);
    // With the intent in the same transaction, a straggler of an undone run queues nothing.
    await changes.transact([...missing, creatives.recording(experiment), ...effects.guard(GO_LIVE, subject)]);
    await effects.applied(GO_LIVE, subject, { changeIds });
    return { goLive: { status, changeIds } };
  },
});
