// Does the step judge by what the tenant chose, by the clock on the account's wall and by what the account's ledger holds?
import { describe, expect, it } from 'vitest';
import { ACCOUNT, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const HOUR = 3_600_000;
const judged = async (account: ChangeAccount, asked: Asked = {}) => {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  await walk.policy();
  return walk;
};

describe('CheckPolicy', () => {
  it('lets through what no rule forbids, in the mode that was asked for', async () => {
    const account = await rig.account();
    expect(await judged(account)).toMatchObject({
      mode: 'live',
      verdict: { decision: 'apply', before: 5_000, applied: 5_500 },
    });
  });

  it('is never less strict than the tenant', async () => {
    const account = await rig.account({ mode: 'shadow' });
    expect((await judged(account, { mode: 'validate' })).mode).toBe('shadow');
  });

  it('passes on what ReadLive refused, with the mode', async () => {
    const account = await rig.account({ mode: 'validate' });
    const walk = await judged(account, { from: 4_000 });
    expect(walk).toMatchObject({ mode: 'validate', verdict: { decision: 'block', code: 'moved' } });
  });

  it('waits for the end of the quiet hours where the account is', async () => {
    // Midnight UTC of March is 19:00 in New York.
    const account = await rig.account({ quietHours: [{ from: '18:30', to: '07:00' }] });
    const { verdict } = await judged(account);
    const until = rig.clock.now() + 12 * HOUR;
    expect(verdict).toEqual({
      decision: 'defer',
      code: 'quiet-hours',
      retryAt: until,
      reason: `Nothing is applied before ${new Date(until).toISOString()}.`,
    });
  });

  it('waits for a switch that is on, of whatever reach, and says who turned it on', async () => {
    const account = await rig.account();
    const scopes = [
      { kind: 'tenant' },
      { kind: 'account', id: ACCOUNT },
      { kind: 'campaign', id: account.campaignId },
      { kind: 'rule', id: 'rule-7' },
    ] as const;
    const change = await account.taken({
      origin: { area: 'rules', id: 'x', actor: 'rules', rule: 'rule-7' },
    });
    const walk = account.walk(change);
    for (const scope of scopes) {
      await rig.switches.turnOn(account.tenant, { scope, actor: 'dana', comment: 'Stop it.', since: 0 });
      await walk.read();
      expect(await walk.policy()).toMatchObject({
        decision: 'defer',
        code: 'kill-switch',
        reason: `dana stopped the ${scope.kind}: Stop it.`,
      });
      await rig.switches.turnOff(account.tenant, scope);
    }
    await walk.read();
    expect(await walk.policy()).toMatchObject({ decision: 'apply' });
  });

  it('counts what the ledger knows and the platform does not show yet', async () => {
    const account = await rig.account({ velocity: { percent: 20, windowHours: 6 } });
    const first = account.walk(await account.taken({ to: 5_900 }));
    await first.read();
    await first.policy();
    expect(await first.reserve()).toMatchObject({ decision: 'apply' });
    const [, second = ''] = account.adSetIds;
    // 250.00 in all may rise to 300.00: 9.00 of that is reserved, and 59.01 of the second would be more than it may have itself.
    const { verdict } = await judged(account, { entity: { kind: 'adset', id: second }, to: 6_001 });
    expect(verdict).toMatchObject({ decision: 'block', code: 'velocity' });
    expect(verdict).toMatchObject({ reason: expect.stringContaining('20 %') as string });
    const tight = await rig.account({ velocity: { percent: 4, windowHours: 6 } });
    const one = account.walk(await tight.taken({ to: 5_200 }));
    expect(one.change.to).toBe(5_200);
  });
});
