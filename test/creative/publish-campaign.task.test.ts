// Does the account hold one paused campaign, ad set and video of each variation, however the calls went?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/publish-campaign.task.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { creativeRun, renderedOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

async function store(job: Job) {
  const rendered = renderedOf(job.tenant, creativeRun(job.tenant).plan);
  for (const { renditions, bytes } of rendered) await rig.media.put(renditions[0]?.key ?? '', bytes);
  return rendered;
}
/** As the platform tells of an account that it has disabled. */
const disabled = {
  for: () =>
    Promise.resolve({
      account: () =>
        Promise.resolve({
          canAdvertise: false,
          currency: 'USD',
          minDailyBudget: { amountMinor: 100, currency: 'USD' },
        }),
    }),
};
async function publish(job: Job, context = {}, change = {}) {
  const { request, plan } = creativeRun(job.tenant);
  const rendered = renderedOf(job.tenant, plan);
  return job.run(task, { request: { ...request, ...change }, plan, rendered }, context);
}
const objects = (kind: 'campaign' | 'adset' | 'advideo') =>
  rig.sandbox.meta.objects(DEFAULT_ACCOUNT.id, kind);
const counts = () => [objects('campaign').length, objects('adset').length, objects('advideo').length];
const account = (job: Job, change = {}) => ({
  id: DEFAULT_ACCOUNT.id,
  currency: 'USD',
  timeZone: 'America/New_York',
  pageId: DEFAULT_ACCOUNT.pageIds[0] ?? '',
  secret: `tenants/${job.tenant}/meta`,
  ...change,
});
/** A job whose settings name its own secret. */
async function jobWith(change: object): Promise<Job> {
  const job = await rig.job();
  await rig.table('settings').update({
    Key: { pk: `${job.tenant}#settings`, sk: 'current' },
    UpdateExpression: 'SET settings.adAccounts = :accounts',
    ExpressionAttributeValues: { ':accounts': [account(job, change)] },
  });
  return job;
}

