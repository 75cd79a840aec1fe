// Is the platform asked for a change once, whatever breaks around the question, and never where it may not be?
import { describe, expect, it } from 'vitest';
import { ACCOUNT, outages, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';
import type { Walk } from '../support/change-walk.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const meta = () => rig.sandbox.meta;
/** Writes that reached the sandbox, whatever it answered. */
const asked = () => meta().requests.filter(({ method }) => method === 'POST').length;

/** Everything is granted; the platform has yet to be asked. */
async function ready(account: ChangeAccount, what: Asked = {}): Promise<Walk> {
  const walk = account.walk(await account.taken(what));
  await walk.read();
  await walk.policy();
  expect(await walk.reserve()).toMatchObject({ decision: 'apply' });
  return walk;
}
const rises = (objectId: string) => [
  { objectId, field: 'daily_budget', before: 5_000, after: 5_500, by: 'api' },
];

describe('ApplyChange', () => {
  it('records what it is about to write, writes it, and keeps the platform’s name of its answer', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    expect(await walk.apply()).toMatchObject({
      decision: 'applied',
      before: 5_000,
      applied: 5_500,
      executedAt: rig.clock.now(),
      responseId: expect.any(String) as string,
    });
    expect(rig.effects()).toEqual(rises(walk.change.entity.id));
    expect(await account.get(walk.change.id)).toMatchObject({
      status: 'EXECUTING',
      intent: { lease: 1, before: 5_000, applied: 5_500, tries: 1, at: rig.clock.now() },
    });
  });

  it.each([
    ['a campaign’s status', 'campaign', 'PAUSE', 'ACTIVE', 'PAUSED'],
    ['an ad’s status', 'ad', 'ARCHIVE', 'ACTIVE', 'ARCHIVED'],
    ['a bid', 'bid', 'BID_ADJUST', 300, 330],
    ['a campaign’s budget', 'held', 'BUDGET_DECREASE', 9_000, 8_000],
  ] as const)('writes %s', async (_, which, kind, from, to) => {
    const account = await rig.account();
    const held = meta().addCampaign(ACCOUNT, { dailyBudget: 9_000 });
    const bid = meta().addAdSet(account.campaignId, { dailyBudget: 5_000, bid: 300 });
    const entity = {
      campaign: { kind: 'campaign', id: account.campaignId },
      ad: { kind: 'ad', id: account.adIds[0] ?? '' },
      bid: { kind: 'adset', id: bid },
      held: { kind: 'campaign', id: held },
    } as const;
    const walk = await ready(account, { entity: entity[which], kind, from, to });
    expect(await walk.apply()).toMatchObject({ decision: 'applied', applied: to });
    expect(rig.effects()).toMatchObject([{ objectId: entity[which].id, before: from, after: to }]);
    expect(await walk.verify()).toBe(to);
  });

  it('writes nothing while its intent cannot be recorded', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(walk.apply()).rejects.toMatchObject({ name: 'Unavailable' });
    expect([asked(), rig.effects()]).toEqual([0, []]);
  });

  it('does not write under a lease that has passed to somebody else', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    await rig.changes.move(walk.change, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    await expect(walk.apply()).rejects.toMatchObject({ name: 'Conflict' });
    expect([asked(), rig.effects()]).toEqual([0, []]);
  });

  it('finds what it did when only the answer was lost', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    const { verdict } = walk;
    meta().fail({ match: { method: 'POST' }, with: 'apply-and-lose-reply' });
    await expect(walk.apply()).rejects.toMatchObject({ name: 'Unavailable' });
    const at = rig.clock.now();
    rig.clock.advance(2_000);
    walk.verdict = verdict;
    expect(await walk.apply()).toEqual({
      decision: 'applied',
      before: 5_000,
      applied: 5_500,
      executedAt: at,
    });
    expect(rig.effects()).toEqual(rises(walk.change.entity.id));
  });

  it('asks again only once what it asked before can no longer arrive', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    const { verdict } = walk;
    const at = rig.clock.now();
    meta().fail({ match: { method: 'POST' }, with: 'disconnect' });
    await expect(walk.apply()).rejects.toMatchObject({ name: 'Unavailable' });
    rig.clock.advance(2_000);
    walk.verdict = verdict;
    expect(await walk.apply()).toMatchObject({
      decision: 'defer',
      code: 'unheard',
      retryAt: at + MINUTE,
      unseen: true,
    });
    await walk.record();
    expect(rig.effects()).toEqual([]);
    // While nobody knows, the room is taken.
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).edits).toMatchObject([{ outcome: 'open' }]);
    rig.clock.advance(MINUTE);
    const again = account.walk(
      await account.claimed(await account.dispatched(await account.get(walk.change.id))),
    );
    await again.all();
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'COMPLETED', intent: { tries: 2 } });
    expect(rig.effects()).toEqual(rises(walk.change.entity.id));
  });

  it('is done at most once, and in the end once, wherever one of its calls breaks', async () => {
    const calls = ['GetItem', 'GetSecretValue', 'TransactWriteItems'];
    const effects = ['lost-reply', 'throttle'] as const;
    for (const operation of calls) {
      for (const kind of effects) {
        const account = await rig.account();
        const walk = await ready(account);
        const { verdict } = walk;
        const when = kind === 'throttle' ? 'before' : 'after';
        const fault = rig.cloud.faults.add({ operation, when, effect: { kind }, times: 2 });
        for (let tries = 0; tries < 4 && walk.verdict.decision !== 'applied'; tries += 1) {
          walk.verdict = verdict;
          walk.reserved = { at: rig.clock.now(), limits: [] };
          await outages(walk.apply());
          rig.clock.advance(MINUTE);
        }
        fault.remove();
        expect(walk.verdict, `${operation} ${kind}`).toMatchObject({ decision: 'applied' });
        expect(rig.effects().filter(({ objectId }) => objectId === walk.change.entity.id)).toEqual(
          rises(walk.change.entity.id),
        );
      }
    }
  });

  it('leaves alone what somebody moved between the look and the question', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().person.edit(walk.change.entity.id, { dailyBudget: 5_200 });
    expect(await walk.apply()).toMatchObject({
      decision: 'block',
      code: 'moved',
      reason: `The adset/${walk.change.entity.id} had $50.00 and has $52.00 now: somebody was faster.`,
    });
    expect(asked()).toBe(0);
  });

  it('asks for nothing that somebody set at the same moment', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().person.edit(walk.change.entity.id, { dailyBudget: 5_500 });
    expect(await walk.apply()).toMatchObject({ decision: 'needless', code: 'already' });
    expect(asked()).toBe(0);
  });
});

