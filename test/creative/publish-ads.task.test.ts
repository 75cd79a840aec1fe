// Does each variation become one paused ad that its prediction knows, however the calls went?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/publish-ads.task.ts';
import type { Published } from '../../lambdas/creative/publish-input.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { BRIEF, creativeRun } from '../support/creative-run.ts';
import { launchCampaign, PROCESSING_MS } from '../support/launch.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const objects = (kind: 'ad' | 'adcreative') => rig.sandbox.meta.objects(DEFAULT_ACCOUNT.id, kind);

async function ready(job: Job): Promise<Published> {
  const published = await launchCampaign(rig, job);
  rig.clock.advance(PROCESSING_MS);
  return published;
}
function publish(job: Job, published: Published, context = {}) {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  return job.run(task, { request, plan, forecasts, published }, context);
}
const ledger = (job: Job, variationId: string) =>
  rig.table('predictions').get({ pk: `${job.tenant}#prediction#${variationId}`, sk: job.runId });

describe('PublishAds', () => {
  it('makes a paused ad of each variation, with its words, its video and its place in the ledger', async () => {
    const job = await rig.job();
    const campaign = await ready(job);
    const { published } = await publish(job, campaign);
    expect(published).toMatchObject({ ...campaign, ads: expect.any(Array) as unknown[] });
    expect(published.ads.map(({ variationId }) => variationId)).toEqual(
      campaign.videos.map(({ variationId }) => variationId),
    );
    expect([objects('adcreative').length, objects('ad').length]).toEqual([3, 3]);
    expect(rig.sandbox.meta.violations).toEqual([]);
    for (const [index, { variationId, creativeId, adId }] of published.ads.entries()) {
      const ad = objects('ad').find(({ id }) => id === adId);
      expect(ad?.fields).toMatchObject({
        status: 'PAUSED',
        adset_id: campaign.adSetId,
        creative: { id: creativeId },
      });
      const variation = creativeRun(job.tenant).plan.variations[index];
      const creative = objects('adcreative').find(({ id }) => id === creativeId);
      expect(creative?.fields['object_story_spec']).toMatchObject({
        page_id: DEFAULT_ACCOUNT.pageIds[0],
        video_data: {
          video_id: campaign.videos[index]?.videoId,
          message: variation?.primaryText,
          call_to_action: { value: { link: BRIEF.landingUrl } },
        },
      });
      expect((await ledger(job, variationId))?.['adId']).toBe(adId);
    }
  });

  it('run twice changes nothing', async () => {
    const job = await rig.job();
    const campaign = await ready(job);
    const first = await publish(job, campaign);
    const before = rig.account();
    expect(await publish(job, campaign)).toEqual(first);
    expect(rig.account()).toBe(before);
  });

  it.each([
    ['a creative', /\/adcreatives$/],
    ['an ad', /\/ads$/],
  ])('makes no second one when the reply to %s was lost', async (_what, path) => {
    const job = await rig.job();
    const campaign = await ready(job);
    rig.sandbox.meta.fail({ match: { method: 'POST', path }, with: 'apply-and-lose-reply', after: 1 });
    await expect(publish(job, campaign)).rejects.toMatchObject({ name: 'Unavailable' });
    const { published } = await publish(job, campaign);
    expect([objects('adcreative').length, objects('ad').length]).toEqual([3, 3]);
    expect(new Set(published.ads.map(({ adId }) => adId)).size).toBe(3);
  });

  it('waits for a video that is still being processed', async () => {
    const job = await rig.job();
    const campaign = await launchCampaign(rig, job);
    await expect(publish(job, campaign)).rejects.toMatchObject({
      name: 'Unavailable',
      message: `The platform has no picture of the video of ${campaign.videos[0]?.variationId} yet.`,
    });
    expect(objects('adcreative')).toEqual([]);
  });

  it.each([
    ['permission', 'Refused'],
    ['refuse', 'InvalidInput'],
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
  ] as const)('%s → %s, and a retry makes what is missing', async (failure, name) => {
    const job = await rig.job();
    const campaign = await ready(job);
    rig.sandbox.meta.fail({ match: { method: 'POST', path: /\/ads$/ }, with: failure, after: 2 });
    await expect(publish(job, campaign)).rejects.toMatchObject({ name });
    expect(objects('ad')).toHaveLength(2);
    await publish(job, campaign);
    expect([objects('adcreative').length, objects('ad').length]).toEqual([3, 3]);
  });

  it('takes back what a straggler made after the run was undone', async () => {
    const job = await rig.job();
    const campaign = await ready(job);
    const effects = {
      ...job.effects,
      async applied(effect: string, subject: string, result: unknown) {
        if (effect === 'ad') await job.effects.undone(effect, subject);
        return job.effects.applied(effect, subject, result);
      },
    };
    await expect(publish(job, campaign, { effects })).rejects.toMatchObject({ name: 'Conflict' });
    expect(objects('ad')).toEqual([]);
  });

  it('knows only variations of the plan', async () => {
    const job = await rig.job();
    const campaign = await ready(job);
    const videos = [{ variationId: 'v-ffffffffffff', videoId: campaign.videos[0]?.videoId ?? '' }];
    await expect(publish(job, { ...campaign, videos })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The plan has no variation v-ffffffffffff.',
    });
  });

  it('publishes with the tenant’s own account only', async () => {
    const owner = await rig.job();
    const campaign = await ready(owner);
    const before = rig.account();
    const none = await rig.job({ settings: { adAccounts: [] } });
    await expect(publish(none, campaign)).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(rig.account()).toBe(before);
  });
});
