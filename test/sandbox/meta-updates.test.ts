import { describe, expect, it } from 'vitest';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { ACCOUNT, codeOf, graphOf } from './meta-graph.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const graph = graphOf(world);
const meta = () => world.sandbox.meta;
const read = async (id: string, fields: string) => (await graph('GET', id, { fields })).body;
const effects = () => meta().effects(DEFAULT_ACCOUNT.id);

function family(budget: 'campaign' | 'adset' = 'adset') {
  const campaign = meta().addCampaign(
    DEFAULT_ACCOUNT.id,
    budget === 'campaign' ? { dailyBudget: 10_000 } : {},
  );
  const adSet = meta().addAdSet(campaign, budget === 'adset' ? { dailyBudget: 5_000, bid: 200 } : {});
  return { campaign, adSet, ad: meta().addAd(adSet) };
}

describe('an update', () => {
  it('changes what it names, says when, and is one effect by the API', async () => {
    const { adSet } = family();
    world.advance(90_000);
    await graph('GET', adSet);
    expect((await graph('POST', adSet, { daily_budget: '5500' })).body).toEqual({ success: true });
    expect(await read(adSet, 'daily_budget,updated_time')).toMatchObject({
      daily_budget: '5500',
      updated_time: '2026-11-20T12:01:30+0000',
    });
    expect(effects()).toEqual([
      {
        atMs: world.clock.now(),
        objectId: adSet,
        kind: 'adset',
        field: 'daily_budget',
        before: 5_000,
        after: 5_500,
        by: 'api',
        applied: true,
        requestNo: 1,
      },
    ]);
    expect(meta().requests[1]?.method).toBe('POST');
  });

  it('that deletes is one effect for everything that was still there', async () => {
    const { campaign, adSet, ad } = family();
    await graph('DELETE', ad);
    await graph('POST', campaign, { status: 'DELETED' });
    expect(effects().map(({ field, objectId, before, after }) => [field, objectId, before, after])).toEqual([
      ['deleted', ad, 'ACTIVE', null],
      ['deleted', campaign, 'ACTIVE', null],
      ['deleted', adSet, 'ACTIVE', null],
    ]);
  });

  it('to the value that is there already is no effect', async () => {
    const { adSet, ad } = family();
    expect(codeOf(await graph('POST', adSet, { daily_budget: '5000', status: 'ACTIVE' }))).toBe('200');
    expect(codeOf(await graph('POST', ad, { status: 'ACTIVE' }))).toBe('200');
    expect(effects()).toEqual([]);
  });

  it('changes all or nothing', async () => {
    const { adSet } = family();
    expect(codeOf(await graph('POST', adSet, { status: 'PAUSED', daily_budget: '1' }))).toBe('100/1885272');
    expect(await read(adSet, 'status,daily_budget')).toMatchObject({
      status: 'ACTIVE',
      daily_budget: '5000',
    });
    await graph('POST', adSet, { status: 'PAUSED', daily_budget: '4800', bid_amount: '190', name: 'N' });
    expect(effects().map(({ field, after }) => [field, after])).toEqual([
      ['name', 'N'],
      ['status', 'PAUSED'],
      ['daily_budget', 4_800],
      ['bid_amount', 190],
    ]);
  });

  it('that only validates checks everything, changes nothing and counts as a call', async () => {
    const { adSet } = family();
    const before = meta().snapshot(DEFAULT_ACCOUNT.id);
    const options = { execution_options: ['validate_only'] };
    expect((await graph('POST', adSet, { daily_budget: '5500', ...options })).body).toEqual({
      success: true,
    });
    expect(codeOf(await graph('POST', adSet, { daily_budget: '50', ...options }))).toBe('100/1885272');
    expect(meta().snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
    expect(effects()).toEqual([]);
    expect((await graph('GET', `${ACCOUNT}/activities`)).body.data).toEqual([]);
    meta().addAccount({ ...DEFAULT_ACCOUNT, callsPerHour: 4 });
    expect(codeOf(await graph('GET', adSet))).toBe('200');
    expect(codeOf(await graph('GET', adSet))).toBe('17/2446079');
    meta().addAccount(DEFAULT_ACCOUNT);
  });

  it.each<[string, 'campaign' | 'adSet' | 'ad', 'campaign' | 'adset', Record<string, unknown>, string]>([
    ['a budget below the minimum', 'adSet', 'adset', { daily_budget: '99' }, '100/1885272'],
    ['a budget of nothing', 'adSet', 'adset', { daily_budget: '0' }, '100'],
    ['a broken budget', 'adSet', 'adset', { daily_budget: '50.5' }, '100'],
    ['a budget on an ad', 'ad', 'adset', { daily_budget: '5000' }, '100'],
    ['a bid on an ad', 'ad', 'adset', { bid_amount: '100' }, '100'],
    ['a bid on a campaign', 'campaign', 'adset', { bid_amount: '100' }, '100'],
    ['a campaign budget beside ad set budgets', 'campaign', 'adset', { daily_budget: '5000' }, '100/1885621'],
    [
      'an ad set budget below a campaign budget',
      'adSet',
      'campaign',
      { daily_budget: '5000' },
      '100/1885621',
    ],
    ['a bid without a bid strategy', 'adSet', 'campaign', { bid_amount: '100' }, '100/2446149'],
    ['a status that does not exist', 'adSet', 'adset', { status: 'RUNNING' }, '100'],
    ['a goal of another objective', 'adSet', 'adset', { optimization_goal: 'VALUE' }, '100/2490408'],
    ['another type of budget', 'adSet', 'adset', { lifetime_budget: '50000' }, '100'],
  ])('refuses %s', async (_, kind, budget, params, code) => {
    const ids = family(budget);
    const before = meta().snapshot(DEFAULT_ACCOUNT.id);
    const reply = await graph('POST', ids[kind], params);
    expect({ code: codeOf(reply), status: reply.status }).toEqual({ code, status: 400 });
    expect(meta().snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
  });

  it('sets a campaign budget on the campaign', async () => {
    const { campaign } = family('campaign');
    await graph('POST', campaign, { daily_budget: '12000' });
    expect(await read(campaign, 'daily_budget')).toMatchObject({ daily_budget: '12000' });
  });

  it('of something unknown, deleted media or a foreign account finds nothing', async () => {
    const { adSet } = family();
    expect(codeOf(await graph('POST', '120200000000009999', { status: 'PAUSED' }))).toBe('100/33');
    meta().addAccount({ ...DEFAULT_ACCOUNT, id: '42', tokens: ['other'] });
    expect(codeOf(await graphOf(world, 'other')('POST', adSet, { status: 'PAUSED' }))).toBe('100/33');
  });

  it.each(['apply-and-lose-reply', 'apply-and-time-out'] as const)(
    'that is hit by %s happened',
    async (fault) => {
      const { adSet } = family();
      meta().fail({ match: { method: 'POST', path: /\/\d+$/ }, with: fault });
      const call = fetch(`${world.sandbox.url}/meta/v25.0/${adSet}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${DEFAULT_ACCOUNT.tokens[0]}` },
        body: new URLSearchParams({ daily_budget: '5200' }),
        signal: AbortSignal.timeout(300),
      });
      await expect(call).rejects.toThrow();
      expect(await read(adSet, 'daily_budget')).toMatchObject({ daily_budget: '5200' });
      expect(effects()).toHaveLength(1);
    },
  );
});

