// Does what nobody wants any more leave the queue, and is everything that waits counted by its reason?
import { describe, expect, it } from 'vitest';
import { trigger } from '../../lambdas/changes/expire-changes.trigger.ts';
import { ACCOUNT, useChangeRig, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const expire = () =>
  trigger.run({ scheduledTime: '2026-03-01T00:00:00Z' }, rig.openAll(trigger.needs) as never);
const metrics = (name: string) =>
  rig
    .metrics()
    .filter((one) => one.name === name)
    .map(({ value, dimensions }) => ({ value, ...dimensions }));

async function known(): Promise<ChangeAccount> {
  const settings = rig.table('settings');
  const before = await settings.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': 'platform#tenant' },
  });
  for (const { pk, sk } of before) await settings.delete({ Key: { pk, sk } });
  const account = await rig.account();
  await settings.put({ Item: { pk: 'platform#tenant', sk: account.tenant } });
  return account;
}
const ad = (id: number) =>
  ({ entity: { kind: 'ad', id: String(id) }, kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' }) as const;

describe('ExpireChanges', () => {
  it('lets what waits or is held expire at its time and no earlier, told and audited', async () => {
    const account = await known();
    const expiresAt = rig.clock.now() + MINUTE;
    const waiting = await account.queue({ ...ad(1), expiresAt });
    const held = await account.queue({ ...ad(2), expiresAt }, 'HELD');
    const later = await account.queue({ ...ad(3), expiresAt: expiresAt + 1 });
    const statuses = () =>
      Promise.all([waiting, held, later].map(async ({ id }) => (await account.get(id)).status));
    rig.clock.advance(MINUTE - 1);
    await expire();
    expect(await statuses()).toEqual(['PENDING', 'HELD', 'PENDING']);
    rig.clock.advance(1);
    await expire();
    expect(await statuses()).toEqual(['EXPIRED', 'EXPIRED', 'PENDING']);
    expect(await rig.histories.story(account.tenant, held.id)).toMatchObject([
      {
        move: 'expire',
        code: 'expired',
        reason: `Nobody applied it before ${new Date(expiresAt).toISOString()}.`,
      },
    ]);
    await expire();
    expect(await rig.histories.story(account.tenant, held.id)).toHaveLength(1);
  });

  it('keeps what is being applied, and what may have reached the platform', async () => {
    const account = await known();
    const expiresAt = rig.clock.now() + MINUTE;
    const taken = await account.taken({ ...ad(1), expiresAt });
    const open = await account.taken({ ...ad(2), expiresAt });
    const intent = { lease: 1, at: 0, before: 'ACTIVE', applied: 'PAUSED', tries: 1 } as const;
    await rig.leases.begin(open, 1, intent, { accountId: ACCOUNT }, rig.clock.now());
    const step = { move: 'reclaim', reason: '', code: 'x' } as const;
    await rig.leases.finish(open, 1, { step, keepIntent: true, actor: 'test' }, rig.clock.now());
    rig.clock.advance(MINUTE);
    await expire();
    expect((await account.get(taken.id)).status).toBe('CLAIMED');
    expect((await account.get(open.id)).status).toBe('PENDING');
  });

  it('counts what is due, how long it has been, and why the others wait', async () => {
    const account = await known();
    await account.queue(ad(1));
    for (const [id, code] of [
      [2, 'velocity'],
      [3, 'velocity'],
      [4, 'quiet-hours'],
    ] as const) {
      const change = await account.taken(ad(id));
      const set = { notBefore: rig.clock.now() + 60 * MINUTE, deferrals: 1 };
      const step = { move: 'defer', code, reason: 'Later.' } as const;
      await rig.leases.finish(change, 1, { step, set, actor: 'test' }, rig.clock.now());
    }
    const scope = { kind: 'account', id: ACCOUNT } as const;
    await rig.switches.turnOn(account.tenant, { scope, actor: 'executor', comment: '', since: 0 });
    rig.clock.advance(10 * MINUTE);
    await expire();
    expect(metrics('oldest_due_change_seconds').map(({ value }) => value)).toEqual([600]);
    expect(metrics('ad_accounts_stopped_count').map(({ value }) => value)).toEqual([1]);
    const deferred = metrics('ad_changes_deferred_count').filter((one) => 'reason' in one);
    expect(deferred.toSorted((a, b) => b.value - a.value)).toEqual([
      { reason: 'velocity', value: 2 },
      { reason: 'quiet-hours', value: 1 },
    ]);
  });

  it('does not count a switch that a person turned on as a stopped account', async () => {
    const account = await known();
    const scope = { kind: 'account', id: ACCOUNT } as const;
    await rig.switches.turnOn(account.tenant, { scope, actor: 'dana', comment: '', since: 0 });
    await expire();
    expect(metrics('ad_accounts_stopped_count').map(({ value }) => value)).toEqual([0]);
  });
});
