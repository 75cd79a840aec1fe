import { beforeEach, describe, expect, it } from 'vitest';
import type { AdsWriter, LivePatch, LiveRef } from '../../../lambdas/ports/ads/live-ads.ts';
import { createMetaWriter } from '../../../lambdas/ports/ads/meta-write.ts';
import { refusalOf, throttleOf } from '../../../lambdas/ports/ads/refusals.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import { failureOf, useWorld } from '../../sandbox/world.ts';
import { ACCOUNT_ID, accountIn, connectedTo, scriptedGraph } from './scripted-graph.ts';

const world = useWorld();
const TOKEN = DEFAULT_ACCOUNT.tokens[0] ?? '';
const HOUR_MS = 3_600_000;

function writer(changes: Partial<Parameters<typeof createMetaWriter>[0]> = {}): AdsWriter {
  return createMetaWriter({
    fetch,
    clock: world.clock,
    baseUrl: `${world.sandbox.url}/meta`,
    version: 'v25.0',
    accountId: DEFAULT_ACCOUNT.id,
    accessToken: TOKEN,
    timeoutMs: 2_000,
    ...changes,
  });
}

const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
const budget = (amountMinor: number): LivePatch => ({ dailyBudget: usd(amountMinor) });

let campaign: LiveRef;
let adSet: LiveRef;
let ad: LiveRef;
beforeEach(() => {
  const { meta } = world.sandbox;
  campaign = { kind: 'campaign', id: meta.addCampaign(DEFAULT_ACCOUNT.id) };
  adSet = { kind: 'adset', id: meta.addAdSet(campaign.id, { dailyBudget: 5_000, bid: 300 }) };
  ad = { kind: 'ad', id: meta.addAd(adSet.id) };
});

const effects = () =>
  world.sandbox.meta
    .effects(DEFAULT_ACCOUNT.id)
    .map(({ objectId, field, after }) => [objectId, field, after]);

describe('a change', () => {
  it('of a budget, a bid or a status is exactly that one effect', async () => {
    const ads = writer();
    await ads.update(adSet, budget(5_900));
    await ads.update(adSet, { bid: usd(310) });
    for (const ref of [ad, adSet, campaign]) await ads.update(ref, { status: 'PAUSED' });
    await ads.update(ad, { status: 'ACTIVE' });
    await ads.update(ad, { status: 'ARCHIVED' });
    expect(effects()).toEqual([
      [adSet.id, 'daily_budget', 5_900],
      [adSet.id, 'bid_amount', 310],
      [ad.id, 'status', 'PAUSED'],
      [adSet.id, 'status', 'PAUSED'],
      [campaign.id, 'status', 'PAUSED'],
      [ad.id, 'status', 'ACTIVE'],
      [ad.id, 'status', 'ARCHIVED'],
    ]);
    expect(await ads.live(adSet)).toMatchObject({ dailyBudget: usd(5_900), bid: usd(310), status: 'PAUSED' });
    expect(world.sandbox.meta.violations).toEqual([]);
    expect(world.sandbox.meta.requests.filter(({ url }) => url.includes(TOKEN))).toEqual([]);
  });

  it('of a campaign’s own budget', async () => {
    const id = world.sandbox.meta.addCampaign(DEFAULT_ACCOUNT.id, { dailyBudget: 9_000 });
    const ads = writer();
    await ads.update({ kind: 'campaign', id }, budget(9_900));
    expect((await ads.live({ kind: 'campaign', id }))?.dailyBudget).toEqual(usd(9_900));
  });

  it.each([
    ['JPY', 5_900, 5_900],
    ['HUF', 590_000, 5_900],
    ['KWD', 59_000, 5_900],
  ])('in %s is sent in the unit that Meta counts in', async (currency, amountMinor, sent) => {
    const { meta } = world.sandbox;
    meta.addAccount({ ...DEFAULT_ACCOUNT, id: '43', currency });
    const id = meta.addAdSet(meta.addCampaign('43'), { dailyBudget: 5_000 });
    const ads = writer({ accountId: '43' });
    await ads.update({ kind: 'adset', id }, { dailyBudget: { amountMinor, currency } });
    expect(meta.effects('43')).toMatchObject([{ objectId: id, after: sent }]);
    expect(await ads.live({ kind: 'adset', id })).toMatchObject({ dailyBudget: { amountMinor, currency } });
  });

  it('names Meta’s own trace of the answer', async () => {
    const reply = { status: 200, body: { success: true }, headers: { 'x-fb-trace-id': 'HkZ1' } };
    const graph = scriptedGraph({ '5': [reply, { success: true }] });
    const ads = createMetaWriter(connectedTo(graph));
    expect(await ads.update({ kind: 'ad', id: '5' }, { status: 'PAUSED' })).toEqual({ responseId: 'HkZ1' });
    expect(await ads.update({ kind: 'ad', id: '5' }, { status: 'PAUSED' })).toEqual({ responseId: '' });
    expect(graph.asked[0]).toMatchObject({ method: 'POST', path: '5', params: { status: 'PAUSED' } });
    expect(graph.asked[0]?.headers.get('authorization')).toBe('Bearer secret-token');
  });

  it('that is not confirmed leaves open whether it happened', async () => {
    const graph = scriptedGraph({ '5': [{ success: false }] });
    const error = await failureOf(
      createMetaWriter(connectedTo(graph)).update({ kind: 'ad', id: '5' }, { status: 'PAUSED' }),
    );
    expect(error.name).toBe('Unavailable');
  });
});

