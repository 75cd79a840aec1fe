import { describe, expect, it } from 'vitest';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const TOKEN = DEFAULT_ACCOUNT.tokens[0] ?? '';
const ACCOUNT = `act_${DEFAULT_ACCOUNT.id}`;

interface Reply {
  status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the vendor answers
  body: any;
  headers: Headers;
}

async function graph(
  method: string,
  path: string,
  params: Record<string, unknown> = {},
  version = 'v25.0',
): Promise<Reply> {
  const encoded = new URLSearchParams(
    Object.entries(params).map(([name, value]): [string, string] => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ).toString();
  const url = `${world.sandbox.url}/meta/${version}/${path}`;
  const response = await fetch(method === 'POST' ? url : `${url}?${encoded}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-www-form-urlencoded' },
    ...(method === 'POST' ? { body: encoded } : {}),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const campaign = {
  name: 'C',
  objective: 'OUTCOME_TRAFFIC',
  special_ad_categories: [],
  status: 'PAUSED',
  is_adset_budget_sharing_enabled: 'false',
};
const targeting = { geo_locations: { countries: ['US'] } };
const adSet = {
  name: 'S',
  optimization_goal: 'LINK_CLICKS',
  billing_event: 'IMPRESSIONS',
  status: 'PAUSED',
  targeting,
  daily_budget: '500',
};

async function campaignId(extra: Record<string, unknown> = {}): Promise<string> {
  return (await graph('POST', `${ACCOUNT}/campaigns`, { ...campaign, ...extra })).body.id as string;
}

describe('creation', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an objective', { objective: '' }],
    ['a known objective', { objective: 'CONVERSIONS' }],
    ['special_ad_categories', { special_ad_categories: '' }],
    ['a name', { name: '' }],
    ['the word on budget sharing', { is_adset_budget_sharing_enabled: '' }],
    ['a budget above the minimum', { daily_budget: '99' }],
    ['a whole budget', { daily_budget: '10.5' }],
    ['a status it may have', { status: 'DELETED' }],
  ])('of a campaign wants %s', async (_, wrong) => {
    const reply = await graph('POST', `${ACCOUNT}/campaigns`, { ...campaign, ...wrong });
    expect({ status: reply.status, code: reply.body.error?.code }).toEqual({ status: 400, code: 100 });
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe('[]');
  });

  it.each<[string, Record<string, unknown>]>([
    ['a goal of the objective', { optimization_goal: 'VALUE' }],
    ['a billing event that goes with the goal', { billing_event: 'THRUPLAY' }],
    ['a place', { targeting: {} }],
    ['a budget', { daily_budget: '' }],
    ['an existing campaign', { campaign_id: '1' }],
  ])('of an ad set wants %s', async (_, wrong) => {
    const reply = await graph('POST', `${ACCOUNT}/adsets`, {
      ...adSet,
      campaign_id: await campaignId(),
      ...wrong,
    });
    expect(reply.body.error?.code).toBe(100);
  });

  it('keeps the budget on one level', async () => {
    const shared = await campaignId({ daily_budget: '1000' });
    expect(
      (await graph('POST', `${ACCOUNT}/adsets`, { ...adSet, campaign_id: shared })).body.error.error_subcode,
    ).toBe(1_885_621);
    const { daily_budget: _, ...without } = adSet;
    expect((await graph('POST', `${ACCOUNT}/adsets`, { ...without, campaign_id: shared })).status).toBe(200);
  });

  it('of a creative wants a ready video, a page of ours and a picture', async () => {
    const { body: video } = await graph('POST', `${ACCOUNT}/advideos`, {
      file_url: 'https://media.example/v.mp4',
      title: 'V',
    });
    const data = {
      video_id: video.id,
      image_url: 'https://x.example/t.jpg',
      call_to_action: { type: 'LEARN_MORE', value: { link: 'https://x.example' } },
    };
    const story = { page_id: DEFAULT_ACCOUNT.pageIds[0], video_data: data };
    const create = (spec: unknown): Promise<Reply> =>
      graph('POST', `${ACCOUNT}/adcreatives`, { name: 'K', object_story_spec: spec });
    expect((await create(story)).body.error.error_subcode).toBe(1_885_252);
    world.advance(30_000);
    expect((await create({ ...story, page_id: '1' })).status).toBe(403);
    expect((await create({ ...story, video_data: { ...data, image_url: undefined } })).body.error.code).toBe(
      100,
    );
    expect((await create(story)).status).toBe(200);
  });

  it('of something running is done and recorded as a violation', async () => {
    await campaignId({ status: 'ACTIVE' });
    await campaignId({ status: '' });
    expect(world.sandbox.meta.violations.map(({ kind }) => kind)).toEqual([
      'created-active',
      'created-active',
    ]);
  });
});

describe('reading', () => {
  it('gives the fields that were asked for, and says which do not exist', async () => {
    const id = await campaignId();
    expect((await graph('GET', id, { fields: 'name,status' })).body).toEqual({
      id,
      name: 'C',
      status: 'PAUSED',
    });
    expect((await graph('GET', id, { fields: 'colour' })).body.error.message).toContain(
      'nonexisting field (colour)',
    );
  });

  it('turns pages by cursor, newest first, and filters', async () => {
    for (let index = 0; index < 7; index += 1) await campaignId({ name: `C${index}` });
    const first = await graph('GET', `${ACCOUNT}/campaigns`, { fields: 'name', limit: '3' });
    expect(first.body.data.map(({ name }: { name: string }) => name)).toEqual(['C6', 'C5', 'C4']);
    expect(first.body.paging.next).toContain(`access_token=${TOKEN}`);
    const second = await graph('GET', `${ACCOUNT}/campaigns`, {
      fields: 'name',
      limit: '4',
      after: first.body.paging.cursors.after,
    });
    expect(second.body.data).toHaveLength(4);
    expect(second.body.paging.next).toBeUndefined();
    const filtering = [{ field: 'name', operator: 'EQUAL', value: 'C2' }];
    expect(
      (await graph('GET', `${ACCOUNT}/campaigns`, { fields: 'name', filtering })).body.data,
    ).toHaveLength(1);
  });

  it('notices a token in the URL', async () => {
    await graph('GET', ACCOUNT, { access_token: TOKEN });
    expect(world.sandbox.meta.violations.map(({ kind }) => kind)).toEqual(['token-in-url']);
  });
});

describe('deleting', () => {
  it('takes children along, keeps deleted campaigns readable, and refuses what is in use', async () => {
    const id = await campaignId();
    const { body: set } = await graph('POST', `${ACCOUNT}/adsets`, { ...adSet, campaign_id: id });
    expect((await graph('DELETE', id)).body).toEqual({ success: true });
    expect((await graph('GET', set.id, { fields: 'status' })).body.status).toBe('DELETED');
    expect((await graph('GET', `${ACCOUNT}/adsets`)).body.data).toEqual([]);
    expect(world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id)).toBe('[]');
    expect((await graph('POST', `${ACCOUNT}/adsets`, { ...adSet, campaign_id: id })).body.error.code).toBe(
      100,
    );
  });

  it('of a video waits until no creative uses it', async () => {
    const { body: video } = await graph('POST', `${ACCOUNT}/advideos`, {
      file_url: 'https://media.example/v.mp4',
    });
    world.advance(30_000);
    const data = {
      video_id: video.id,
      image_hash: 'h',
      call_to_action: { type: 'LEARN_MORE', value: { link: 'https://x.example' } },
    };
    const { body: creative } = await graph('POST', `${ACCOUNT}/adcreatives`, {
      name: 'K',
      object_story_spec: { page_id: DEFAULT_ACCOUNT.pageIds[0], video_data: data },
    });
    expect((await graph('DELETE', video.id)).status).toBe(400);
    expect((await graph('DELETE', creative.id)).status).toBe(200);
    expect((await graph('DELETE', video.id)).status).toBe(200);
    expect((await graph('DELETE', video.id)).body.error.error_subcode).toBe(33);
  });
});

describe('envelopes', () => {
  it('carry usage headers on errors too, and a trace id', async () => {
    const reply = await graph('POST', `${ACCOUNT}/campaigns`, {});
    expect(reply.body.error.fbtrace_id).toMatch(/^A/);
    expect(
      JSON.parse(reply.headers.get('x-business-use-case-usage') ?? '{}')[DEFAULT_ACCOUNT.id],
    ).toHaveLength(2);
  });

  it.each([
    ['v23.0', 2635],
    ['v27.0', 2500],
    ['latest', 2500],
  ])('version %s → %d', async (version, code) => {
    expect((await graph('GET', ACCOUNT, {}, version)).body.error.code).toBe(code);
  });

  it('ask for the word on budget sharing from v24 on', async () => {
    const { is_adset_budget_sharing_enabled: _, ...old } = campaign;
    expect((await graph('POST', `${ACCOUNT}/campaigns`, old, 'v24.0')).body.error.error_subcode).toBe(
      4_834_011,
    );
  });

  it('are the same for the same requests: nothing is random but the trace', async () => {
    const run = async (): Promise<string> => {
      await campaignId();
      const snapshot = world.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id);
      world.sandbox.reset();
      return snapshot;
    };
    expect(await run()).toBe(await run());
  });
});