describe('what stops it at the last moment', () => {
  it.each([
    ['the tenant’s', () => ({ kind: 'tenant' }) as const],
    ['the account’s', () => ({ kind: 'account', id: ACCOUNT }) as const],
    ['the campaign’s', ({ campaignId }: ChangeAccount) => ({ kind: 'campaign', id: campaignId }) as const],
    ['the rule’s', () => ({ kind: 'rule', id: 'rule-7' }) as const],
  ])('%s kill switch, turned on after everything was granted', async (_, scopeOf) => {
    const account = await rig.account();
    const origin = { area: 'rules', id: 'execution', actor: 'rules', rule: 'rule-7' };
    const walk = await ready(account, { origin });
    const scope = scopeOf(account);
    await rig.switches.turnOn(account.tenant, { scope, actor: 'dana', comment: 'Halt.', since: 0 });
    expect(await walk.apply()).toMatchObject({
      decision: 'defer',
      code: 'kill-switch',
      retryAt: rig.clock.now() + 5 * MINUTE,
      reason: `dana stopped the ${scope.kind}: Halt.`,
    });
    expect([asked(), rig.effects()]).toEqual([0, []]);
    expect((await account.get(walk.change.id)).intent).toBeUndefined();
    await walk.record();
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).changes).toEqual([]);
  });

  it('another campaign’s switch and another tenant’s do not', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    const scope = { kind: 'campaign', id: '999' } as const;
    await rig.switches.turnOn(account.tenant, { scope, actor: 'dana', comment: '', since: 0 });
    await rig.switches.turnOn('somebody-else', {
      scope: { kind: 'tenant' },
      actor: 'eve',
      comment: '',
      since: 0,
    });
    expect(await walk.apply()).toMatchObject({ decision: 'applied' });
  });

  it('a reservation of more than twenty seconds ago', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    const { verdict } = walk;
    rig.clock.advance(20_001);
    expect(await walk.apply()).toMatchObject({
      decision: 'defer',
      code: 'reservation-lapsed',
      retryAt: rig.clock.now(),
    });
    expect(asked()).toBe(0);
    walk.verdict = verdict;
    walk.reserved = { at: rig.clock.now() - 20_000, limits: [] };
    expect(await walk.apply()).toMatchObject({ decision: 'applied' });
  });
});
