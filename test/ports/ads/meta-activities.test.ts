import { describe, expect, it } from 'vitest';
import type { Activity } from '../../../lambdas/ports/ads/live-ads.ts';
import { createMetaReader } from '../../../lambdas/ports/ads/meta-live.ts';
import { failureOf } from '../../sandbox/world.ts';
import { ACCOUNT_ID, accountIn, connectedTo, NOW_MS, scriptedGraph } from './scripted-graph.ts';

const LOG = `act_${ACCOUNT_ID}/activities`;

/** A line as Graph sends it. */
function line(eventType: string, objectType: string, extra: unknown, more: object = {}): object {
  return {
    event_time: '2026-11-20T10:00:00+0000',
    event_type: eventType,
    extra_data: typeof extra === 'string' ? extra : JSON.stringify(extra),
    actor_id: '7',
    actor_name: 'Dana Rivera',
    application_id: '119211728144504',
    object_id: '55',
    object_type: objectType,
    ...more,
  };
}

/** As the reader tells a log, given newest first. */
async function told(lines: readonly object[], currency = 'USD'): Promise<Activity[]> {
  const graph = scriptedGraph({ [`act_${ACCOUNT_ID}`]: [accountIn(currency)], [LOG]: [{ data: lines }] });
  return createMetaReader(connectedTo(graph)).activities(NOW_MS - 1);
}

const paid = (
  side: 'old_value' | 'new_value',
  amount: number,
  currency = 'USD',
  period?: string,
): object => ({
  type: 'payment_amount',
  currency,
  [side]: amount,
  ...(period === undefined ? {} : { additional_type: 'status_string', additional_value: period }),
});
const composite = (before: number, after: number, currency = 'USD', period = 'Per day'): object => ({
  old_value: paid('old_value', before, currency, ''),
  new_value: paid('new_value', after, currency, period),
  type: 'composite_data',
});

