// In which paused campaign and ad set do the ads go, and how do the videos get there?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { Refused, Unavailable } from '../runtime/errors.ts';
import { settingsNeed } from '../runtime/settings.ts';
import { creationNeed } from '../changes/creation.ts';
import { publisherPort } from '../ports/ads/publisher-port.ts';
import { launchAim, launchBudgetMinor } from './launch.ts';
import { ensure } from './publish.ts';
import { Published } from './publish-input.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, RenderedVariation } from './types.ts';

export const { handler, task } = defineTask({
  name: 'PublishCampaign',
  input: z.object({
    request: CreativeRequest,
    plan: BattlePlan,
    rendered: z.array(RenderedVariation).min(1),
  }),
  output: z.object({ published: Published }),
  needs: {
    publisher: publisherPort,
    settings: settingsNeed,
    creation: creationNeed,
    media: bucketNeed([{ prefix: 'renders/', access: 'read' }]),
  },
  effects: ['campaign', 'ad-set', 'video'],
  undoneBy: 'UndoPublish',
  memoryMb: 1024,
  runPercent: [90, 93],
  async run(
    { request, plan, rendered },
    { publisher: port, settings, creation, media, effects, run, progress },
  ) {
    const account = await settings.adAccount(run.tenant, request.adAccountId);
    const at = { tenant: run.tenant, accountId: account.id, runId: run.id };
    // Campaign, ad set, and a video of each variation.
    await creation.allow({ ...at, launch: `${run.id}/campaign`, count: 2 + rendered.length });
    const reference = { tenant: run.tenant, accountId: account.id, secret: account.secret };
    const publisher = await port.for(reference);
    const context = {
      effects,
      publisher,
      runId: run.id,
      account: { accountId: account.id, secret: account.secret },
    };
    const live = await publisher.account();
    if (!live.canAdvertise) {
      throw new Refused(
        `The ad account ${account.id} may not advertise now: it is not active. See its account quality and billing on the platform.`,
      );
    }
    const aim = launchAim(account);
    const dailyBudgetMinor = launchBudgetMinor(account, await settings.get(run.tenant), live);
    const label = plan.title;

    const campaignId = await ensure(context, {
      kind: 'campaign',
      subject: 'launch',
      label,
      create: (name) =>
        publisher.createCampaign({
          name,
          objective: aim.objective,
          specialAdCategories: account.specialAdCategories,
        }),
    });
    const adSetId = await ensure(context, {
      kind: 'ad-set',
      subject: 'launch',
      label,
      create: (name) =>
        publisher.createAdSet({
          name,
          campaignId,
          aim,
          dailyBudget: { amountMinor: dailyBudgetMinor, currency: account.currency },
          countries: account.countries,
          ageMin: account.ageMin,
          ageMax: account.ageMax,
          ...(account.pixelId === undefined
            ? {}
            : { pixelId: account.pixelId, conversionEvent: account.conversionEvent }),
        }),
    });
    const videos: { variationId: string; videoId: string }[] = [];
    for (const { variationId, renditions } of rendered) {
      // The first format asked for is the ad's; the others wait in the bucket.
      const [rendition] = renditions;
      if (!rendition) throw new Unavailable(`Variation ${variationId} has no rendition.`);
      const { key, sizeBytes } = rendition;
      const videoId = await ensure(context, {
        kind: 'video',
        subject: variationId,
        label: `${request.brief.product} ${variationId}`,
        create: (name) =>
          publisher.uploadVideo(name, {
            bytes: {
              sizeBytes,
              async read(start, end) {
                const bytes = await media.get(key, { from: start, to: end - 1 });
                if (bytes === undefined)
                  throw new Unavailable(`The rendered file ${key} is not in the bucket.`);
                return bytes;
              },
            },
          }),
      });
      videos.push({ variationId, videoId });
      progress((100 * videos.length) / rendered.length);
    }
    await creation.observe(at, publisher.usage());
    await creation.note(at, 'created', [
      { kind: 'campaign', id: campaignId },
      { kind: 'adset', id: adSetId },
    ]);
    return {
      published: {
        accountId: account.id,
        currency: account.currency,
        dailyBudgetMinor,
        campaignId,
        adSetId,
        videos,
        ads: [],
      },
    };
  },
});
