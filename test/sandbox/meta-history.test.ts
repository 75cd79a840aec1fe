import { describe, expect, it } from 'vitest';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { API_APPLICATION } from '../../lib/sandbox/meta/activities.ts';
import { ACCOUNT, codeOf, graphOf } from './meta-graph.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const graph = graphOf(world);
const meta = () => world.sandbox.meta;
const HOUR_MS = 3_600_000;

interface Line {
  event_type: string;
  event_time: string;
  object_id: string;
  object_type: string;
  actor_name: string;
  application_id: string;
  extra_data: string;
}

async function history(params: Record<string, unknown> = {}): Promise<Line[]> {
  return (await graph('GET', `${ACCOUNT}/activities`, { limit: '100', ...params })).body.data as Line[];
}

describe('the history', () => {
  it('says who changed which budget from what to what, newest first, in whole seconds', async () => {
    const campaign = meta().addCampaign(DEFAULT_ACCOUNT.id);
    const adSet = meta().addAdSet(campaign, { dailyBudget: 5_000, learning: null });
    await graph('POST', adSet, { daily_budget: '5500' });
    world.advance(1_700);
    meta().person.edit(adSet, { dailyBudget: 6_000 });
    const lines = await history();
    expect(lines).toMatchObject([
      {
        event_type: 'update_ad_set_budget',
        event_time: '2026-11-20T12:00:01+0000',
        actor_name: 'Dana Rivera',
        object_id: adSet,
        object_type: 'CAMPAIGN',
      },
      { event_time: '2026-11-20T12:00:00+0000', application_id: API_APPLICATION.id },
    ]);
    expect(lines[0]?.application_id).not.toBe(API_APPLICATION.id);
    expect(JSON.parse(lines[0]?.extra_data ?? '')).toEqual({
      old_value: { type: 'payment_amount', currency: 'USD', old_value: 5_500 },
      new_value: { type: 'payment_amount', currency: 'USD', new_value: 6_000, additional_value: 'Per day' },
      type: 'composite_data',
    });
  });

  it('knows creations, statuses, bids, names, reviews, learning and deletions', async () => {
    const { body: campaign } = await graph('POST', `${ACCOUNT}/campaigns`, {
      name: 'C',
      objective: 'OUTCOME_TRAFFIC',
      special_ad_categories: [],
      status: 'PAUSED',
      is_adset_budget_sharing_enabled: 'false',
    });
    const adSet = meta().addAdSet(campaign.id, { dailyBudget: 5_000, bid: 200 });
    const ad = meta().addAd(adSet);
    await graph('POST', campaign.id, { status: 'ACTIVE' });
    await graph('POST', adSet, { bid_amount: '300', name: 'S' });
    meta().setReview(ad, 'DISAPPROVED');
    await graph('DELETE', adSet);
    expect(
      (await history()).toReversed().map(({ event_type, object_type }) => [event_type, object_type]),
    ).toEqual([
      ['create_campaign_group', 'CAMPAIGN_GROUP'],
      ['update_campaign_run_status', 'CAMPAIGN_GROUP'],
      ['update_ad_set_name', 'CAMPAIGN'],
      ['update_ad_set_bidding', 'CAMPAIGN'],
      ['update_ad_set_learning_stage_status', 'CAMPAIGN'],
      ['ad_review_declined', 'ADGROUP'],
      ['update_ad_set_run_status', 'CAMPAIGN'],
      ['update_ad_run_status', 'ADGROUP'],
      ['update_ad_run_status_to_be_set_after_review', 'ADGROUP'],
      ['update_ad_run_status', 'ADGROUP'],
    ]);
    expect(
      meta()
        .effects(DEFAULT_ACCOUNT.id)
        .map(({ field, objectId }) => [field, objectId]),
    ).toEqual([
      ['created', campaign.id],
      ['status', campaign.id],
      ['name', adSet],
      ['bid_amount', adSet],
      ['deleted', adSet],
      ['deleted', ad],
    ]);
  });

  it('words a status as people see it, and takes an ad through a state in between', async () => {
    const adSet = meta().addAdSet(meta().addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000 });
    const ad = meta().addAd(adSet);
    await graph('POST', adSet, { status: 'PAUSED' });
    await graph('POST', ad, { status: 'PAUSED' });
    const words = (await history())
      .toReversed()
      .map(({ extra_data }) => JSON.parse(extra_data) as { old_value: string; new_value: string })
      .map(({ old_value, new_value }) => `${old_value} → ${new_value}`);
    expect(words).toEqual([
      'Active → Inactive',
      'Active → Pending Process',
      'Active → Inactive',
      'Pending Process → Inactive',
    ]);
  });

  it('gives the asked fields, objects and times, a week when none are asked, and turns pages', async () => {
    const campaign = meta().addCampaign(DEFAULT_ACCOUNT.id);
    const ids = [1, 2, 3].map(() => meta().addAdSet(campaign, { dailyBudget: 5_000 }));
    for (const id of ids) {
      await graph('POST', id, { name: 'new' });
      world.advance(HOUR_MS);
    }
    const seconds = (ms: number): string => String(Math.floor(ms / 1_000));
    const now = world.clock.now();
    const fields = { fields: 'object_id' };
    expect(await history({ ...fields, oid: ids[1] })).toEqual([{ object_id: ids[1] }]);
    expect(await history({ ...fields, since: seconds(now - 2 * HOUR_MS) })).toEqual([
      { object_id: ids[2] },
      { object_id: ids[1] },
    ]);
    expect(
      await history({ ...fields, since: seconds(now - 3 * HOUR_MS), until: seconds(now - 2 * HOUR_MS) }),
    ).toEqual([{ object_id: ids[1] }, { object_id: ids[0] }]);
    const first = await graph('GET', `${ACCOUNT}/activities`, { ...fields, limit: '2' });
    await graph('POST', ids[0] as string, { name: 'newer' });
    const after = { after: first.body.paging.cursors.after };
    expect((await graph('GET', `${ACCOUNT}/activities`, { ...fields, ...after })).body.data).toEqual([
      { object_id: ids[0] },
    ]);
    expect(codeOf(await graph('GET', `${ACCOUNT}/activities`, { fields: 'colour' }))).toBe('100');
    world.advance(8 * 24 * HOUR_MS);
    expect(await history()).toEqual([]);
    expect(await history({ since: '2026-11-01' })).toHaveLength(4);
  });

  it('may come late', async () => {
    meta().addAccount({ ...DEFAULT_ACCOUNT, activityLagMs: 60_000 });
    const adSet = meta().addAdSet(meta().addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000 });
    meta().person.edit(adSet, { name: 'N' });
    expect(await history()).toEqual([]);
    world.advance(60_000);
    expect(await history()).toHaveLength(1);
    meta().addAccount(DEFAULT_ACCOUNT);
  });
});

