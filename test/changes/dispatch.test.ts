// Are the best due changes started, as many as there is room for, each once, and what stands in their way told?
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { dispatchNeed } from '../../lambdas/changes/dispatch.ts';
import { reserve, type RoomRequest } from '../../lambdas/changes/ledger.ts';
import { limitsOf } from '../../lambdas/changes/limits.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import { ACCOUNT, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const dispatch = async ({ tenant }: ChangeAccount) => (await rig.open(dispatchNeed)(tenant, ACCOUNT)).started;
/** Of an object of its own. */
const ad = (id: number | string, more: Asked = {}): Asked => ({
  entity: { kind: 'ad', id: String(id) },
  kind: 'PAUSE',
  from: 'ACTIVE',
  to: 'PAUSED',
  ...more,
});
const many = (account: ChangeAccount, count: number, more: Asked = {}) =>
  Promise.all(Array.from({ length: count }, (_, index) => account.queue(ad(7_000 + index, more))));
const executionsOf = async (changes: readonly Change[]) => {
  const names = await rig.executions();
  return changes.map(({ id }) => names.filter((name) => name.startsWith(id)));
};
/** So many places of the hour are used up. */
const use = ({ tenant }: ChangeAccount, count: number) =>
  rig.ledgers.change(tenant, ACCOUNT, (found) => {
    let ledger = found;
    for (let index = 0; index < count; index += 1) {
      const request: RoomRequest = {
        changeId: `used-${index}`,
        lease: 1,
        entity: `ad/${index}`,
        campaignId: '9',
        movesMinor: 0,
        originId: 'x',
        day: '2026-03-02',
        dayEndsAt: rig.clock.now() + 1,
      };
      const answer = reserve(ledger, request, limitsOf(Settings.parse({}).changes), rig.clock.now());
      if (answer.granted) ({ ledger } = answer);
    }
    return { ledger, answer: undefined };
  });

