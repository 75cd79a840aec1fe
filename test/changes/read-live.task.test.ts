// Is the object still what the decision was based on, and who may have moved it?
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { room } from '../../lambdas/changes/ledger.ts';
import { limitsOf } from '../../lambdas/changes/limits.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import { useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const meta = () => rig.sandbox.meta;
const read = async (account: ChangeAccount, asked: Asked = {}) => {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  return walk;
};
const timeline = ({ tenant }: ChangeAccount, change: Change) =>
  rig.histories.timeline(tenant, change.accountId, change.entity);

describe('ReadLive', () => {
  it('hands on what it saw of the object, its account and everybody’s budgets', async () => {
    const account = await rig.account();
    const { seen, verdict } = await read(account);
    expect(verdict).toEqual({ decision: 'apply', before: 5_000, applied: 5_500 });
    expect(seen).toMatchObject({
      live: { kind: 'adset', status: 'ACTIVE', learning: 'done', dailyBudget: { amountMinor: 5_000 } },
      account: { currency: 'USD', minDailyBudgetMinor: 100 },
      history: { readAt: rig.clock.now(), edits: [], statusEdits: [] },
    });
    expect(seen?.history?.held).toHaveLength(5);
    expect(seen?.history?.held[0]).toMatchObject({
      campaignId: account.campaignId,
      amountMinor: 5_000,
      active: true,
    });
    expect(seen?.usage).toMatchObject({ at: rig.clock.now() });
  });

  it('reads no history for what is no budget', async () => {
    const account = await rig.account();
    const entity = { kind: 'ad', id: account.adIds[0] ?? '' } as const;
    const { seen, verdict } = await read(account, { entity, kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' });
    expect(verdict).toMatchObject({ decision: 'apply', applied: 'PAUSED' });
    expect(seen?.history).toBeNull();
  });

  it.each([
    ['was deleted', 'gone', (id: string) => meta().person.edit(id, { status: 'DELETED' })],
    ['is archived', 'archived', (id: string) => meta().person.edit(id, { status: 'ARCHIVED' })],
    ['has another budget by now', 'moved', (id: string) => meta().person.edit(id, { dailyBudget: 5_200 })],
  ])('blocks what %s', async (_, code, make) => {
    const account = await rig.account();
    make(account.adSetIds[0] ?? '');
    expect((await read(account)).verdict).toMatchObject({ decision: 'block', code });
  });

  it('blocks what lies below something archived', async () => {
    const account = await rig.account();
    meta().person.edit(account.campaignId, { status: 'ARCHIVED' });
    const { verdict } = await read(account);
    expect(verdict).toMatchObject({ decision: 'block', code: 'archived' });
  });

  it('says what moved, in money', async () => {
    const account = await rig.account();
    meta().person.edit(account.adSetIds[0] ?? '', { dailyBudget: 6_000 });
    const { verdict } = await read(account, { to: 5_250 });
    expect(verdict).toMatchObject({
      reason: `The adset/${account.adSetIds[0]} has $60.00 now; the decision was based on $50.00.`,
    });
  });

  it('needs nothing where somebody else set the value already', async () => {
    const account = await rig.account();
    meta().person.edit(account.adSetIds[0] ?? '', { dailyBudget: 5_500 });
    expect((await read(account)).verdict).toMatchObject({
      decision: 'needless',
      code: 'already',
      before: 5_500,
    });
  });

  it('says where the budget lives when it is not here', async () => {
    const account = await rig.account();
    const held = meta().addCampaign('1010101010101010', { dailyBudget: 9_000 });
    const below = meta().addAdSet(held);
    const whole = meta().addAdSet(account.campaignId, { lifetimeBudget: 90_000 });
    const reasons = [
      await read(account, { entity: { kind: 'campaign', id: account.campaignId } }),
      await read(account, { entity: { kind: 'adset', id: below } }),
      await read(account, { entity: { kind: 'adset', id: whole } }),
      await read(account, {
        entity: { kind: 'adset', id: account.adSetIds[1] ?? '' },
        kind: 'BID_ADJUST',
        from: 300,
        to: 350,
      }),
    ].map(({ verdict }) => verdict);
    expect(reasons).toEqual(
      [
        `The campaign ${account.campaignId} holds no budget: the budgets live on its ad sets.`,
        `The ad set ${below} has no budget of its own: the budget lives on its campaign, campaign/${held}.`,
        `The adset/${whole} has a budget for its whole life; only budgets per day are changed here.`,
        `The adset/${account.adSetIds[1]} has no bid of its own: the platform bids for it.`,
      ].map((reason) => ({ decision: 'block', code: 'wrong-level', reason })),
    );
  });

  it('waits for a review and gives up on what was rejected, but stops either at once', async () => {
    const account = await rig.account();
    const [inReview = '', rejected = ''] = account.adIds;
    meta().setReview(inReview, 'PENDING_REVIEW');
    meta().setReview(rejected, 'DISAPPROVED');
    for (const id of [inReview, rejected]) meta().person.edit(id, { status: 'PAUSED' });
    rig.clock.advance(2 * 3_600_000);
    const resume = { kind: 'RESUME', from: 'PAUSED', to: 'ACTIVE' } as const;
    const stop = { kind: 'ARCHIVE', from: 'PAUSED', to: 'ARCHIVED' } as const;
    const on = (id: string) => ({ entity: { kind: 'ad', id } as const });
    const found = [];
    for (const asked of [
      { ...resume, ...on(inReview) },
      { ...resume, ...on(rejected) },
    ])
      found.push((await read(account, asked)).verdict);
    expect(found).toMatchObject([
      { decision: 'defer', code: 'in-review', retryAt: rig.clock.now() + 15 * MINUTE },
      { decision: 'block', code: 'rejected' },
    ]);
    const other = await rig.account();
    meta().setReview(other.adIds[0] ?? '', 'DISAPPROVED');
    const { verdict } = await read(other, { ...stop, ...on(other.adIds[0] ?? ''), from: 'ACTIVE' });
    expect(verdict).toMatchObject({ decision: 'apply', applied: 'ARCHIVED' });
  });

  it('leaves alone what a person edited lately, and imports the edit once', async () => {
    const account = await rig.account({ personCooldownMinutes: 60 });
    const [id = ''] = account.adSetIds;
    meta().person.edit(id, { dailyBudget: 5_200 });
    const editedAt = rig.clock.now();
    rig.clock.advance(10 * MINUTE);
    const walk = await read(account, { from: 5_200, to: 5_500 });
    expect(walk.verdict).toMatchObject({
      decision: 'defer',
      code: 'person-edited',
      retryAt: editedAt + 60 * MINUTE,
      reason: `Dana Rivera edited the adset/${id}; automation leaves it alone until then.`,
    });
    await walk.read();
    expect(await timeline(account, walk.change)).toMatchObject([
      { by: 'person', actor: 'Dana Rivera', what: 'budget', before: 5_000, after: 5_200, at: editedAt },
    ]);
    rig.clock.advance(50 * MINUTE);
    expect(await walk.read()).toMatchObject({ decision: 'apply' });
  });

  it('does not keep people waiting for themselves', async () => {
    const account = await rig.account();
    meta().person.edit(account.adSetIds[0] ?? '', { dailyBudget: 5_200 });
    for (const area of ['person', 'undo']) {
      const origin = { area, id: `by-${area}`, actor: 'dana' };
      const walk = await read(account, { from: 5_200, to: 5_500, origin });
      expect(walk.verdict).toMatchObject({ decision: 'apply' });
      await rig.changes.move(walk.change, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    }
  });

  it('does not take its own edits for a person’s', async () => {
    const account = await rig.account();
    await account.walk(await account.taken()).all();
    rig.clock.advance(5 * MINUTE);
    const walk = await read(account, { from: 5_500, to: 5_600 });
    expect(walk.verdict).toMatchObject({ decision: 'apply', before: 5_500 });
    expect(walk.seen?.history?.edits).toMatchObject([{ beforeMinor: 5_000, afterMinor: 5_500 }]);
    expect((await timeline(account, walk.change)).map(({ by }) => by)).toEqual(['us']);
  });

  it('waits while a person holds another change of the object', async () => {
    const account = await rig.account();
    const held = await account.queue({ to: 6_000 });
    await rig.changes.move(held, {
      move: 'hold',
      nowMs: rig.clock.now(),
      code: 'held-by-person',
      reason: 'Wait for Monday.',
    });
    const { verdict } = await read(account);
    expect(verdict).toMatchObject({
      decision: 'defer',
      code: 'held',
      reason: `A person holds the adset/${account.adSetIds[0]} (${held.id}): Wait for Monday.`,
    });
  });

  it('finds the effect of an earlier try whose reply was lost', async () => {
    const account = await rig.account();
    const change = await account.taken();
    const at = rig.clock.now();
    const intent = { lease: 1, at, before: 5_000, applied: 5_500, tries: 1 };
    await rig.leases.begin(change, 1, intent, { accountId: change.accountId }, at);
    meta().person.edit(change.entity.id, { dailyBudget: 5_500 });
    rig.clock.advance(MINUTE);
    const walk = account.walk(await account.get(change.id));
    expect(await walk.read()).toEqual({ decision: 'applied', before: 5_000, applied: 5_500, executedAt: at });
  });

  it('finds it in the platform’s log when somebody has set another value since', async () => {
    const account = await rig.account();
    const change = await account.taken();
    const at = rig.clock.now();
    const intent = { lease: 1, at, before: 5_000, applied: 5_500, tries: 1 };
    await rig.leases.begin(change, 1, intent, { accountId: change.accountId }, at);
    meta().person.edit(change.entity.id, { dailyBudget: 5_500 });
    rig.clock.advance(MINUTE);
    meta().person.edit(change.entity.id, { dailyBudget: 6_000 });
    const walk = account.walk(await account.get(change.id));
    expect(await walk.read()).toEqual({ decision: 'applied', before: 5_000, applied: 5_500, executedAt: at });
  });
});

describe('a platform that will not answer', () => {
  it('throttles: put off, as no attempt', async () => {
    const account = await rig.account();
    meta().throttle('1010101010101010', { forMs: 20 * MINUTE });
    const walk = await read(account);
    expect(walk).toMatchObject({ seen: null, verdict: { decision: 'defer', code: 'throttled' } });
    await walk.record();
    expect(await account.get(walk.change.id)).toMatchObject({
      status: 'PENDING',
      statusCode: 'throttled',
      attempts: 0,
      deferrals: 1,
    });
  });

  it('throttles the account: until that is over nobody else asks either', async () => {
    const account = await rig.account();
    meta().throttle('1010101010101010', { forMs: 20 * MINUTE });
    const { verdict } = await read(account);
    const until = verdict.decision === 'defer' ? verdict.retryAt : 0;
    const ledger = await rig.ledgers.get(account.tenant, '1010101010101010');
    expect(ledger.usage).toMatchObject({ highestPercent: 100, regainUntil: until });
    const limits = limitsOf(Settings.parse({}).changes);
    expect(room(ledger, limits, until - 1)).toEqual({ free: 0, freesAt: until });
    expect(room(ledger, limits, until).free).toBe(15);
  });

  it.each([
    ['an expired token', 'expired-token'],
    ['a missing permission', 'permission'],
  ] as const)('%s stops the account, and somebody is called', async (_, failure) => {
    const account = await rig.account();
    meta().fail({ with: failure, times: 10 });
    const { verdict, seen } = await read(account);
    expect({ verdict, seen }).toMatchObject({
      seen: null,
      verdict: { decision: 'defer', code: 'account-stopped', retryAt: rig.clock.now() + 15 * MINUTE },
    });
    expect(await rig.switches.on(account.tenant)).toMatchObject([
      { scope: { kind: 'account', id: '1010101010101010' }, actor: 'executor' },
    ]);
    expect(await account.said()).toMatchObject([
      { name: 'ad-account.stopped', detail: { tenant: account.tenant, accountId: '1010101010101010' } },
    ]);
  });

  it('an outage is nobody’s verdict: the step is tried again', async () => {
    const account = await rig.account();
    meta().fail({ with: 'server-error', times: 10 });
    const walk = account.walk(await account.taken());
    await expect(walk.read()).rejects.toMatchObject({ name: 'Unavailable' });
  });

  it('keeps in mind that an earlier try may have reached it', async () => {
    const account = await rig.account();
    const change = await account.taken();
    const at = rig.clock.now();
    const intent = { lease: 1, at, before: 5_000, applied: 5_500, tries: 1 };
    await rig.leases.begin(change, 1, intent, { accountId: change.accountId }, at);
    meta().throttle('1010101010101010', { forMs: 20 * MINUTE });
    const walk = account.walk(await account.get(change.id));
    expect(await walk.read()).toMatchObject({ decision: 'defer', unseen: true });
    await walk.record();
    expect(await account.get(change.id)).toMatchObject({ status: 'PENDING', intent });
  });
});