describe('the effective status', () => {
  const effective = async (id: string) => (await read(id, 'effective_status')).effective_status;

  it('follows the parents', async () => {
    const { campaign, adSet, ad } = family();
    expect(await effective(ad)).toBe('ACTIVE');
    await graph('POST', adSet, { status: 'PAUSED' });
    expect([await effective(adSet), await effective(ad)]).toEqual(['PAUSED', 'ADSET_PAUSED']);
    await graph('POST', campaign, { status: 'PAUSED' });
    expect([await effective(adSet), await effective(ad)]).toEqual(['PAUSED', 'CAMPAIGN_PAUSED']);
    await graph('POST', adSet, { status: 'ACTIVE' });
    expect([await effective(adSet), (await read(adSet, 'status')).status]).toEqual([
      'CAMPAIGN_PAUSED',
      'ACTIVE',
    ]);
    await graph('POST', campaign, { status: 'ARCHIVED' });
    expect([await effective(campaign), await effective(ad)]).toEqual(['ARCHIVED', 'ARCHIVED']);
    await graph('POST', campaign, { status: 'DELETED' });
    expect([await effective(campaign), await effective(ad)]).toEqual(['DELETED', 'DELETED']);
  });

  it.each(['PENDING_REVIEW', 'IN_PROCESS', 'DISAPPROVED', 'WITH_ISSUES'] as const)(
    'may be %s',
    async (review) => {
      const { ad } = family();
      meta().setReview(ad, review);
      expect(await effective(ad)).toBe(review);
      meta().setReview(ad, null);
      expect(await effective(ad)).toBe('ACTIVE');
    },
  );

  it('keeps what is archived from lists, unless asked, and lets it only be renamed or deleted', async () => {
    const { adSet } = family();
    await graph('POST', adSet, { status: 'ARCHIVED' });
    expect((await graph('GET', `${ACCOUNT}/adsets`)).body.data).toEqual([]);
    const asked = { effective_status: ['ARCHIVED', 'ACTIVE'] };
    expect((await graph('GET', `${ACCOUNT}/adsets`, asked)).body.data).toEqual([{ id: adSet }]);
    for (const params of [{ status: 'ACTIVE' }, { status: 'PAUSED' }, { daily_budget: '6000' }])
      expect((await graph('POST', adSet, params)).body.error.code).toBe(100);
    expect(codeOf(await graph('POST', adSet, { name: 'Old' }))).toBe('200');
    expect(codeOf(await graph('POST', adSet, { status: 'DELETED' }))).toBe('200');
    for (const params of [{ status: 'ARCHIVED' }, { status: 'ACTIVE' }, { daily_budget: '6000' }])
      expect((await graph('POST', adSet, params)).body.error.code).toBe(100);
  });
});
