// Do many who ask at once never get more than the account's limits hold, and does a no say when to come back?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/changes/reserve-limits.task.ts';
import type { Change } from '../../lambdas/changes/change.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import { ACCOUNT, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';
import type { Walk } from '../support/change-walk.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Read and judged, ready to reserve. */
async function ready(account: ChangeAccount, asked: Asked = {}): Promise<Walk> {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  await walk.policy();
  return walk;
}

/** As many changes of ads as are asked for, each with its own object, seen by one read. */
async function manyReady(account: ChangeAccount, count: number) {
  const pause = { kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' } as const;
  const first = await ready(account, { ...pause, entity: { kind: 'ad', id: account.adIds[0] ?? '' } });
  const { verdict } = first;
  const seen = first.seen && { ...first.seen, usage: null };
  return Array.from({ length: count }, (_, index) => {
    const change: Change = {
      ...first.change,
      id: `chg-${String(index).padStart(26, '0')}`,
      entity: { kind: 'ad', id: String(7_000 + index) },
    };
    return () => account.run(task, change, { change, seen, verdict, mode: 'live' });
  });
}
const outcomes = (verdicts: readonly Verdict[]) => Map.groupBy(verdicts, ({ decision }) => decision);

/** A worker whom ten others overtook is retried by the state machine. */
async function insistent<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Error && error.name === 'Unavailable')) throw error;
    }
  }
}

