// Does each object of a launch come to exist once, and does taking back leave the account as it began?
import { beforeEach, describe, expect, it } from 'vitest';
import { createMetaPublisher } from '../../lambdas/ports/ads/meta.ts';
import type { AdObjectKind, Publisher } from '../../lambdas/ports/ads/publisher.ts';
import { Conflict } from '../../lambdas/runtime/errors.ts';
import { ensure, PUBLISH_EFFECTS, takeBack } from '../../lambdas/creative/publish.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const ACCOUNT = { accountId: DEFAULT_ACCOUNT.id, secret: 'secret' };
let job: Job;
let publisher: Publisher;
let before: string;

beforeEach(async () => {
  job = await rig.job();
  before = rig.account();
  publisher = createMetaPublisher({
    fetch,
    clock: rig.clock,
    baseUrl: `${rig.sandbox.url}/meta`,
    version: 'v25.0',
    accountId: DEFAULT_ACCOUNT.id,
    accessToken: DEFAULT_ACCOUNT.tokens[0] ?? '',
    timeoutMs: 300,
  });
});

/** The whole launch of one ad, as the two publishing states make it. */
async function launch(): Promise<Record<AdObjectKind, string>> {
  const context = { effects: job.effects, publisher, runId: job.runId, account: ACCOUNT };
  const make = (kind: AdObjectKind, create: (name: string) => Promise<{ id: string }>): Promise<string> =>
    ensure(context, { kind, subject: 'one', label: 'Lumo [lamp]', create });
  const campaign = await make('campaign', (name) =>
    publisher.createCampaign({ name, objective: 'traffic', specialAdCategories: [] }),
  );
  const adSet = await make('ad-set', (name) =>
    publisher.createAdSet({
      name,
      campaignId: campaign,
      aim: { objective: 'traffic', goal: 'landing-page-views' },
      dailyBudget: { amountMinor: 5_000, currency: 'USD' },
      countries: ['US'],
      ageMin: 18,
      ageMax: 65,
    }),
  );
  const video = await make('video', (name) =>
    publisher.uploadVideo(name, { url: 'https://media.example/video.mp4' }),
  );
  rig.clock.advance(60_000);
  const status = await publisher.videoStatus(video);
  const creative = await make('creative', (name) =>
    publisher.createCreative({
      name,
      pageId: DEFAULT_ACCOUNT.pageIds[0] ?? '',
      videoId: video,
      thumbnailUrl: status?.thumbnailUrl ?? '',
      primaryText: 'Text',
      headline: 'Headline',
      callToAction: 'buy_now',
      landingUrl: 'https://shop.example',
    }),
  );
  const ad = await make('ad', (name) => publisher.createAd({ name, adSetId: adSet, creativeId: creative }));
  return { campaign, 'ad-set': adSet, video, creative, ad };
}

const back = (): Promise<number> => takeBack(job.effects, () => Promise.resolve(publisher), job.runId);
const POSTS: readonly [AdObjectKind, RegExp][] = [
  ['campaign', /\/campaigns$/],
  ['ad-set', /\/adsets$/],
  ['video', /\/advideos$/],
  ['creative', /\/adcreatives$/],
  ['ad', /\/ads$/],
];
const owned = async (): Promise<string[]> =>
  (await publisher.listOwned(`[${job.runId}/`)).map(({ kind }) => kind).toSorted();
const ONE_EACH = [...PUBLISH_EFFECTS].toSorted();

describe('publishing', () => {
  it('makes each object once, and returns the same on every repeat without a call', async () => {
    const made = await launch();
    const after = rig.account();
    rig.sandbox.meta.fail({ match: { method: 'POST' }, with: 'server-error', times: 99 });
    expect(await launch()).toEqual(made);
    expect(rig.account()).toBe(after);
    expect(await owned()).toEqual(ONE_EACH);
  });

  it.each(POSTS)('makes no second %s when the reply was lost', async (_, path) => {
    const lost = rig.sandbox.meta.fail({ match: { method: 'POST', path }, with: 'apply-and-lose-reply' });
    await expect(launch()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(lost.hits()).toBe(1);
    await launch();
    expect(await owned()).toEqual(ONE_EACH);
  });

  it('creates it when an earlier try never arrived', async () => {
    rig.sandbox.meta.fail({ match: { method: 'POST', path: /\/ads$/ }, with: 'disconnect' });
    await expect(launch()).rejects.toMatchObject({ name: 'Unavailable' });
    await launch();
    expect(await owned()).toEqual(ONE_EACH);
  });
});

describe('taking back', () => {
  const faults = [
    'refuse',
    'throttle',
    'server-error',
    'timeout',
    'disconnect',
    'apply-and-lose-reply',
  ] as const;
  const cases = POSTS.flatMap(([kind, path]) => faults.map((fault) => [kind, fault, path] as const));

  it.each(cases)('leaves the account as it began after the %s met %s', async (_, fault, path) => {
    const failing = rig.sandbox.meta.fail({ match: { method: 'POST', path }, with: fault });
    await expect(launch()).rejects.toThrow();
    expect(failing.hits()).toBe(1);
    await back();
    expect(rig.account()).toBe(before);
    expect(await job.intents()).toEqual([]);
    expect(await back()).toBe(0);
  });

  it('removes a whole launch, once', async () => {
    await launch();
    expect(rig.account()).not.toBe(before);
    expect(await back()).toBe(5);
    expect(rig.account()).toBe(before);
    expect(await back()).toBe(0);
  });

  it('goes on where a failing removal stopped it', async () => {
    await launch();
    rig.sandbox.meta.fail({ match: { method: 'DELETE' }, with: 'server-error', after: 2 });
    await expect(back()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await job.intents()).not.toEqual([]);
    await back();
    expect(rig.account()).toBe(before);
  });

  it('leaves what other runs and people made', async () => {
    await publisher.createCampaign({ name: 'By hand', objective: 'traffic', specialAdCategories: [] });
    const theirs = rig.account();
    await launch();
    await back();
    expect(rig.account()).toBe(theirs);
  });

  it('succeeds on a run that did nothing, and after it the run can publish again', async () => {
    expect(await back()).toBe(0);
    const first = await launch();
    await back();
    const second = await launch();
    expect(Object.values(second).filter((id) => Object.values(first).includes(id))).toEqual([]);
    expect(await owned()).toEqual(ONE_EACH);
  });

  it('makes a straggler remove what it made after it was undone', async () => {
    const straggler = ensure(
      { effects: job.effects, publisher, runId: job.runId, account: ACCOUNT },
      {
        kind: 'campaign',
        subject: 'one',
        label: 'late',
        async create(name) {
          // The run is taken back while this call is on its way.
          await back();
          return publisher.createCampaign({ name, objective: 'traffic', specialAdCategories: [] });
        },
      },
    );
    await expect(straggler).rejects.toThrow(Conflict);
    expect(rig.account()).toBe(before);
  });
});
