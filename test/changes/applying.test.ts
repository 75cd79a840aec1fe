// What comes of the platform's answers, and what asks it for nothing at all?
import { describe, expect, it } from 'vitest';
import { ACCOUNT, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';
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

describe('what changes nothing', () => {
  it('validate asks the platform whether it would, and changes nothing', async () => {
    const account = await rig.account();
    const walk = await ready(account, { mode: 'validate' });
    const before = meta().snapshot(ACCOUNT);
    expect(await walk.apply()).toMatchObject({ decision: 'checked', before: 5_000, applied: 5_500 });
    expect(asked()).toBe(1);
    expect([meta().snapshot(ACCOUNT), rig.effects()]).toEqual([before, []]);
    expect(await walk.record()).toMatchObject({ outcome: 'checked' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'COMPLETED', statusCode: 'validate' });
  });

  it('validate tells what the platform would refuse', async () => {
    const account = await rig.account();
    const walk = await ready(account, { mode: 'validate' });
    meta().fail({ match: { method: 'POST' }, with: 'refuse' });
    expect(await walk.apply()).toMatchObject({ decision: 'fail', code: 'refused' });
  });

  it('shadow asks the platform nothing at all', async () => {
    const account = await rig.account({ mode: 'shadow' });
    const walk = await ready(account);
    const before = meta().requests.length;
    expect(await walk.apply()).toMatchObject({ decision: 'checked' });
    expect(meta().requests).toHaveLength(before);
    expect(await walk.record()).toMatchObject({ outcome: 'checked' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'COMPLETED', statusCode: 'shadow' });
    expect((await account.get(walk.change.id)).result).toBeUndefined();
  });
});

describe('what the platform answers', () => {
  it('its policy: blocked for good', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().refuseByPolicy(walk.change.entity.id);
    expect(await walk.apply()).toMatchObject({ decision: 'block', code: 'platform-policy' });
    await walk.record();
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'BLOCKED', attempts: 0 });
  });

  it('a value it does not take: failed for good, its place in the hour is used up', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().fail({ match: { method: 'POST' }, with: 'refuse' });
    expect(await walk.apply()).toMatchObject({ decision: 'fail', code: 'refused' });
    expect(await walk.record()).toMatchObject({ outcome: 'failed' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'FAILED' });
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).changes).toMatchObject([
      { outcome: 'not-applied' },
    ]);
  });

  it('too fast: put off until the time it names, as no attempt', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().throttle(ACCOUNT, { forMs: 20 * MINUTE });
    const verdict = await walk.apply();
    expect(verdict).toMatchObject({ decision: 'defer', code: 'throttled' });
    const until = verdict.decision === 'defer' ? verdict.retryAt : 0;
    expect(until).toBeGreaterThanOrEqual(rig.clock.now() + 20 * MINUTE);
    await walk.record();
    expect(await account.get(walk.change.id)).toMatchObject({
      status: 'PENDING',
      notBefore: until,
      attempts: 0,
      deferrals: 1,
    });
  });

  it('a budget that is frozen after too many edits: put off for the hour, the account is not stopped', async () => {
    const account = await rig.account({ velocity: { percent: 100 }, personCooldownMinutes: 0 });
    const [id = ''] = account.adSetIds;
    for (const dailyBudget of [5_001, 5_002, 5_003, 5_000]) meta().person.edit(id, { dailyBudget });
    const walk = await ready(account);
    expect(await walk.apply()).toMatchObject({ decision: 'defer', code: 'throttled' });
    expect(await rig.switches.on(account.tenant)).toEqual([]);
    await walk.record();
    expect((await account.get(walk.change.id)).intent).toBeUndefined();
  });

  it('a token it no longer knows: the account is stopped', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().fail({ match: { method: 'POST' }, with: 'expired-token' });
    expect(await walk.apply()).toMatchObject({ decision: 'defer', code: 'account-stopped' });
    expect(await rig.switches.on(account.tenant)).toMatchObject([{ actor: 'executor' }]);
    expect((await account.said()).map(({ name }) => name)).toContain('ad-account.stopped');
  });

  it('that it does not know what happened: nobody decides, the step is tried again', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    meta().fail({ match: { method: 'POST' }, with: 'server-error' });
    await expect(walk.apply()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await account.get(walk.change.id)).toMatchObject({ status: 'EXECUTING', intent: { tries: 1 } });
  });
});