describe('ReserveLimits', () => {
  it('gives forty workers who ask at once the fifteen places of the hour, and the others a time', async () => {
    const account = await rig.account();
    const workers = await manyReady(account, 40);
    const at = rig.clock.now();
    const answers = await Promise.all(workers.map(insistent));
    const { apply = [], defer = [] } = Object.fromEntries(outcomes(answers.map(({ verdict }) => verdict)));
    expect([apply.length, defer.length]).toEqual([15, 25]);
    for (const verdict of defer) {
      expect(verdict).toMatchObject({ code: 'account-rate', retryAt: at + HOUR + MINUTE });
    }
    const { changes } = await rig.ledgers.get(account.tenant, ACCOUNT);
    expect(changes).toHaveLength(15);
    expect(new Set(changes.map(({ changeId }) => changeId)).size).toBe(15);
  });

  it('frees a place to the instant, and no earlier', async () => {
    const account = await rig.account({ perHour: 1 });
    const [first, second] = await manyReady(account, 2);
    expect((await first?.())?.verdict.decision).toBe('apply');
    const at = rig.clock.now();
    rig.clock.advance(10 * MINUTE);
    expect((await second?.())?.verdict).toMatchObject({
      decision: 'defer',
      code: 'account-rate',
      retryAt: at + HOUR + MINUTE,
    });
    rig.clock.advance(51 * MINUTE - 1);
    expect((await second?.())?.verdict).toMatchObject({ decision: 'defer', retryAt: at + HOUR + MINUTE });
    rig.clock.advance(1);
    expect((await second?.())?.verdict.decision).toBe('apply');
  });

  it('lets the fifth edit of an ad set’s budget wait, whatever the account has left', async () => {
    const account = await rig.account({ velocity: { percent: 100 } });
    const codes = [];
    for (let i = 0; i < 5; i += 1) {
      const walk = await ready(account, { from: 5_000 + i * 10, to: 5_010 + i * 10, kind: 'BUDGET_SET' });
      await walk.reserve();
      codes.push('code' in walk.verdict ? walk.verdict.code : walk.verdict.decision);
      await walk.apply();
      await walk.record();
    }
    expect(codes).toEqual(['apply', 'apply', 'apply', 'apply', 'ad-set-rate']);
  });

  it('lets one of two pass that together move their campaign too fast', async () => {
    const account = await rig.account();
    const [first = '', second = '', third = ''] = account.adSetIds;
    // 250.00 may become 300.00; a person has taken 45.00 of that.
    rig.sandbox.meta.person.edit(first, { dailyBudget: 9_500 });
    rig.clock.advance(2 * HOUR);
    const both = [
      await ready(account, { entity: { kind: 'adset', id: second }, to: 5_400 }),
      await ready(account, { entity: { kind: 'adset', id: third }, to: 5_400 }),
    ];
    expect(both.map(({ verdict }) => verdict.decision)).toEqual(['apply', 'apply']);
    await Promise.all(both.map((walk) => walk.reserve()));
    const [passed, waits] = both.toSorted((a) => (a.verdict.decision === 'apply' ? -1 : 1));
    expect(passed?.verdict).toMatchObject({ decision: 'apply' });
    expect(waits?.verdict).toMatchObject({
      decision: 'defer',
      code: 'velocity',
      reason: expect.stringContaining('campaign') as string,
    });
    // Whatever becomes of the first: while nobody knows, it counts.
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).edits).toMatchObject([
      { changeId: passed?.change.id, outcome: 'open' },
    ]);
  });

  it('observes the platform’s gauges: above the share it may use nothing is asked', async () => {
    const account = await rig.account({ usagePercent: 50 });
    const walk = await ready(account);
    const usage = { highestPercent: 51, regainMs: 0, at: rig.clock.now() };
    if (walk.seen !== null) walk.seen = { ...walk.seen, usage };
    expect(await walk.reserve()).toMatchObject({
      decision: 'defer',
      code: 'usage',
      retryAt: rig.clock.now() + 5 * MINUTE,
    });
    if (walk.seen !== null)
      walk.seen = {
        ...walk.seen,
        usage: { highestPercent: 100, regainMs: 42 * MINUTE, at: rig.clock.now() },
      };
    walk.verdict = { decision: 'apply', before: 5_000, applied: 5_500 };
    expect(await walk.reserve()).toMatchObject({ code: 'usage', retryAt: rig.clock.now() + 42 * MINUTE });
  });

  it('refuses for good what one run may never move, and until tomorrow what today may not', async () => {
    const account = await rig.account({ blastRadius: { perRunMinor: 600, perDayMinor: 900 } });
    const [one = '', two = '', three = ''] = account.adSetIds;
    const origin = { area: 'rules', id: 'execution-1', actor: 'rules' };
    const asked = (id: string, more: Asked = {}): Asked => ({
      entity: { kind: 'adset', id },
      origin,
      ...more,
    });
    const first = await ready(account, asked(one));
    expect(await first.reserve()).toMatchObject({ decision: 'apply' });
    const same = await ready(account, asked(two));
    expect(await same.reserve()).toMatchObject({ decision: 'block', code: 'blast-run' });
    const other = await ready(
      account,
      asked(three, { origin: { ...origin, id: 'execution-2' }, expiresAt: rig.clock.now() + 48 * HOUR }),
    );
    const verdict = await other.reserve();
    expect(verdict).toMatchObject({ decision: 'defer', code: 'blast-day' });
    const until = verdict.decision === 'defer' ? verdict.retryAt : 0;
    const wall = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', timeStyle: 'medium' });
    expect([wall.format(until - 1), wall.format(until)]).toEqual(['23:59:59', '00:00:00']);
  });

  it('blocks what would only be free after the change has expired', async () => {
    const account = await rig.account({ perHour: 1 });
    const [first] = await manyReady(account, 1);
    await first?.();
    const walk = await ready(account, { expiresAt: rig.clock.now() + HOUR });
    expect(await walk.reserve()).toMatchObject({ decision: 'block', code: 'account-rate' });
  });

  it('takes its place once, however often the step is retried', async () => {
    const account = await rig.account();
    const walk = await ready(account);
    await walk.reserve();
    const { reserved } = walk;
    rig.clock.advance(5_000);
    await walk.reserve();
    expect(walk).toMatchObject({ reserved, verdict: { decision: 'apply' } });
    const { changes, edits } = await rig.ledgers.get(account.tenant, ACCOUNT);
    expect([changes.length, edits.length]).toEqual([1, 1]);
  });

  it('takes nothing for a shadow, and nothing for a no', async () => {
    const account = await rig.account({ mode: 'shadow' });
    const shadow = await ready(account);
    await shadow.reserve();
    expect(shadow.reserved).toEqual({ at: rig.clock.now(), limits: [] });
    const refused = await ready(account, {
      entity: { kind: 'adset', id: account.adSetIds[1] ?? '' },
      from: 4_000,
    });
    await refused.reserve();
    expect(refused.reserved).toBeNull();
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).changes).toEqual([]);
  });
});
