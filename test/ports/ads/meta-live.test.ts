import { beforeEach, describe, expect, it } from 'vitest';
import type { AdsReader, BudgetHolder } from '../../../lambdas/ports/ads/live-ads.ts';
import { createMetaReader } from '../../../lambdas/ports/ads/meta-live.ts';
import { refusalOf } from '../../../lambdas/ports/ads/refusals.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import { failureOf, useWorld } from '../../sandbox/world.ts';
import { ACCOUNT_ID, accountIn, connectedTo, scriptedGraph } from './scripted-graph.ts';

const world = useWorld();
const TOKEN = DEFAULT_ACCOUNT.tokens[0] ?? '';

function reader(accountId = DEFAULT_ACCOUNT.id): AdsReader {
  return createMetaReader({
    fetch,
    clock: world.clock,
    baseUrl: `${world.sandbox.url}/meta`,
    version: 'v25.0',
    accountId,
    accessToken: TOKEN,
    timeoutMs: 2_000,
  });
}

const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });

describe('one object', () => {
  it('is told with its place, budget, bid and learning', async () => {
    const { meta } = world.sandbox;
    const campaignId = meta.addCampaign(DEFAULT_ACCOUNT.id, { name: 'Summer' });
    const adSetId = meta.addAdSet(campaignId, { name: 'Prague', dailyBudget: 5_000, bid: 350 });
    const adId = meta.addAd(adSetId, { name: 'Video', status: 'PAUSED' });
    const ads = reader();
    expect(await ads.live({ kind: 'campaign', id: campaignId })).toEqual({
      kind: 'campaign',
      id: campaignId,
      name: 'Summer',
      accountId: DEFAULT_ACCOUNT.id,
      campaignId: null,
      adSetId: null,
      status: 'ACTIVE',
      delivery: 'active',
      dailyBudget: null,
      hasLifetimeBudget: false,
      bid: null,
      learning: 'unknown',
    });
    expect(await ads.live({ kind: 'adset', id: adSetId })).toEqual({
      kind: 'adset',
      id: adSetId,
      name: 'Prague',
      accountId: DEFAULT_ACCOUNT.id,
      campaignId,
      adSetId: null,
      status: 'ACTIVE',
      delivery: 'active',
      dailyBudget: usd(5_000),
      hasLifetimeBudget: false,
      bid: usd(350),
      learning: 'done',
    });
    expect(await ads.live({ kind: 'ad', id: adId })).toEqual({
      kind: 'ad',
      id: adId,
      name: 'Video',
      accountId: DEFAULT_ACCOUNT.id,
      campaignId,
      adSetId,
      status: 'PAUSED',
      delivery: 'paused',
      dailyBudget: null,
      hasLifetimeBudget: false,
      bid: null,
      learning: 'unknown',
    });
    expect(world.sandbox.meta.violations).toEqual([]);
  });

  it('asks for the account’s currency once', async () => {
    const id = world.sandbox.meta.addCampaign(DEFAULT_ACCOUNT.id, { dailyBudget: 5_000 });
    const ads = reader();
    for (let time = 0; time < 3; time += 1)
      expect((await ads.live({ kind: 'campaign', id }))?.dailyBudget).toEqual(usd(5_000));
    expect(world.sandbox.meta.requests).toHaveLength(4);
  });

  it('tells a budget for a lifetime from one per day', async () => {
    const { meta } = world.sandbox;
    const id = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { lifetimeBudget: 90_000 });
    expect(await reader().live({ kind: 'adset', id })).toMatchObject({
      dailyBudget: null,
      hasLifetimeBudget: true,
    });
  });

  it.each([
    ['LEARNING', 'learning'],
    ['SUCCESS', 'done'],
    ['FAIL', 'limited'],
    [null, 'unknown'],
  ] as const)('learning %s is %s', async (said, expected) => {
    const { meta } = world.sandbox;
    const id = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 500, learning: said });
    expect((await reader().live({ kind: 'adset', id }))?.learning).toBe(expected);
  });

  it('that rests is not said to be done with learning', async () => {
    const { meta } = world.sandbox;
    const id = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 500, status: 'PAUSED' });
    expect((await reader().live({ kind: 'adset', id }))?.learning).toBe('unknown');
  });

  it('that does not exist, is of another account or has no number for an id is none', async () => {
    const { meta } = world.sandbox;
    meta.addAccount({ ...DEFAULT_ACCOUNT, id: '42' });
    const foreign = meta.addCampaign('42');
    expect(await reader('42').live({ kind: 'campaign', id: foreign })).toMatchObject({ accountId: '42' });
    expect(await reader().live({ kind: 'campaign', id: foreign })).toBeNull();
    expect(await reader().live({ kind: 'campaign', id: '999' })).toBeNull();
    const asked = meta.requests.length;
    expect(await reader().live({ kind: 'ad', id: `act_${DEFAULT_ACCOUNT.id}` })).toBeNull();
    expect(meta.requests).toHaveLength(asked);
  });

  it('can still be told when it is deleted', async () => {
    const { meta } = world.sandbox;
    const id = meta.addCampaign(DEFAULT_ACCOUNT.id);
    meta.person.edit(id, { status: 'DELETED' });
    expect(await reader().live({ kind: 'campaign', id })).toMatchObject({
      status: 'DELETED',
      delivery: 'over',
    });
  });

  it('asked for as another kind is refused, not half told', async () => {
    const { meta } = world.sandbox;
    const id = meta.addCampaign(DEFAULT_ACCOUNT.id);
    expect((await failureOf(reader().live({ kind: 'ad', id }))).name).toBe('InvalidInput');
  });
});