describe('a line of the log', () => {
  it('says who did what to which object, and when', async () => {
    expect(await told([line('update_ad_set_budget', 'CAMPAIGN', composite(9_250, 5_000))])).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{26}-1$/),
        at: Date.UTC(2026, 10, 20, 10),
        actorId: '7',
        actorName: 'Dana Rivera',
        applicationId: '119211728144504',
        entity: { kind: 'adset', id: '55' },
        what: 'budget',
        before: 9_250,
        after: 5_000,
        eventType: 'update_ad_set_budget',
      },
    ]);
  });

  const cases: [string, object, { [F in keyof Activity]?: Activity[F] | undefined }][] = [
    [
      'a campaign budget',
      line('update_campaign_budget', 'CAMPAIGN_GROUP', composite(75_000, 63_800)),
      { entity: { kind: 'campaign', id: '55' }, what: 'budget', before: 75_000, after: 63_800 },
    ],
    [
      'a budget in the flat shape, as text',
      line('update_campaign_budget', 'CAMPAIGN_GROUP', { old_value: '7500', new_value: '25000' }),
      { what: 'budget', before: 7_500, after: 25_000 },
    ],
    [
      'a budget whose amounts carry no currency',
      line('update_campaign_budget', 'CAMPAIGN_GROUP', {
        old_value: { old_value: 100_000 },
        new_value: { new_value: 200_000 },
      }),
      { what: 'budget', before: 100_000, after: 200_000 },
    ],
    [
      'a budget for a lifetime: no budget per day',
      line('update_ad_set_budget', 'CAMPAIGN', composite(308_993, 299_910, 'USD', 'Lifetime budget')),
      { what: 'budget', before: undefined, after: undefined },
    ],
    [
      'a budget for a lifetime, labelled the older way',
      line('update_ad_set_budget', 'CAMPAIGN', {
        old_value: { old_value: 308_993, type: 'Lifetime budget' },
        new_value: { new_value: 299_910, type: 'Lifetime budget' },
      }),
      { what: 'budget', before: undefined, after: undefined },
    ],
    [
      'the change from a lifetime to a day',
      line('update_ad_set_budget', 'CAMPAIGN', {
        old_value: paid('old_value', 70_000, 'USD', 'Lifetime budget'),
        new_value: paid('new_value', 5_000, 'USD', 'Per day'),
      }),
      { what: 'budget', before: undefined, after: 5_000 },
    ],
    [
      'amounts in another currency than the account’s',
      line('update_ad_set_budget', 'CAMPAIGN', composite(100, 200, 'EUR')),
      { what: 'budget', before: undefined, after: undefined },
    ],
    [
      'no amount before: not a budget of nothing',
      line('update_ad_set_budget', 'CAMPAIGN', {
        old_value: paid('old_value', 0),
        new_value: paid('new_value', 5_000),
      }),
      { what: 'budget', before: undefined, after: 5_000 },
    ],
    [
      'a bid',
      line('update_ad_set_bidding', 'CAMPAIGN', composite(300, 350, 'USD', '')),
      { entity: { kind: 'adset', id: '55' }, what: 'bid', before: 300, after: 350 },
    ],
    [
      'a bid strategy',
      line('update_ad_set_bid_strategy', 'CAMPAIGN', {
        old_value: null,
        new_value: 'LOWEST_COST_BID_STRATEGY',
      }),
      { what: 'bid', before: undefined, after: undefined },
    ],
    [
      'a campaign switched off',
      line('update_campaign_run_status', 'CAMPAIGN_GROUP', {
        old_value: 'Active',
        new_value: 'Inactive',
        type: 'run_status',
      }),
      { entity: { kind: 'campaign', id: '55' }, what: 'status', before: 'ACTIVE', after: 'PAUSED' },
    ],
    [
      'an ad set archived',
      line('update_ad_set_run_status', 'CAMPAIGN', { old_value: 'Inactive', new_value: 'Archived' }),
      { entity: { kind: 'adset', id: '55' }, what: 'status', before: 'PAUSED', after: 'ARCHIVED' },
    ],
    [
      'a status in the composite shape',
      line('update_ad_set_run_status', 'CAMPAIGN', {
        new_value: { type: 'status_string', new_value: 'DELETED' },
      }),
      { what: 'status', before: undefined, after: 'DELETED' },
    ],
    [
      'an ad on its way',
      line('update_ad_run_status', 'ADGROUP', { old_value: 'Active', new_value: 'Pending Process' }),
      { entity: { kind: 'ad', id: '55' }, what: 'status', before: 'ACTIVE', after: undefined },
    ],
    [
      'learning',
      line('update_ad_set_learning_stage_status', 'CAMPAIGN', { new_value: 'SUCCESS' }),
      { entity: { kind: 'adset', id: '55' }, what: 'learning', after: undefined },
    ],
    ['the end of learning', line('di_ad_set_learning_stage_exit', 'CAMPAIGN', {}), { what: 'learning' }],
    [
      'an approved ad, by the platform',
      line('ad_review_approved', 'ADGROUP', {}, { actor_id: '0', actor_name: 'Meta' }),
      { entity: { kind: 'ad', id: '55' }, what: 'review', actorId: '0', actorName: 'Meta' },
    ],
    ['a declined ad', line('ad_review_declined', 'ADGROUP', {}), { what: 'review' }],
    [
      'the budget an ad set was created with',
      line('create_ad_set', 'CAMPAIGN', { new_value: paid('new_value', 11_500, 'USD', 'Per day') }),
      { entity: { kind: 'adset', id: '55' }, what: 'created', before: undefined, after: 11_500 },
    ],
    [
      'a new campaign',
      line('create_campaign_group', 'CAMPAIGN_GROUP', { type: 'composite_data' }),
      { entity: { kind: 'campaign', id: '55' }, what: 'created', after: undefined },
    ],
    ['a new ad', line('create_ad', 'ADGROUP', {}), { entity: { kind: 'ad', id: '55' }, what: 'created' }],
    [
      'an event that nobody has heard of',
      line('something_new', 'CAMPAIGN', { old_value: 5, new_value: 6 }),
      { entity: { kind: 'adset', id: '55' }, what: 'other', before: undefined, eventType: 'something_new' },
    ],
    [
      'a schedule, whose name speaks of campaigns and means ad sets',
      line('update_campaign_schedule', 'CAMPAIGN', {}),
      { entity: { kind: 'adset', id: '55' }, what: 'other' },
    ],
    [
      'extra_data that is no JSON',
      line('update_ad_set_budget', 'CAMPAIGN', 'not json'),
      { what: 'budget', before: undefined, after: undefined },
    ],
    [
      'extra_data that is a list',
      line('update_ad_set_budget', 'CAMPAIGN', '[1, 2]'),
      { what: 'budget', before: undefined, after: undefined },
    ],
    [
      'no actor, no application, Unix time',
      line('create_ad', 'ADGROUP', null, {
        actor_id: null,
        actor_name: null,
        application_id: undefined,
        event_time: NOW_MS / 1_000,
      }),
      { actorId: '', actorName: '', applicationId: '', at: NOW_MS },
    ],
  ];

  it.each(cases)('%s', async (_, sent, expected) => {
    const [activity, ...more] = await told([sent]);
    expect(more).toEqual([]);
    for (const [field, value] of Object.entries(expected))
      expect({ [field]: activity?.[field as keyof Activity] }).toEqual({ [field]: value });
  });

  it('about billing, people, audiences or images is left out', async () => {
    const strangers = [
      line('ad_account_billing_charge', 'ACCOUNT', { currency: 'USD', new_value: 95_200 }),
      line('ad_account_add_user_to_role', 'ACCOUNT', {}),
      line('create_audience', 'AUDIENCE', {}),
      line('add_images', 'SOMETHING_LATER', {}),
      line('update_ad_set_budget', 'CAMPAIGN', composite(1, 2), { object_id: null }),
    ];
    expect(await told(strangers)).toEqual([]);
  });

  it.each([
    ['JPY', 9_250, 9_250],
    ['HUF', 9_250, 925_000],
    ['KWD', 9_250, 92_500],
    ['USD', 9_250, 9_250],
  ])('counts %s in minor units', async (currency, sent, minor) => {
    const [activity] = await told(
      [line('update_ad_set_budget', 'CAMPAIGN', composite(sent, sent * 2, currency))],
      currency,
    );
    expect(activity).toMatchObject({ before: minor, after: minor * 2 });
  });
});