describe('PublishCampaign', () => {
  it('creates nothing in an account that may not advertise, and says why', async () => {
    const job = await rig.job();
    await store(job);
    await expect(publish(job, { publisher: disabled })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(
        new RegExp(`^The ad account ${DEFAULT_ACCOUNT.id} may not advertise now`),
      ) as string,
    });
    expect(await job.intents()).toEqual([]);
  });

  it('creates everything paused, within the tenant’s budget, with an aim that agrees', async () => {
    const job = await rig.job();
    await store(job);
    const { published } = await publish(job);
    expect(published).toMatchObject({
      accountId: DEFAULT_ACCOUNT.id,
      currency: 'USD',
      dailyBudgetMinor: 2_000,
      campaignId: objects('campaign')[0]?.id,
      adSetId: objects('adset')[0]?.id,
      ads: [],
    });
    expect(counts()).toEqual([1, 1, 3]);
    expect(objects('campaign')[0]?.fields).toMatchObject({ status: 'PAUSED', objective: 'OUTCOME_TRAFFIC' });
    expect(objects('adset')[0]?.fields).toMatchObject({
      status: 'PAUSED',
      campaign_id: published.campaignId,
      optimization_goal: 'LANDING_PAGE_VIEWS',
      daily_budget: '2000',
    });
    expect(rig.sandbox.meta.violations).toEqual([]);
    const titles = new Map(objects('advideo').map(({ id, fields }) => [id, String(fields['title'])]));
    for (const { variationId, videoId } of published.videos)
      expect(titles.get(videoId)).toContain(`[${job.runId}/video/${variationId}]`);
    expect((await job.intents()).map(({ effect, status }) => `${effect} ${status}`).toSorted()).toEqual([
      'ad-set applied',
      'campaign applied',
      'video applied',
      'video applied',
      'video applied',
    ]);
  });

  it('aims at sales where a pixel counts them', async () => {
    const job = await jobWith({ pixelId: DEFAULT_ACCOUNT.pixelIds[0] });
    await store(job);
    await publish(job);
    expect(objects('campaign')[0]?.fields['objective']).toBe('OUTCOME_SALES');
    expect(objects('adset')[0]?.fields).toMatchObject({
      optimization_goal: 'OFFSITE_CONVERSIONS',
      promoted_object: { pixel_id: DEFAULT_ACCOUNT.pixelIds[0], custom_event_type: 'PURCHASE' },
    });
  });

  it('run twice changes nothing', async () => {
    const job = await rig.job();
    await store(job);
    const first = await publish(job);
    const before = rig.account();
    expect(await publish(job)).toEqual(first);
    expect(rig.account()).toBe(before);
  });

  it.each([
    ['the campaign', /\/campaigns$/, 0],
    ['the ad set', /\/adsets$/, 0],
    ['the first video', /\/advideos$/, 2],
    ['the last video', /\/advideos$/, 8],
  ])('makes no second one when the reply to %s was lost', async (_what, path, after) => {
    const job = await rig.job();
    await store(job);
    rig.sandbox.meta.fail({ match: { method: 'POST', path }, with: 'apply-and-lose-reply', after });
    await expect(publish(job)).rejects.toMatchObject({ name: 'Unavailable' });
    const { published } = await publish(job);
    expect(counts()).toEqual([1, 1, 3]);
    expect(published.campaignId).toBe(objects('campaign')[0]?.id);
    expect(new Set(published.videos.map(({ videoId }) => videoId))).toEqual(
      new Set(objects('advideo').map(({ id }) => id)),
    );
  });

  it.each([
    ['permission', 'Refused'],
    ['expired-token', 'Refused'],
    ['policy', 'Refused'],
    ['refuse', 'InvalidInput'],
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
  ] as const)('%s → %s, and the intent shows what was tried', async (failure, name) => {
    const job = await rig.job();
    await store(job);
    rig.sandbox.meta.fail({ match: { method: 'POST', path: /\/adsets$/ }, with: failure });
    await expect(publish(job)).rejects.toMatchObject({ name });
    expect(counts()).toEqual([1, 0, 0]);
    expect((await job.intents()).map(({ effect, status }) => `${effect} ${status}`).toSorted()).toEqual([
      'ad-set begun',
      'campaign applied',
    ]);
    expect((await publish(job)).published.adSetId).toBe(objects('adset')[0]?.id);
    expect(counts()).toEqual([1, 1, 3]);
  });

  it('takes back what a straggler made after the run was undone', async () => {
    const job = await rig.job();
    await store(job);
    const effects = {
      ...job.effects,
      async applied(effect: string, subject: string, result: unknown) {
        await job.effects.undone(effect, subject);
        return job.effects.applied(effect, subject, result);
      },
    };
    await expect(publish(job, { effects })).rejects.toMatchObject({ name: 'Conflict' });
    expect(counts()).toEqual([0, 0, 0]);
  });

  it('needs every rendered file', async () => {
    const job = await rig.job();
    const [first] = await store(job);
    await rig.media.delete(first?.renditions[0]?.key ?? '');
    await expect(publish(job)).rejects.toMatchObject({
      name: 'Unavailable',
      message: `The rendered file ${first?.renditions[0]?.key} is not in the bucket.`,
    });
  });
});

describe('PublishCampaign, before anything is created', () => {
  it.each([
    [{ currency: 'EUR' }, 'The ad account bills in USD, the settings say EUR.'],
    [
      { dailyBudgetMinor: 100 },
      "A daily budget of 100 minor units is below the platform's minimum of 150 (USD).",
    ],
  ])('refuses %j', async (change, message) => {
    rig.sandbox.meta.addAccount({ ...DEFAULT_ACCOUNT, minDailyBudget: 150 });
    const job = await jobWith(change);
    await expect(publish(job)).rejects.toMatchObject({ name: 'InvalidInput', message });
    rig.sandbox.meta.addAccount(DEFAULT_ACCOUNT);
    expect(counts()).toEqual([0, 0, 0]);
    expect(await job.intents()).toEqual([]);
  });

  it('refuses an account that is not the tenant’s, and a secret that is another’s', async () => {
    const job = await rig.job();
    await expect(publish(job, {}, { adAccountId: '99999' })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The ad account 99999 is not connected: add it to the settings first.',
    });
    const none = await rig.job({ settings: { adAccounts: [] } });
    await expect(publish(none)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'No ad account is connected: add it to the settings first.',
    });
    const thief = await jobWith({ secret: `tenants/${job.tenant}/meta` });
    await expect(publish(thief)).rejects.toMatchObject({
      name: 'Refused',
      message: `The secret tenants/${job.tenant}/meta does not belong to ${thief.tenant}.`,
    });
    expect(counts()).toEqual([0, 0, 0]);
  });
});
