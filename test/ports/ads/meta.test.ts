import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createMetaPublisher } from '../../../lambdas/ports/ads/meta.ts';
import { adObjectName, ownedMark } from '../../../lambdas/ports/ads/names.ts';
import type { NewAdSet, NewCampaign, Publisher } from '../../../lambdas/ports/ads/publisher.ts';
import { DEFAULT_ACCOUNT } from '../../../lib/sandbox/meta/accounts.ts';
import type { Failure } from '../../../lib/sandbox/switches.ts';
import { failureOf, useWorld } from '../../sandbox/world.ts';

const world = useWorld();
const TOKEN = DEFAULT_ACCOUNT.tokens[0] ?? '';
const RUN = 'run-01test';
const PROCESSED_MS = 30_000;

function publisher(changes: Partial<Parameters<typeof createMetaPublisher>[0]> = {}): Publisher {
  return createMetaPublisher({
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

const name = (effect: string, subject = 'one'): string =>
  adObjectName({ runId: RUN, effect, subject }, 'Summer sale');
const campaign = (): NewCampaign => ({ name: name('campaign'), objective: 'sales', specialAdCategories: [] });
const adSet = (campaignId: string): NewAdSet => ({
  name: name('ad-set'),
  campaignId,
  aim: { objective: 'sales', goal: 'conversions' },
  pixelId: DEFAULT_ACCOUNT.pixelIds[0] ?? '',
  dailyBudget: { amountMinor: 5_000, currency: 'USD' },
  countries: ['US'],
  ageMin: 18,
  ageMax: 65,
});

async function publishEverything(
  ads: Publisher,
): Promise<{ campaignId: string; adSetId: string; videoId: string; creativeId: string; adId: string }> {
  const { id: campaignId } = await ads.createCampaign(campaign());
  const { id: adSetId } = await ads.createAdSet(adSet(campaignId));
  const { id: videoId } = await ads.uploadVideo(name('video'), { url: 'https://media.example/video.mp4' });
  world.advance(PROCESSED_MS);
  const status = await ads.videoStatus(videoId);
  const { id: creativeId } = await ads.createCreative({
    name: name('creative'),
    pageId: DEFAULT_ACCOUNT.pageIds[0] ?? '',
    videoId,
    thumbnailUrl: status?.thumbnailUrl ?? '',
    primaryText: 'Text',
    headline: 'Headline',
    callToAction: 'buy_now',
    landingUrl: 'https://shop.example',
  });
  const { id: adId } = await ads.createAd({ name: name('ad'), adSetId, creativeId });
  return { campaignId, adSetId, videoId, creativeId, adId };
}

describe('publishing', () => {
  it('creates everything paused and never puts the token into a URL', async () => {
    const ads = publisher();
    const made = await publishEverything(ads);
    expect(await ads.read('campaign', made.campaignId)).toMatchObject({
      name: name('campaign'),
      status: 'paused',
    });
    expect(await ads.read('ad-set', made.adSetId)).toMatchObject({ status: 'paused' });
    expect(await ads.read('ad', made.adId)).toMatchObject({ status: 'paused' });
    expect(world.sandbox.meta.violations).toEqual([]);
    expect(world.sandbox.meta.requests.filter(({ url }) => url.includes(TOKEN))).toEqual([]);
    const [created] = world.sandbox.meta.objects(DEFAULT_ACCOUNT.id, 'adset');
    expect(created?.fields).toMatchObject({ daily_budget: '5000', optimization_goal: 'OFFSITE_CONVERSIONS' });
  });

  it('leaves the account exactly as it was after removing what a run owns in the listed order', async () => {
    const ads = publisher();
    await ads.createCampaign({ ...campaign(), name: 'Somebody else' });
    const before = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
    await publishEverything(ads);
    const owned = await ads.listOwned(ownedMark(RUN));
    expect(owned.map(({ kind }) => kind)).toEqual(['ad', 'creative', 'video', 'ad-set', 'campaign']);
    for (const { kind, id } of owned) expect(await ads.remove(kind, id)).toBe(true);
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
  });

  it('uploads bytes in the windows the vendor asks for', async () => {
    const ads = publisher();
    const content = randomBytes(2_500_000);
    const reads: [number, number][] = [];
    const { id } = await ads.uploadVideo(name('video'), {
      bytes: {
        sizeBytes: content.length,
        async read(start, end) {
          reads.push([start, end]);
          return content.subarray(start, end);
        },
      },
    });
    expect(reads).toEqual([
      [0, 1_048_576],
      [1_048_576, 2_097_152],
      [2_097_152, 2_500_000],
    ]);
    expect(await ads.videoStatus(id)).toEqual({ state: 'processing', thumbnailUrl: null, reason: null });
    world.advance(PROCESSED_MS);
    expect(await ads.videoStatus(id)).toMatchObject({
      state: 'ready',
      thumbnailUrl: expect.stringContaining(id),
    });
    expect(await ads.findByName('video', name('video'))).toMatchObject({ id });
  });

  it('says why a video could not be processed', async () => {
    const ads = publisher();
    world.sandbox.meta.fail({ match: { path: /advideos/ }, with: 'fails-later' });
    const { id } = await ads.uploadVideo(name('video'), { url: 'https://media.example/video.mp4' });
    world.advance(PROCESSED_MS);
    expect(await ads.videoStatus(id)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('format'),
    });
  });

  it('leaves no video behind when an upload breaks off', async () => {
    const ads = publisher();
    const before = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
    world.sandbox.meta.fail({ match: { path: /advideos/ }, with: 'disconnect', after: 1 });
    const bytes = { sizeBytes: 10, read: async () => new Uint8Array(10) };
    expect((await failureOf(ads.uploadVideo(name('video'), { bytes }))).name).toBe('Unavailable');
    expect(await ads.findByName('video', name('video'))).toBeNull();
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
  });
});

describe('read-back', () => {
  it.each(['apply-and-lose-reply', 'apply-and-time-out'] as const)(
    'finds what was created when the reply is lost (%s)',
    async (failure) => {
      const ads = publisher({ timeoutMs: 300 });
      world.sandbox.meta.fail({ match: { method: 'POST', path: /campaigns/ }, with: failure });
      expect((await failureOf(ads.createCampaign(campaign()))).name).toBe('Unavailable');
      const found = await ads.findByName('campaign', name('campaign'));
      expect(found).toMatchObject({ kind: 'campaign', status: 'paused' });
    },
  );

  it('matches names exactly, over pages, on edges that cannot filter', async () => {
    const ads = publisher();
    const { creativeId, videoId } = await publishEverything(ads);
    for (let index = 0; index < 120; index += 1) {
      await ads.createCreative({
        name: `${name('creative')} ${index}`,
        pageId: DEFAULT_ACCOUNT.pageIds[0] ?? '',
        videoId,
        thumbnailUrl: 'https://media.example/thumb.jpg',
        primaryText: 'Text',
        headline: 'Headline',
        callToAction: 'learn_more',
        landingUrl: 'https://shop.example',
      });
    }
    expect(await ads.findByName('creative', name('creative'))).toMatchObject({ id: creativeId });
    expect(world.sandbox.meta.violations).toEqual([]);
  });

  it('knows nothing of deleted objects, and removing twice is no error', async () => {
    const ads = publisher();
    const { id } = await ads.createCampaign(campaign());
    expect(await ads.remove('campaign', id)).toBe(true);
    expect(await ads.read('campaign', id)).toBeNull();
    expect(await ads.findByName('campaign', name('campaign'))).toBeNull();
    await expect(ads.remove('campaign', id)).resolves.toBeTypeOf('boolean');
    expect(await ads.remove('creative', '999')).toBe(false);
    expect(await ads.read('creative', '999')).toBeNull();
    expect(await ads.videoStatus('999')).toBeNull();
  });

  it('takes the oldest of several', async () => {
    const ads = publisher();
    const { id } = await ads.createCampaign(campaign());
    await ads.createCampaign(campaign());
    expect(await ads.findByName('campaign', name('campaign'))).toMatchObject({ id });
  });
});

describe('validation', () => {
  it('creates nothing, and refuses what creation would refuse', async () => {
    const ads = publisher();
    const { id } = await ads.createCampaign(campaign());
    const before = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
    await ads.validate({ kind: 'campaign', campaign: campaign() });
    await ads.validate({ kind: 'ad-set', adSet: adSet(id) });
    const poor = { ...adSet(id), dailyBudget: { amountMinor: 1, currency: 'USD' } };
    expect((await failureOf(ads.validate({ kind: 'ad-set', adSet: poor }))).name).toBe('InvalidInput');
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe(before);
  });

  it('refuses a goal that contradicts the objective before calling the vendor', async () => {
    const ads = publisher();
    const aim = { objective: 'sales', goal: 'reach' } as unknown as NewAdSet['aim'];
    expect((await failureOf(ads.createAdSet({ ...adSet('1'), aim }))).name).toBe('InvalidInput');
    expect(world.sandbox.meta.requests).toHaveLength(0);
  });

  it('reads the account', async () => {
    expect(await publisher().account()).toEqual({
      id: DEFAULT_ACCOUNT.id,
      name: 'Sandbox account',
      currency: 'USD',
      timeZone: 'America/New_York',
      canAdvertise: true,
      minDailyBudget: { amountMinor: 100, currency: 'USD' },
    });
  });
});

describe('every documented failure has one of the five names', () => {
  const graph = (code: number, extra: Record<string, unknown> = {}, status = 400): Failure => ({
    status,
    error: { message: 'words', code, ...extra },
  });
  const cases: [string, Failure, string, string][] = [
    ['app limit', graph(4, { error_subcode: 1_504_022 }), 'RateLimited', '4/1504022'],
    ['account limit that calls itself not transient', 'throttle', 'RateLimited', '17/2446079'],
    ['page limit', graph(32), 'RateLimited', '32'],
    [
      'account throttle',
      graph(613, { error_subcode: 1_487_742, type: 'OAuthException' }),
      'RateLimited',
      '613/1487742',
    ],
    ['insights use case', graph(80_000), 'RateLimited', '80000'],
    ['ads management use case', graph(80_004, { error_subcode: 2_446_079 }), 'RateLimited', '80004/2446079'],
    ['last use case', graph(80_014), 'RateLimited', '80014'],
    [
      'status 429 without a code',
      { status: 429, error: { message: 'slow down', code: undefined } },
      'RateLimited',
      '429',
    ],
    ['unknown error', graph(1, { is_transient: true }, 500), 'Unavailable', '1'],
    ['service error', 'server-error', 'Unavailable', '2'],
    ['request timeout inside', graph(2, { error_subcode: 1_504_038 }), 'Unavailable', '2/1504038'],
    ['batch timeout', graph(960), 'Unavailable', '960'],
    ['subcode 99', graph(1000, { error_subcode: 99 }), 'Unavailable', '1000/99'],
    ['connection reset', graph(104), 'Unavailable', '104'],
    ['anything that says transient', graph(12_345, { is_transient: true }), 'Unavailable', '12345'],
    ['bad gateway', graph(12_345, {}, 502), 'Unavailable', '12345'],
    ['expired token', 'expired-token', 'Refused', '190/463'],
    ['session over', graph(102, {}, 401), 'Refused', '102'],
    ['permission 10', graph(10, {}, 403), 'Refused', '10'],
    ['permission 200', 'permission', 'Refused', '200'],
    ['permission 299', graph(299, {}, 403), 'Refused', '299'],
    ['policy', 'policy', 'Refused', '368'],
    ['retired version', graph(2635), 'Refused', '2635'],
    ['invalid parameter', 'refuse', 'InvalidInput', '100/1487390'],
    ['object not assigned', graph(100, { error_subcode: 33 }), 'Refused', '100/33'],
  ];

  it.each(cases)('%s', async (_, failure, expected, vendorCode) => {
    world.sandbox.meta.fail({ with: failure });
    const error = await failureOf(publisher().createCampaign(campaign()));
    expect({ name: error.name, vendorCode: error.vendorCode }).toEqual({ name: expected, vendorCode });
    expect(error.message).not.toContain(TOKEN);
    expect(error.message).not.toContain('http');
  });

  it.each(['timeout', 'disconnect', 'truncate'] as const)('%s is Unavailable', async (failure) => {
    world.sandbox.meta.fail({ with: failure });
    const error = await failureOf(publisher({ timeoutMs: 300 }).createCampaign(campaign()));
    expect(error.name).toBe('Unavailable');
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).not.toContain(TOKEN);
  });

  it('an answer that is not JSON is Unavailable: the effect may have happened', async () => {
    const html = async (): Promise<Response> => new Response('<html>maintenance</html>', { status: 200 });
    expect((await failureOf(publisher({ fetch: html }).createCampaign(campaign()))).name).toBe('Unavailable');
    expect((await failureOf(publisher({ fetch: html }).remove('ad', '1'))).name).toBe('Unavailable');
  });

  it('a real wrong token, foreign account, retired and unknown version', async () => {
    expect((await failureOf(publisher({ accessToken: 'wrong' }).account())).message).toContain('Reconnect');
    world.sandbox.meta.addAccount({ ...DEFAULT_ACCOUNT, id: '42', tokens: ['other'] });
    expect((await failureOf(publisher({ accountId: '42' }).account())).name).toBe('Refused');
    expect((await failureOf(publisher({ version: 'v19.0' }).account())).vendorCode).toBe('2635');
    expect((await failureOf(publisher({ version: 'v99.0' }).account())).name).toBe('Refused');
  });

  it('does not follow a redirect with the token', async () => {
    const seen: string[] = [];
    const redirecting = async (url: string, init: RequestInit): Promise<Response> => {
      seen.push(`${init.redirect} ${url}`);
      return new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } });
    };
    expect((await failureOf(publisher({ fetch: redirecting }).account())).name).toBe('Refused');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatch(/^manual /);
  });
});

describe('usage', () => {
  it('is read from every answer, and gives the time when a throttle ends', async () => {
    const ads = publisher();
    expect(ads.usage()).toBeNull();
    await ads.account();
    expect(ads.usage()?.entries.map(({ quota }) => quota)).toEqual([
      'app',
      `ads_insights ${DEFAULT_ACCOUNT.id}`,
      `ads_management ${DEFAULT_ACCOUNT.id}`,
      'account',
    ]);
    world.sandbox.meta.fail({ with: 'throttle' });
    const error = await failureOf(ads.account());
    expect(error.retryAt).toBe(world.clock.now() + 3_600_000);
    expect(ads.usage()).toMatchObject({ highestPercent: 100, regainMs: 3_600_000 });
  });

  it('the simulated quota really ends, and comes back with time', async () => {
    world.sandbox.meta.addAccount({ ...DEFAULT_ACCOUNT, id: '43', callsPerHour: 2 });
    const ads = publisher({ accountId: '43' });
    await ads.account();
    await ads.account();
    expect((await failureOf(ads.account())).name).toBe('RateLimited');
    world.advance(3_600_001);
    await ads.account();
  });
});