describe('delivery', () => {
  it.each([
    ['PENDING_REVIEW', 'in-review'],
    ['IN_PROCESS', 'in-review'],
    ['DISAPPROVED', 'rejected'],
    ['WITH_ISSUES', 'with-issues'],
    [null, 'active'],
  ] as const)('of an ad whose review says %s is %s', async (review, expected) => {
    const { meta } = world.sandbox;
    const adSetId = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 500 });
    const id = meta.addAd(adSetId);
    meta.setReview(id, review);
    expect(await reader().live({ kind: 'ad', id })).toMatchObject({ status: 'ACTIVE', delivery: expected });
  });

  it('follows the parents', async () => {
    const { meta } = world.sandbox;
    const campaignId = meta.addCampaign(DEFAULT_ACCOUNT.id);
    const adSetId = meta.addAdSet(campaignId, { dailyBudget: 500 });
    const ad = { kind: 'ad', id: meta.addAd(adSetId) } as const;
    meta.person.edit(adSetId, { status: 'PAUSED' });
    expect(await reader().live(ad)).toMatchObject({ status: 'ACTIVE', delivery: 'parent-paused' });
    meta.person.edit(adSetId, { status: 'ACTIVE' });
    meta.person.edit(campaignId, { status: 'PAUSED' });
    expect((await reader().live(ad))?.delivery).toBe('parent-paused');
    meta.person.edit(campaignId, { status: 'ARCHIVED' });
    expect((await reader().live(ad))?.delivery).toBe('over');
  });

  it.each([
    ['PREAPPROVED', 'active'],
    ['PENDING_BILLING_INFO', 'with-issues'],
    ['SOMETHING_LATER', 'unknown'],
    [undefined, 'unknown'],
  ])('%s is %s', async (effective, expected) => {
    const row = { id: '5', account_id: ACCOUNT_ID, status: 'ACTIVE', effective_status: effective };
    const graph = scriptedGraph({ '5': [row], [`act_${ACCOUNT_ID}`]: [accountIn('USD')] });
    expect((await createMetaReader(connectedTo(graph)).live({ kind: 'ad', id: '5' }))?.delivery).toBe(
      expected,
    );
  });
});

describe('amounts', () => {
  it.each([
    ['JPY', 5_000, 5_000],
    ['HUF', 5_000, 500_000],
    ['KWD', 5_000, 50_000],
    ['USD', 5_000, 5_000],
  ])('in %s are minor units', async (currency, sent, amountMinor) => {
    const { meta } = world.sandbox;
    meta.addAccount({ ...DEFAULT_ACCOUNT, id: '43', currency });
    const id = meta.addAdSet(meta.addCampaign('43'), { dailyBudget: sent, bid: sent });
    const ads = reader('43');
    const money = { amountMinor, currency };
    expect(await ads.live({ kind: 'adset', id })).toMatchObject({ dailyBudget: money, bid: money });
    expect((await ads.budgets()).map(({ dailyBudget }) => dailyBudget)).toEqual([money]);
  });

  it('of nothing are none: Graph says "0" for the kind of budget that is not used', async () => {
    const row = {
      id: '5',
      account_id: `act_${ACCOUNT_ID}`,
      status: 'ACTIVE',
      daily_budget: '0',
      lifetime_budget: '90000',
      bid_amount: 0,
    };
    const graph = scriptedGraph({ '5': [row], [`act_${ACCOUNT_ID}`]: [accountIn('USD')] });
    expect(await createMetaReader(connectedTo(graph)).live({ kind: 'adset', id: '5' })).toMatchObject({
      dailyBudget: null,
      hasLifetimeBudget: true,
      bid: null,
    });
  });

  it('that are no whole number are no answer', async () => {
    const row = { id: '5', account_id: ACCOUNT_ID, status: 'ACTIVE', daily_budget: '50.5' };
    const graph = scriptedGraph({ '5': [row], [`act_${ACCOUNT_ID}`]: [accountIn('USD')] });
    const error = await failureOf(createMetaReader(connectedTo(graph)).live({ kind: 'adset', id: '5' }));
    expect(error.name).toBe('Unavailable');
  });
});

