// Does the ad account end exactly as it began, whatever had been created and whatever was known of it?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/undo-publish.task.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { launchAll, launchCampaign } from '../support/launch.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const undo = (job: Job) => job.run(task, {});

describe('UndoPublish', () => {
  it('removes the whole launch and nothing of another run', async () => {
    await launchAll(rig, await rig.job());
    const before = rig.account();
    const job = await rig.job();
    await launchAll(rig, job);
    expect(rig.account()).not.toBe(before);
    expect(await undo(job)).toEqual({ removed: 11 });
    expect(rig.account()).toBe(before);
    expect(await job.intents()).toEqual([]);
    expect(await undo(job)).toEqual({ removed: 0 });
    expect(rig.account()).toBe(before);
  });

  it('takes the ads out of the ledger of predictions, of this run alone', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    const adIn = async (of: Job, variationId: string) =>
      (await rig.table('predictions').get({ pk: `${of.tenant}#prediction#${variationId}`, sk: of.runId }))?.[
        'adId'
      ];
    const mine = await launchAll(rig, job);
    const theirs = await launchAll(rig, other);
    for (const { variationId, adId } of mine.ads) expect(await adIn(job, variationId)).toBe(adId);
    await undo(job);
    for (const { variationId } of mine.ads) expect(await adIn(job, variationId)).toBeUndefined();
    for (const { variationId, adId } of theirs.ads) expect(await adIn(other, variationId)).toBe(adId);
  });

  it('writes nothing into the ledger where nothing was noted', async () => {
    const job = await rig.job();
    await job.effects.begin('ad', 'v-000000000000', {
      name: 'x',
      accountId: DEFAULT_ACCOUNT.id,
      secret: `tenants/${job.tenant}/meta`,
    });
    await undo(job);
    const key = { pk: `${job.tenant}#prediction#v-000000000000`, sk: job.runId };
    expect(await rig.table('predictions').get(key)).toBeUndefined();
  });

  it('deletes children before their parents', async () => {
    const job = await rig.job();
    const { campaignId, adSetId, ads, videos } = await launchAll(rig, job);
    await undo(job);
    const deleted = rig.sandbox.meta.requests
      .filter(({ method }) => method === 'DELETE')
      .map(({ url }) => /\/(\d+)(?:\?|$)/.exec(url)?.[1] ?? '');
    expect(deleted.slice(0, 3).toSorted()).toEqual(ads.map(({ adId }) => adId).toSorted());
    expect(deleted.slice(3, 6).toSorted()).toEqual(ads.map(({ creativeId }) => creativeId).toSorted());
    expect(deleted.slice(6, 9).toSorted()).toEqual(videos.map(({ videoId }) => videoId).toSorted());
    expect(deleted.slice(9)).toEqual([adSetId, campaignId]);
  });

  it('succeeds where nothing ever happened', async () => {
    expect(await undo(await rig.job())).toEqual({ removed: 0 });
    expect(rig.sandbox.meta.requests).toEqual([]);
  });

  it('succeeds where something was intended and never made', async () => {
    const job = await rig.job();
    rig.sandbox.meta.fail({ match: { method: 'POST', path: /\/campaigns$/ }, with: 'disconnect' });
    await expect(launchCampaign(rig, job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await undo(job)).toEqual({ removed: 0 });
    expect(await job.intents()).toEqual([]);
  });

  it.each([
    ['the campaign', /\/campaigns$/, 0, 1],
    ['the ad set', /\/adsets$/, 0, 2],
    ['a video', /\/advideos$/, 2, 3],
  ])('finds what exists although the reply to %s was lost', async (_what, path, after, made) => {
    const job = await rig.job();
    const before = rig.account();
    rig.sandbox.meta.fail({ match: { method: 'POST', path }, with: 'apply-and-lose-reply', after });
    await expect(launchCampaign(rig, job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await undo(job)).toEqual({ removed: made });
    expect(rig.account()).toBe(before);
  });

  it('finds what landed later than anybody looked, by the mark of the run', async () => {
    const job = await rig.job();
    const before = rig.account();
    await launchCampaign(rig, job);
    const edge = `${rig.sandbox.url}/meta/v25.0/act_${DEFAULT_ACCOUNT.id}/campaigns`;
    const late = await fetch(edge, {
      method: 'POST',
      headers: { authorization: `Bearer ${DEFAULT_ACCOUNT.tokens[0]}` },
      body: new URLSearchParams({
        name: `Lumo lamp [${job.runId}/campaign/launch]`,
        objective: 'OUTCOME_TRAFFIC',
        special_ad_categories: '[]',
        is_adset_budget_sharing_enabled: 'false',
        status: 'PAUSED',
      }),
    });
    expect(late.status).toBe(200);
    expect(await undo(job)).toEqual({ removed: 6 });
    expect(rig.account()).toBe(before);
  });

  it.each([
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
    ['expired-token', 'Refused'],
  ] as const)('%s → %s, remembers what is left, and a retry finishes', async (failure, name) => {
    const job = await rig.job();
    const before = rig.account();
    await launchAll(rig, job);
    rig.sandbox.meta.fail({ match: { method: 'DELETE' }, with: failure, after: 4 });
    await expect(undo(job)).rejects.toMatchObject({ name });
    expect((await job.intents()).length).toBeGreaterThan(0);
    await undo(job);
    expect(rig.account()).toBe(before);
    expect(await job.intents()).toEqual([]);
  });

  it('finishes when the reply to a delete was lost', async () => {
    const job = await rig.job();
    const before = rig.account();
    await launchAll(rig, job);
    rig.sandbox.meta.fail({ match: { method: 'DELETE' }, with: 'apply-and-lose-reply', after: 2 });
    await expect(undo(job)).rejects.toMatchObject({ name: 'Unavailable' });
    await undo(job);
    expect(rig.account()).toBe(before);
  });

  it('tries also while the circuit holds other calls back', async () => {
    const job = await rig.job();
    const before = rig.account();
    await launchCampaign(rig, job);
    rig.sandbox.meta.fail({ with: 'server-error', times: 12 });
    for (let call = 0; call < 12; call += 1)
      await expect(launchCampaign(rig, job)).rejects.toMatchObject({ name: 'Unavailable' });
    rig.sandbox.meta.heal();
    const last = await launchCampaign(rig, job).catch((error: unknown) => error);
    expect(last).toMatchObject({ vendorCode: 'circuit-open' });
    expect(await undo(job)).toEqual({ removed: 5 });
    expect(rig.account()).toBe(before);
  });

  it('lets the run publish again', async () => {
    const job = await rig.job();
    const first = await launchAll(rig, job);
    await undo(job);
    const second = await launchAll(rig, job);
    expect(second.campaignId).not.toBe(first.campaignId);
    expect(rig.sandbox.meta.objects(DEFAULT_ACCOUNT.id, 'ad')).toHaveLength(3);
  });

  it('does not touch an account with another tenant’s secret', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await job.effects.begin('campaign', 'launch', {
      name: 'x',
      accountId: DEFAULT_ACCOUNT.id,
      secret: `tenants/${other.tenant}/meta`,
    });
    await expect(undo(job)).rejects.toMatchObject({ name: 'Refused' });
    expect(rig.sandbox.meta.requests).toEqual([]);
  });
});