describe('dispatch', () => {
  it('starts one execution per change, named by its lease, and opens its run', async () => {
    const account = await rig.account();
    const change = await account.queue();
    expect(await dispatch(account)).toEqual([change.id]);
    expect(await executionsOf([change])).toEqual([[`${change.id}-1`]]);
    expect(await account.get(change.id)).toMatchObject({
      status: 'PENDING',
      statusCode: 'dispatched',
      lease: 1,
      notBefore: rig.clock.now() + 2 * MINUTE,
    });
    expect(await rig.open(runsNeed('read')).get(account.tenant, change.id)).toMatchObject({
      status: 'running',
      attempt: 1,
      stateMachine: 'change-execution',
    });
  });

  it('takes the best ranked, as many as there is room for', async () => {
    const account = await rig.account();
    await use(account, 12);
    const cheap = await many(account, 3, { expectedValueMinor: 1 });
    const dear = await account.queue(ad(1, { expectedValueMinor: 900 }));
    const person = { area: 'person', id: 'x', actor: 'dana' };
    const ordered = await account.queue(ad(2, { origin: person, expectedValueMinor: -3 }));
    const [first] = cheap.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    expect(await dispatch(account)).toEqual([ordered.id, dear.id, first?.id]);
    expect(await dispatch(account)).toEqual([]);
  });

  it('counts what is being applied, and what was started and not claimed yet', async () => {
    const account = await rig.account({ perHour: 3 });
    await account.taken(ad(1));
    await account.dispatched(await account.queue(ad(2)));
    const waiting = await many(account, 3);
    const started = await dispatch(account);
    expect(started).toHaveLength(1);
    expect(waiting.map(({ id }) => id)).toContain(started[0]);
  });

  it('two at once start nothing twice, and no more than there is room for', async () => {
    const account = await rig.account({ perHour: 3 });
    const queued = await many(account, 6);
    const started = (await Promise.all(Array.from({ length: 4 }, () => dispatch(account)))).flat();
    expect(new Set(started).size).toBe(started.length);
    expect(started.length).toBeLessThanOrEqual(3);
    const executions = (await executionsOf(queued)).flat();
    expect(executions.toSorted()).toEqual(started.map((id) => `${id}-1`).toSorted());
  });

  it('starts again, under the next lease, what nobody claimed within two minutes', async () => {
    const account = await rig.account();
    const change = await account.queue();
    await dispatch(account);
    rig.clock.advance(2 * MINUTE - 1);
    expect(await dispatch(account)).toEqual([]);
    rig.clock.advance(1);
    expect(await dispatch(account)).toEqual([change.id]);
    expect(await executionsOf([change])).toEqual([[`${change.id}-2`, `${change.id}-1`]]);
  });

  it('leaves what is not due, and takes it when it is', async () => {
    const account = await rig.account();
    const change = await account.queue({ notBefore: rig.clock.now() + MINUTE });
    expect(await dispatch(account)).toEqual([]);
    rig.clock.advance(MINUTE);
    expect(await dispatch(account)).toEqual([change.id]);
  });

  it('reaches what is due behind hundreds of a higher rank that are put off', async () => {
    const account = await rig.account();
    await many(account, 1_050, { expectedValueMinor: 1_000, notBefore: rig.clock.now() + 60 * MINUTE });
    const { id } = await account.queue();
    expect(await dispatch(account)).toEqual([id]);
  });

  it('starts one change of an object at a time', async () => {
    const account = await rig.account();
    const [adSet = ''] = account.adSetIds;
    const pause = {
      entity: { kind: 'adset', id: adSet },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
    } as const;
    const both = [await account.queue(), await account.queue(pause)];
    expect(await dispatch(account)).toHaveLength(1);
    const statuses = await Promise.all(both.map(({ id }) => account.get(id)));
    expect(statuses.map(({ lease }) => lease).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  it.each([
    ['the tenant’s', { kind: 'tenant' }],
    ['the account’s', { kind: 'account', id: ACCOUNT }],
    ['the rule’s', { kind: 'rule', id: 'r1' }],
  ] as const)('starts nothing while %s kill switch is on', async (_, scope) => {
    const account = await rig.account();
    const change = await account.queue({ origin: { area: 'rules', id: 'x', actor: 'rules', rule: 'r1' } });
    await rig.switches.turnOn(account.tenant, { scope, actor: 'dana', comment: '', since: 0 });
    expect(await dispatch(account)).toEqual([]);
    expect((await account.get(change.id)).lease).toBe(0);
    await rig.switches.turnOff(account.tenant, scope);
    expect(await dispatch(account)).toEqual([change.id]);
  });
});

describe('what stands in its way', () => {
  const end = (change: Change, move: 'complete' | 'fail') =>
    rig.leases.finish(
      change,
      change.lease,
      { step: { move, reason: '', code: 'x' }, actor: 'test' },
      rig.clock.now(),
    );

  it('parents come before their children', async () => {
    const account = await rig.account();
    const campaign = await account.queue(ad(1));
    const adSet = await account.queue(ad(2, { after: [campaign.id], expectedValueMinor: 900 }));
    const child = await account.queue(ad(3, { after: [adSet.id], expectedValueMinor: 999 }));
    const order = [];
    for (let round = 0; round < 3; round += 1) {
      const started = await dispatch(account);
      order.push(...started);
      for (const id of started) await end(await account.claimed(await account.get(id)), 'complete');
    }
    expect(order).toEqual([campaign.id, adSet.id, child.id]);
  });

  it('what waits for something that was not applied is blocked, and says for what', async () => {
    const account = await rig.account();
    const parent = await account.taken(ad(1));
    const child = await account.queue(ad(2, { after: [parent.id] }));
    expect(await dispatch(account)).toEqual([]);
    expect((await account.get(child.id)).status).toBe('PENDING');
    await end(parent, 'fail');
    expect(await dispatch(account)).toEqual([]);
    expect(await account.get(child.id)).toMatchObject({
      status: 'BLOCKED',
      statusCode: 'dependency',
      statusReason: `${parent.id} had to be applied first and is FAILED.`,
    });
    expect((await rig.histories.story(account.tenant, child.id)).map(({ move }) => move)).toEqual(['orphan']);
  });

  it('what only waits for something to be over does not mind how it ended', async () => {
    const account = await rig.account();
    const first = await account.taken(ad(1));
    const second = await account.queue(ad(2, { behind: [first.id] }));
    expect(await dispatch(account)).toEqual([]);
    await end(first, 'fail');
    expect(await dispatch(account)).toEqual([second.id]);
  });

  it('a newer change takes the older one’s place, which keeps its name', async () => {
    const account = await rig.account();
    const older = await account.queue({ to: 5_300 });
    rig.clock.advance(1_000);
    const newer = await account.queue({ to: 5_400 });
    expect(await dispatch(account)).toEqual([newer.id]);
    expect(await account.get(older.id)).toMatchObject({
      status: 'SUPERSEDED',
      supersededBy: newer.id,
      statusReason: `${newer.id} (BUDGET_INCREASE) takes its place.`,
    });
  });

  it('also when the newer is worth more and comes first', async () => {
    const account = await rig.account();
    const older = await account.queue({ to: 5_300 });
    rig.clock.advance(1_000);
    const newer = await account.queue({ to: 5_400, expectedValueMinor: 900 });
    expect(await dispatch(account)).toEqual([newer.id]);
    expect(await account.get(older.id)).toMatchObject({ status: 'SUPERSEDED', supersededBy: newer.id });
  });

  it('a pause beats a resume, also an older one', async () => {
    const account = await rig.account();
    const pause = await account.queue(ad(1));
    rig.clock.advance(1_000);
    const resume = await account.queue(ad(1, { kind: 'RESUME', from: 'PAUSED', to: 'ACTIVE' }));
    expect(await dispatch(account)).toEqual([pause.id]);
    expect(await account.get(resume.id)).toMatchObject({ status: 'SUPERSEDED', supersededBy: pause.id });
  });

  it('a second change waits while the first is being applied', async () => {
    const account = await rig.account();
    const first = await account.taken({ to: 5_300 });
    const second = await account.queue({ to: 5_400 });
    expect(await dispatch(account)).toEqual([]);
    expect((await account.get(second.id)).status).toBe('PENDING');
    await end(first, 'complete');
    expect(await dispatch(account)).toEqual([second.id]);
  });

  it('what is too late expires, but not while it may have reached the platform', async () => {
    const account = await rig.account();
    const late = await account.queue({ expiresAt: rig.clock.now() + MINUTE });
    const open = await account.taken(ad(1, { expiresAt: rig.clock.now() + MINUTE }));
    const intent = { lease: 1, at: 0, before: 'ACTIVE', applied: 'PAUSED', tries: 1 } as const;
    await rig.leases.begin(open, 1, intent, { accountId: ACCOUNT }, rig.clock.now());
    const step = { move: 'reclaim', reason: '', code: 'x' } as const;
    const set = { notBefore: rig.clock.now() };
    await rig.leases.finish(open, 1, { step, set, keepIntent: true, actor: 'test' }, rig.clock.now());
    rig.clock.advance(MINUTE);
    expect(await dispatch(account)).toEqual([open.id]);
    expect(await account.get(late.id)).toMatchObject({ status: 'EXPIRED', statusCode: 'expired' });
  });
});