describe('the budgets of an account', () => {
  const byId = (holders: readonly BudgetHolder[], id: string) => holders.find((holder) => holder.id === id);

  it('are held by campaigns or ad sets, active only below what is active', async () => {
    const { meta } = world.sandbox;
    const shared = meta.addCampaign(DEFAULT_ACCOUNT.id, { dailyBudget: 9_000 });
    meta.addAdSet(shared);
    const own = meta.addCampaign(DEFAULT_ACCOUNT.id);
    const running = meta.addAdSet(own, { dailyBudget: 1_000 });
    const paused = meta.addAdSet(own, { dailyBudget: 2_000, status: 'PAUSED' });
    meta.addAdSet(own, { dailyBudget: 3_000, status: 'ARCHIVED' });
    meta.addAdSet(own, { lifetimeBudget: 4_000 });
    const off = meta.addCampaign(DEFAULT_ACCOUNT.id, { status: 'PAUSED' });
    const below = meta.addAdSet(off, { dailyBudget: 5_000 });
    const gone = meta.addAdSet(own, { dailyBudget: 6_000 });
    meta.person.edit(gone, { status: 'DELETED' });
    const holders = await reader().budgets();
    expect(holders).toHaveLength(4);
    expect(byId(holders, shared)).toEqual({
      kind: 'campaign',
      id: shared,
      campaignId: shared,
      dailyBudget: usd(9_000),
      active: true,
    });
    expect(byId(holders, running)).toEqual({
      kind: 'adset',
      id: running,
      campaignId: own,
      dailyBudget: usd(1_000),
      active: true,
    });
    expect(byId(holders, paused)).toMatchObject({ dailyBudget: usd(2_000), active: false });
    expect(byId(holders, below)).toMatchObject({ dailyBudget: usd(5_000), active: false });
  });

  it('of what is archived or deleted do not count, even where Graph lists it', async () => {
    const row = (id: string, status: string) => ({ id, status, daily_budget: '500', campaign_id: '1' });
    const graph = scriptedGraph({
      [`act_${ACCOUNT_ID}`]: [accountIn('USD')],
      [`act_${ACCOUNT_ID}/campaigns`]: [{ data: [{ id: '1', status: 'ACTIVE' }, row('2', 'ARCHIVED')] }],
      [`act_${ACCOUNT_ID}/adsets`]: [
        { data: [row('3', 'DELETED'), row('4', 'ARCHIVED'), row('5', 'ACTIVE')] },
      ],
    });
    const holders = await createMetaReader(connectedTo(graph)).budgets();
    expect(holders.map(({ id, active }) => [id, active])).toEqual([['5', true]]);
  });

  it('are read over pages, each once', async () => {
    const { meta } = world.sandbox;
    const campaignId = meta.addCampaign(DEFAULT_ACCOUNT.id);
    const ids = Array.from({ length: 620 }, () => meta.addAdSet(campaignId, { dailyBudget: 700 }));
    const holders = await reader().budgets();
    expect(holders.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(meta.violations).toEqual([]);
    expect(meta.requests.filter(({ url }) => url.includes(TOKEN))).toEqual([]);
  });

  it('above twenty thousand are refused, not cut', async () => {
    const list = `act_${ACCOUNT_ID}/adsets`;
    const rows = Array.from({ length: 5_001 }, (_, index) => ({ id: String(index), status: 'ACTIVE' }));
    const next = `https://graph.example/v25.0/${list}?access_token=x&after=abc`;
    const graph = scriptedGraph({
      [`act_${ACCOUNT_ID}`]: [accountIn('USD')],
      [list]: [{ data: rows, paging: { next } }],
    });
    const error = await failureOf(createMetaReader(connectedTo(graph)).budgets());
    expect(error.name).toBe('Refused');
    expect(error.message).toContain('20000');
  });
});

describe('the log of an account', () => {
  let adSetId = '';
  let adId = '';
  beforeEach(() => {
    const { meta } = world.sandbox;
    adSetId = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000, bid: 300 });
    adId = meta.addAd(adSetId);
  });

  it('tells what people did: budgets, bids, statuses', async () => {
    const { meta } = world.sandbox;
    meta.person.edit(adSetId, { dailyBudget: 5_900 }, 'Ana Souza');
    world.advance(60_000);
    meta.person.edit(adSetId, { bid: 310 }, 'Ana Souza');
    world.advance(60_000);
    meta.person.edit(adSetId, { status: 'PAUSED' }, 'Ana Souza');
    const told = await reader().activities(world.clock.now() - 3_600_000);
    const entity = { kind: 'adset', id: adSetId };
    expect(told.filter(({ actorName }) => actorName === 'Ana Souza')).toMatchObject([
      { entity, what: 'budget', before: 5_000, after: 5_900, at: world.clock.now() - 120_000 },
      { entity, what: 'bid', before: 300, after: 310 },
      { entity, what: 'status', before: 'ACTIVE', after: 'PAUSED' },
    ]);
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
  });

  it('tells an ad’s pause in the order it went, and what the platform did', async () => {
    const { meta } = world.sandbox;
    meta.person.edit(adId, { status: 'PAUSED' });
    meta.setReview(adId, 'DISAPPROVED');
    meta.setLearning(adSetId, 'LEARNING');
    const told = await reader().activities(world.clock.now());
    expect(told.map(({ what, before, after }) => [what, before, after])).toEqual([
      ['status', 'ACTIVE', undefined],
      ['review', undefined, undefined],
      ['status', undefined, 'PAUSED'],
      ['review', undefined, undefined],
      ['learning', undefined, undefined],
    ]);
  });

  it('begins where it was asked to, and is the same however it is read', async () => {
    const { meta } = world.sandbox;
    for (let edit = 1; edit <= 300; edit += 1) {
      meta.person.edit(adSetId, { dailyBudget: 5_000 + edit });
      world.advance(1_000);
    }
    const all = await reader().activities(world.clock.now() - 3_600_000);
    expect(all.map(({ after }) => after)).toEqual(Array.from({ length: 300 }, (_, index) => 5_001 + index));
    const late = await reader().activities(world.clock.now() - 10_000);
    expect(late).toEqual(all.slice(-10));
  });

  it('reaches back further than the week that is given unasked', async () => {
    world.sandbox.meta.person.edit(adSetId, { dailyBudget: 5_900 });
    world.advance(8 * 24 * 3_600_000);
    expect(await reader().activities(world.clock.now() - 9 * 24 * 3_600_000)).toHaveLength(1);
  });
});

