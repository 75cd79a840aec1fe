// What is created, paused, for each variation?
import * as z from 'zod';
import { defineTask } from '../runtime/define-task.ts';
import { InvalidInput, Unavailable } from '../runtime/errors.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { creationNeed } from '../changes/creation.ts';
import { publisherPort } from '../ports/ads/publisher-port.ts';
import { predictionsNeed } from './predictions.ts';
import { ensure } from './publish.ts';
import { Published } from './publish-input.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, listOf, Forecast } from './types.ts';

export const { handler, task } = defineTask({
  name: 'PublishAds',
  input: z.object({
    request: CreativeRequest,
    plan: BattlePlan,
    forecasts: listOf(Forecast),
    published: Published,
  }),
  output: z.object({ published: Published }),
  needs: {
    publisher: publisherPort,
    settings: settingsNeed,
    creation: creationNeed,
    predictions: predictionsNeed,
  },
  effects: ['creative', 'ad'],
  undoneBy: 'UndoPublish',
  runPercent: [94, 97],
  async run(
    { request, plan, published },
    { publisher: port, settings, creation, predictions, effects, run, progress },
  ) {
    const account = await settings.adAccount(run.tenant, request.adAccountId);
    const at = { tenant: run.tenant, accountId: account.id, runId: run.id };
    // A creative and an ad of each variation.
    await creation.allow({ ...at, launch: `${run.id}/ads`, count: 2 * published.videos.length });
    const publisher = await port.for({ tenant: run.tenant, accountId: account.id, secret: account.secret });
    const context = {
      effects,
      publisher,
      runId: run.id,
      account: { accountId: account.id, secret: account.secret },
    };
    const ads: Published['ads'] = [];
    for (const { variationId, videoId } of published.videos) {
      const variation = plan.variations.find(({ id }) => id === variationId);
      if (!variation) throw new InvalidInput(`The plan has no variation ${variationId}.`, { path: 'plan' });
      const label = `${request.brief.product} · ${variation.hook.text}`;
      const creativeId = await ensure(context, {
        kind: 'creative',
        subject: variationId,
        label,
        async create(name) {
          const status = await publisher.videoStatus(videoId);
          if (status?.state !== 'ready' || status.thumbnailUrl === null) {
            throw new Unavailable(`The platform has no picture of the video of ${variationId} yet.`);
          }
          return publisher.createCreative({
            name,
            pageId: account.pageId,
            videoId,
            thumbnailUrl: status.thumbnailUrl,
            primaryText: variation.primaryText,
            headline: variation.headline,
            callToAction: variation.callToAction.type,
            landingUrl: request.brief.landingUrl,
          });
        },
      });
      const adId = await ensure(context, {
        kind: 'ad',
        subject: variationId,
        label,
        create: (name) => publisher.createAd({ name, adSetId: published.adSetId, creativeId }),
      });
      // Learning joins outcomes to predictions on it.
      await predictions.published(run.tenant, run.id, variationId, adId);
      ads.push({ variationId, creativeId, adId });
      progress((100 * ads.length) / published.videos.length);
    }
    await creation.observe(at, publisher.usage());
    await creation.note(
      at,
      'created',
      ads.map(({ adId }) => ({ kind: 'ad', id: adId })),
    );
    return { published: { ...published, ads } };
  },
});