describe('validation only', () => {
  it('writes nothing, and says yes or no as the change itself would', async () => {
    const ads = writer();
    const before = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
    const since = world.clock.now();
    const validateOnly = { validateOnly: true };
    await ads.update(adSet, budget(5_900), validateOnly);
    await ads.update(adSet, { bid: usd(310) }, validateOnly);
    for (const ref of [campaign, adSet, ad]) await ads.update(ref, { status: 'PAUSED' }, validateOnly);
    expect(refusalOf(await failureOf(ads.update(adSet, budget(1), validateOnly)))).toBe('value');
    expect(refusalOf(await failureOf(ads.update(campaign, budget(900), validateOnly)))).toBe('value');
    expect(effects()).toEqual([]);
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
    expect(await ads.activities(since)).toEqual([]);
  });
});

describe('a refused change leaves nothing', () => {
  let before = '';
  beforeEach(() => {
    before = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
  });
  const nothingChanged = (): void => {
    expect(effects()).toEqual([]);
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
  };

  it('below the minimum, or on the level that does not hold the budget', async () => {
    expect(refusalOf(await failureOf(writer().update(adSet, budget(99))))).toBe('value');
    const error = await failureOf(writer().update(campaign, budget(5_900)));
    expect(refusalOf(error)).toBe('value');
    expect(error.message).toContain('ad sets');
    nothingChanged();
  });

  it.each<[string, () => [LiveRef, LivePatch]]>([
    ['an ad’s budget', () => [ad, budget(5_900)]],
    ['a campaign’s bid', () => [campaign, { bid: usd(5) }]],
    ['an ad’s bid', () => [ad, { bid: usd(5) }]],
    [
      'an amount of another currency',
      () => [adSet, { dailyBudget: { amountMinor: 5_900, currency: 'JPY' } }],
    ],
    ['a bid of another currency', () => [adSet, { bid: { amountMinor: 59, currency: 'EUR' } }]],
    ['nothing', () => [adSet, budget(0)]],
    ['less than nothing', () => [adSet, budget(-5)]],
    ['half a minor unit', () => [adSet, budget(10.5)]],
    ['no number', () => [adSet, budget(Number.NaN)]],
    [
      'an id that is another path',
      () => [{ kind: 'ad', id: `act_${DEFAULT_ACCOUNT.id}` }, { status: 'PAUSED' }],
    ],
  ])('%s is not even sent', async (_, given) => {
    const error = await failureOf(writer().update(...given()));
    expect([error.name, refusalOf(error)]).toEqual(['InvalidInput', 'value']);
    expect(world.sandbox.meta.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    nothingChanged();
  });

  it('an amount that Meta’s unit cannot hold is not sent', async () => {
    const graph = scriptedGraph({ [`act_${ACCOUNT_ID}`]: [accountIn('HUF')] });
    const patch = { bid: { amountMinor: 590_050, currency: 'HUF' } };
    const error = await failureOf(
      createMetaWriter(connectedTo(graph)).update({ kind: 'adset', id: '5' }, patch),
    );
    expect(error).toMatchObject({ name: 'InvalidInput', path: 'bid' });
  });

  it('by policy, for the object alone', async () => {
    world.sandbox.meta.refuseByPolicy(adSet.id);
    expect(refusalOf(await failureOf(writer().update(adSet, budget(5_900))))).toBe('policy');
    nothingChanged();
    await writer().update(campaign, { status: 'PAUSED' });
  });

  it('without permission to write, though reading goes on', async () => {
    world.sandbox.meta.revokePermission(DEFAULT_ACCOUNT.id, { code: 10, scope: 'write' });
    const ads = writer();
    expect(await ads.live(adSet)).not.toBeNull();
    const error = await failureOf(ads.update(adSet, budget(5_900)));
    expect([error.name, error.vendorCode, refusalOf(error)]).toEqual(['Refused', '10', 'permission']);
    nothingChanged();
  });

  it('with a token that is over', async () => {
    world.sandbox.meta.expireToken(TOKEN);
    const error = await failureOf(writer().update(ad, { status: 'PAUSED' }));
    expect([error.name, refusalOf(error)]).toEqual(['Refused', 'credential']);
    expect(error.message).toContain('Reconnect');
    expect(error.message).not.toContain(TOKEN);
    world.sandbox.meta.expireToken(TOKEN, false);
    nothingChanged();
  });

  it('of what is not there', async () => {
    const error = await failureOf(writer().update({ kind: 'ad', id: '999' }, { status: 'PAUSED' }));
    expect([error.name, error.vendorCode, refusalOf(error)]).toEqual(['Refused', '100/33', 'other']);
    nothingChanged();
  });

  it.each([4, 17, 613, 80_004] as const)('while the account is throttled with %s', async (code) => {
    world.sandbox.meta.throttle(DEFAULT_ACCOUNT.id, { forMs: 300_000, code });
    const ads = writer();
    const error = await failureOf(ads.update(ad, { status: 'PAUSED' }));
    expect(error).toMatchObject({ name: 'RateLimited', retryAt: world.clock.now() + 300_000 });
    expect(throttleOf(error)).toBe(code === 4 ? 'application' : 'account');
    expect(ads.usage()).toMatchObject({ regainMs: 300_000 });
    nothingChanged();
  });

  it('faster than a hundred in a second', async () => {
    world.sandbox.meta.addAccount({ ...DEFAULT_ACCOUNT, mutationsPerSecond: 1 });
    const ads = writer();
    await ads.update(ad, { status: 'PAUSED' });
    const error = await failureOf(ads.update(campaign, { status: 'PAUSED' }));
    expect(error).toMatchObject({ vendorCode: '613/5044001', retryAt: world.clock.now() + 1_000 });
    expect(effects()).toEqual([[ad.id, 'status', 'PAUSED']]);
    world.sandbox.meta.addAccount(DEFAULT_ACCOUNT);
  });
});

describe('the fifth budget of an hour', () => {
  it('is refused until an hour later, for this ad set alone', async () => {
    const ads = writer();
    for (let edit = 1; edit <= 4; edit += 1) await ads.update(adSet, budget(5_000 + edit));
    const error = await failureOf(ads.update(adSet, budget(5_005)));
    expect(error).toMatchObject({ name: 'RateLimited', retryAt: world.clock.now() + HOUR_MS });
    expect(throttleOf(error)).toBe('budget-edits');
    expect((await ads.live(adSet))?.dailyBudget).toEqual(usd(5_004));
    await ads.update(adSet, { status: 'PAUSED' });
    world.advance((error.retryAt ?? 0) - world.clock.now() - 1);
    expect(throttleOf(await failureOf(ads.update(adSet, budget(5_005))))).toBe('budget-edits');
    world.advance(1);
    await ads.update(adSet, budget(5_005));
    expect((await ads.live(adSet))?.dailyBudget).toEqual(usd(5_005));
  });
});

describe('a lost answer', () => {
  it.each(['apply-and-lose-reply', 'apply-and-time-out'] as const)(
    'is Unavailable, and reading shows that it happened (%s)',
    async (failure) => {
      const ads = writer({ timeoutMs: 300 });
      world.sandbox.meta.fail({ match: { method: 'POST' }, with: failure });
      expect((await failureOf(ads.update(ad, { status: 'PAUSED' }))).name).toBe('Unavailable');
      expect((await ads.live(ad))?.status).toBe('PAUSED');
      expect(effects()).toHaveLength(1);
    },
  );

  it.each(['timeout', 'disconnect', 'server-error'] as const)(
    'that was never given is Unavailable too, and nothing happened (%s)',
    async (failure) => {
      const ads = writer({ timeoutMs: 300 });
      world.sandbox.meta.fail({ match: { method: 'POST' }, with: failure });
      expect((await failureOf(ads.update(ad, { status: 'PAUSED' }))).name).toBe('Unavailable');
      expect((await ads.live(ad))?.status).toBe('ACTIVE');
    },
  );
});