describe('usage and refusals', () => {
  it('usage is as of the latest answer, refusals included', async () => {
    const ads = reader();
    expect(ads.usage()).toBeNull();
    await ads.account();
    expect(ads.usage()).toMatchObject({ regainMs: 0 });
    world.sandbox.meta.throttle(DEFAULT_ACCOUNT.id, { forMs: 600_000, code: 80_004 });
    const error = await failureOf(ads.budgets());
    expect(error).toMatchObject({ name: 'RateLimited', retryAt: world.clock.now() + 600_000 });
    expect(ads.usage()).toMatchObject({ highestPercent: 100, regainMs: 600_000 });
    world.advance(600_001);
    expect(await ads.budgets()).toEqual([]);
  });

  it.each([
    ['expired-token', 'credential'],
    ['permission', 'permission'],
  ] as const)('%s is refused from every method', async (failure, expected) => {
    const id = world.sandbox.meta.addCampaign(DEFAULT_ACCOUNT.id);
    const calls = [
      (ads: AdsReader) => ads.account(),
      (ads: AdsReader) => ads.live({ kind: 'campaign', id }),
      (ads: AdsReader) => ads.budgets(),
      (ads: AdsReader) => ads.activities(0),
    ];
    for (const call of calls) {
      world.sandbox.meta.fail({ with: failure });
      const error = await failureOf(call(reader()));
      expect([error.name, refusalOf(error)]).toEqual(['Refused', expected]);
      expect(error.message).not.toContain(TOKEN);
    }
  });

  it.each(['timeout', 'disconnect', 'truncate', 'server-error'] as const)(
    '%s is Unavailable',
    async (failure) => {
      world.sandbox.meta.fail({ with: failure });
      const ads = createMetaReader({
        fetch,
        clock: world.clock,
        baseUrl: `${world.sandbox.url}/meta`,
        version: 'v25.0',
        accountId: DEFAULT_ACCOUNT.id,
        accessToken: TOKEN,
        timeoutMs: 300,
      });
      expect((await failureOf(ads.activities(0))).name).toBe('Unavailable');
    },
  );
});