describe('a person', () => {
  it('changes things at once, is no call of the API, and is told what cannot be', async () => {
    meta().addAccount({ ...DEFAULT_ACCOUNT, mutationsPerSecond: 1, callsPerHour: 1 });
    const adSet = meta().addAdSet(meta().addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000, bid: 100 });
    meta().person.edit(adSet, { dailyBudget: 9_000, bid: 150, status: 'PAUSED' }, 'Lee');
    meta().person.edit(adSet, { name: 'mine' });
    expect((await graph('GET', adSet, { fields: 'daily_budget,bid_amount,status,name' })).body).toEqual({
      id: adSet,
      daily_budget: '9000',
      bid_amount: 150,
      status: 'PAUSED',
      name: 'mine',
    });
    expect(
      meta()
        .effects(DEFAULT_ACCOUNT.id)
        .every(({ by, requestNo }) => by === 'person' && requestNo === null),
    ).toBe(true);
    expect(() => meta().person.edit(adSet, { dailyBudget: 1 })).toThrow('too low');
    expect(() => meta().person.edit('7', { name: 'x' })).toThrow('no object 7');
    meta().addAccount(DEFAULT_ACCOUNT);
  });
});

describe('learning', () => {
  const learning = async (id: string) =>
    (await graph('GET', id, { fields: 'learning_stage_info' })).body.learning_stage_info;
  const seeded = (seed = {}) =>
    meta().addAdSet(meta().addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000, ...seed });

  it('starts with the first activation', async () => {
    const campaign = meta().addCampaign(DEFAULT_ACCOUNT.id);
    const { body: adSet } = await graph('POST', `${ACCOUNT}/adsets`, {
      name: 'S',
      campaign_id: campaign,
      optimization_goal: 'LINK_CLICKS',
      billing_event: 'IMPRESSIONS',
      status: 'PAUSED',
      targeting: { geo_locations: { countries: ['US'] } },
      daily_budget: '500',
    });
    expect(await learning(adSet.id)).toBeUndefined();
    world.advance(5_000);
    await graph('POST', adSet.id, { status: 'ACTIVE' });
    expect(await learning(adSet.id)).toMatchObject({
      status: 'LEARNING',
      last_sig_edit_ts: Math.floor(world.clock.now() / 1_000),
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a budget edit of 20 %', { daily_budget: '6000' }, 'SUCCESS'],
    ['a budget edit beyond', { daily_budget: '6001' }, 'LEARNING'],
    ['a budget cut beyond', { daily_budget: '3999' }, 'LEARNING'],
    ['a bid edit of 20 %', { bid_amount: '80' }, 'SUCCESS'],
    ['a bid edit beyond', { bid_amount: '79' }, 'LEARNING'],
    ['another goal', { optimization_goal: 'LANDING_PAGE_VIEWS' }, 'LEARNING'],
    ['another bid strategy', { bid_strategy: 'COST_CAP' }, 'LEARNING'],
    ['a name', { name: 'N' }, 'SUCCESS'],
  ])('after %s', async (_, params, status) => {
    const id = seeded({ bid: 100 });
    expect(codeOf(await graph('POST', id, params))).toBe('200');
    expect((await learning(id)).status).toBe(status);
  });

  it('is reset by a campaign budget in all its ad sets, by another share where that is set', async () => {
    meta().addAccount({ ...DEFAULT_ACCOUNT, significantEditPercent: 30 });
    const campaign = meta().addCampaign(DEFAULT_ACCOUNT.id, { dailyBudget: 10_000 });
    const ids = [meta().addAdSet(campaign), meta().addAdSet(campaign)];
    await graph('POST', campaign, { daily_budget: '13000' });
    expect((await learning(ids[0] as string)).status).toBe('SUCCESS');
    meta().person.edit(campaign, { dailyBudget: 17_000 });
    for (const id of ids) expect((await learning(id)).status).toBe('LEARNING');
    meta().addAccount(DEFAULT_ACCOUNT);
  });

  it('goes on after a short pause and starts anew after a week', async () => {
    const id = seeded();
    await graph('POST', id, { status: 'PAUSED' });
    expect(await learning(id)).toBeUndefined();
    await graph('POST', id, { status: 'ACTIVE' });
    expect((await learning(id)).status).toBe('SUCCESS');
    await graph('POST', id, { status: 'PAUSED' });
    world.advance(7 * 24 * HOUR_MS);
    await graph('POST', id, { status: 'ACTIVE' });
    expect((await learning(id)).status).toBe('LEARNING');
  });

  it('is what a test says, nothing included', async () => {
    const id = seeded();
    for (const status of ['LEARNING', 'FAIL', 'SUCCESS'] as const) {
      meta().setLearning(id, status);
      expect((await learning(id)).status).toBe(status);
    }
    meta().setLearning(id, null);
    await graph('POST', id, { daily_budget: '9000' });
    expect(await learning(id)).toBeUndefined();
  });
});