describe('the identity of a line', () => {
  const budget = (more: object = {}, extra: object = composite(1_000, 1_200)): object =>
    line('update_ad_set_budget', 'CAMPAIGN', extra, more);
  const idOf = async (sent: object): Promise<string> => (await told([sent]))[0]?.id ?? '';

  it('stays the same when it is read again with what Meta computes anew', async () => {
    const signed = (extra: object): object =>
      line('update_ad_run_status', 'ADGROUP', { old_value: 'Active', new_value: 'Inactive', ...extra });
    expect(await idOf(signed({ last_learning_exit: 1_784_012_400 }))).toBe(
      await idOf(signed({ last_learning_exit: 1_784_098_800 })),
    );
    const creative = (url: string): object => line('update_ad_creative', 'ADGROUP', { new_value: [url] });
    expect(await idOf(creative('https://a.example?sig=1'))).toBe(
      await idOf(creative('https://a.example?sig=2')),
    );
  });

  it('differs by time, object, actor and value', async () => {
    const others = [
      budget({ event_time: '2026-11-20T10:00:01+0000' }),
      budget({ object_id: '56' }),
      budget({ actor_id: '8' }),
      budget({}, composite(1_000, 1_201)),
      budget({}, composite(999, 1_200)),
    ];
    const ids = await Promise.all([budget(), ...others].map(idOf));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('differs among equal lines of one second, whatever window they are read in', async () => {
    const twice = (await told([budget(), budget()])).map(({ id }) => id);
    expect(new Set(twice).size).toBe(2);
    const later = budget({ event_time: '2026-11-20T11:00:00+0000' });
    const within = (await told([later, budget(), budget()])).map(({ id }) => id);
    expect(within.slice(0, 2)).toEqual(twice);
  });
});

describe('the whole log', () => {
  const at = (second: number): object =>
    line('update_ad_set_budget', 'CAMPAIGN', composite(1_000 + second, 1_001 + second), {
      event_time: `2026-11-20T10:00:${String(second).padStart(2, '0')}+0000`,
    });

  it('is asked for from the second on, in English, and told oldest first over all pages', async () => {
    const next = `https://graph.example/v25.0/${LOG}?access_token=secret-token&limit=2&after=abc`;
    const graph = scriptedGraph({
      [`act_${ACCOUNT_ID}`]: [accountIn('USD')],
      [LOG]: [
        { data: [at(9), at(8)], paging: { cursors: { after: 'abc' }, next } },
        // An empty page need not be the last one, and a next one need not have a cursor.
        { data: [], paging: { next: next.replace('after=abc', 'until=1795168800&__paging_token=x') } },
        { data: [at(3)], paging: { cursors: { after: 'end' } } },
      ],
    });
    const activities = await createMetaReader(connectedTo(graph)).activities(NOW_MS - 7_199_500);
    expect(activities.map(({ before }) => before)).toEqual([1_003, 1_008, 1_009]);
    const [first, second, third] = graph.asked.filter(({ path }) => path === LOG).map(({ params }) => params);
    expect(first).toMatchObject({ since: String(NOW_MS / 1_000 - 7_200), locale: 'en_US' });
    expect(Number(first?.['until'])).toBeGreaterThanOrEqual(NOW_MS / 1_000);
    expect(second).toMatchObject({ after: 'abc', since: first?.['since'], fields: first?.['fields'] });
    expect(third).toMatchObject({ until: '1795168800', __paging_token: 'x' });
    for (const { params, headers } of graph.asked) {
      expect(params).not.toHaveProperty('access_token');
      expect(headers.get('authorization')).toBe('Bearer secret-token');
    }
  });

  it('keeps the order of one second: the newest comes first on the wire', async () => {
    const off = line('update_ad_run_status', 'ADGROUP', {
      old_value: 'Active',
      new_value: 'Pending Process',
    });
    const done = line('update_ad_run_status', 'ADGROUP', {
      old_value: 'Pending Process',
      new_value: 'Inactive',
    });
    expect((await told([done, off])).map(({ before, after }) => [before, after])).toEqual([
      ['ACTIVE', undefined],
      [undefined, 'PAUSED'],
    ]);
  });

  it('that does not end is refused, not cut', async () => {
    const next = `https://graph.example/v25.0/${LOG}?access_token=x&after=abc`;
    const many = Array.from({ length: 5_001 }, () => at(1));
    const graph = scriptedGraph({
      [`act_${ACCOUNT_ID}`]: [accountIn('USD')],
      [LOG]: [{ data: many, paging: { next } }],
    });
    const error = await failureOf(createMetaReader(connectedTo(graph)).activities(0));
    expect(error.name).toBe('Refused');
    expect(graph.asked.filter(({ path }) => path === LOG)).toHaveLength(4);
  });

  it('with a line without a time is no answer', async () => {
    const error = await failureOf(told([line('create_ad', 'ADGROUP', {}, { event_time: 'yesterday' })]));
    expect(error.name).toBe('Unavailable');
  });
});
