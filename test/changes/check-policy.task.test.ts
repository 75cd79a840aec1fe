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

  it('counts what others have reserved, of which the platform shows nothing yet', async () => {
    const account = await rig.account();
    const [first = '', second = '', third = ''] = account.adSetIds;
    // 250.00 may become 300.00; a person has taken 45.00 of that, and 4.00 are reserved.
    rig.sandbox.meta.person.edit(first, { dailyBudget: 9_500 });
    rig.clock.advance(2 * HOUR);
    const reserved = await judged(account, { entity: { kind: 'adset', id: second }, to: 5_400 });
    expect(await reserved.reserve()).toMatchObject({ decision: 'apply' });
    const asked = (to: number) => judged(account, { entity: { kind: 'adset', id: third }, to });
    const tooMuch = await asked(5_101);
    expect(tooMuch.verdict).toMatchObject({ decision: 'defer', code: 'velocity' });
    await tooMuch.record();
    expect((await asked(5_100)).verdict).toMatchObject({ decision: 'apply' });
  });
});
