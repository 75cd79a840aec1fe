import { describe, expect, it } from 'vitest';
import { DEFAULT_ACCOUNT, type SandboxAccount } from '../../lib/sandbox/meta/accounts.ts';
import { ACCOUNT, codeOf, graphOf, TOKEN, type Reply } from './meta-graph.ts';
import { useWorld } from './world.ts';

const world = useWorld();
const graph = graphOf(world);
const meta = () => world.sandbox.meta;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** An account of its own per test: what is registered stays. */
let issued = 0;
function account(limits: Partial<SandboxAccount> = {}) {
  issued += 1;
  const id = `77000${issued}`;
  meta().addAccount({ ...DEFAULT_ACCOUNT, id, ...limits });
  const adSet = meta().addAdSet(meta().addCampaign(id), { dailyBudget: 5_000 });
  return { id, adSet };
}
const setBudget = (id: string, amount: number, extra = {}) =>
  graph('POST', id, { daily_budget: String(amount), ...extra });
const management = (reply: Reply, id: string) =>
  JSON.parse(reply.headers.get('x-business-use-case-usage') ?? '{}')[id].find(
    ({ type }: { type: string }) => type === 'ads_management',
  );

describe('budget changes of an ad set', () => {
  it('are four an hour; the fifth is refused and freezes the budget for an hour', async () => {
    const { id, adSet } = account();
    for (const amount of [5_100, 5_200, 5_300, 5_400]) {
      expect(codeOf(await setBudget(adSet, amount))).toBe('200');
      world.advance(10 * MINUTE_MS);
    }
    const fifth = await setBudget(adSet, 5_500);
    expect({ status: fifth.status, code: codeOf(fifth), transient: fifth.body.error.is_transient }).toEqual({
      status: 400,
      code: '613/1487632',
      transient: false,
    });
    expect(codeOf(await graph('POST', adSet, { status: 'PAUSED' }))).toBe('200');
    // The first change has left the rolling hour; the freeze has not.
    world.advance(HOUR_MS - 1);
    expect(codeOf(await setBudget(adSet, 5_500))).toBe('613/1487632');
    world.advance(1);
    expect(codeOf(await setBudget(adSet, 5_500))).toBe('200');
    const budgets = meta()
      .effects(id)
      .filter(({ field }) => field === 'daily_budget');
    expect(budgets.map(({ after }) => after)).toEqual([5_100, 5_200, 5_300, 5_400, 5_500]);
  });

  it('leave a rolling hour, not one that starts on the clock', async () => {
    const { adSet } = account();
    world.advance(59 * MINUTE_MS);
    for (const amount of [5_100, 5_200, 5_300, 5_400]) await setBudget(adSet, amount);
    world.advance(HOUR_MS - 1);
    const options = { execution_options: ['validate_only'] };
    expect(codeOf(await setBudget(adSet, 5_500, options))).toBe('613/1487632');
    world.advance(1);
    // The refused validation froze nothing.
    expect(codeOf(await setBudget(adSet, 5_500))).toBe('200');
  });

  it('count a person’s, but not what was refused, validated or already so', async () => {
    const { adSet } = account();
    meta().person.edit(adSet, { dailyBudget: 5_100 });
    meta().person.edit(adSet, { dailyBudget: 5_200 });
    await setBudget(adSet, 5_200);
    await setBudget(adSet, 1);
    await setBudget(adSet, 5_250, { execution_options: ['validate_only'] });
    expect(codeOf(await setBudget(adSet, 5_300))).toBe('200');
    expect(codeOf(await setBudget(adSet, 5_400))).toBe('200');
    expect(codeOf(await setBudget(adSet, 5_500))).toBe('613/1487632');
    meta().person.edit(adSet, { dailyBudget: 5_600 });
    expect((await graph('GET', adSet, { fields: 'daily_budget' })).body.daily_budget).toBe('5600');
  });

  it('are counted per ad set, with the figures of the account', async () => {
    const { id, adSet } = account({ budgetChangesPerHour: 1, budgetFreezeMs: 5 * MINUTE_MS });
    const other = meta().addAdSet(meta().addCampaign(id), { dailyBudget: 5_000 });
    await setBudget(adSet, 5_100);
    expect(codeOf(await setBudget(adSet, 5_200))).toBe('613/1487632');
    expect(codeOf(await setBudget(other, 5_200))).toBe('200');
    world.advance(HOUR_MS);
    expect(codeOf(await setBudget(adSet, 5_200))).toBe('200');
  });
});

describe('an account', () => {
  it('takes a number of mutations per second, refused ones counted, and any number of reads', async () => {
    const { adSet } = account({ mutationsPerSecond: 2 });
    await graph('POST', adSet, { name: 'A' });
    expect(codeOf(await graph('POST', adSet, { status: 'RUNNING' }))).toBe('100');
    expect(codeOf(await graph('POST', adSet, { name: 'C' }))).toBe('613/5044001');
    expect(codeOf(await graph('GET', adSet))).toBe('200');
    world.advance(1_000);
    expect(codeOf(await graph('POST', adSet, { name: 'C' }))).toBe('200');
  });

  it.each([
    ['17/2446079', { callsPerHour: 2 }],
    ['80004/2446079', { managementCallsPerHour: 2 }],
  ])(
    'answers %s beyond its calls, errors counted, and says in minutes when that ends',
    async (code, limits) => {
      const { id, adSet } = account(limits);
      await graph('GET', adSet);
      await graph('GET', adSet, { fields: 'colour' });
      world.advance(29.5 * MINUTE_MS);
      const refused = await graph('POST', adSet, { status: 'PAUSED' });
      expect({
        code: codeOf(refused),
        status: refused.status,
        transient: refused.body.error.is_transient,
      }).toEqual({
        code,
        status: 400,
        transient: false,
      });
      expect(management(refused, id).estimated_time_to_regain_access).toBe(31);
      expect(meta().effects(id)).toEqual([]);
      world.advance(31 * MINUTE_MS);
      expect(codeOf(await graph('GET', adSet))).toBe('200');
    },
  );

  it.each([
    [4, '4'],
    [17, '17/2446079'],
    [613, '613/1487742'],
    [80_004, '80004/2446079'],
  ] as const)('is shut for a while with %d', async (code, answered) => {
    const { id, adSet } = account();
    meta().throttle(id, { forMs: 10 * MINUTE_MS, code });
    for (const reply of [await graph('GET', adSet), await graph('POST', adSet, { name: 'A' })]) {
      expect({ code: codeOf(reply), status: reply.status }).toEqual({ code: answered, status: 400 });
      expect(management(reply, id)).toMatchObject({ call_count: 100, estimated_time_to_regain_access: 10 });
    }
    world.advance(10 * MINUTE_MS);
    expect(codeOf(await graph('GET', adSet))).toBe('200');
    meta().throttle(id, { forMs: HOUR_MS });
    meta().throttle(id, false);
    expect(codeOf(await graph('GET', adSet))).toBe('200');
  });

  it('names its use in all three headers of every answer', async () => {
    const { adSet } = account({ callsPerHour: 10 });
    meta().fail({ match: { method: 'POST' }, with: 'server-error' });
    const replies = [
      await graph('GET', adSet),
      await graph('GET', adSet, { fields: 'colour' }),
      await graph('POST', adSet, { name: 'A' }),
      await graphOf(world, 'wrong')('GET', adSet),
    ];
    expect(replies.map(codeOf)).toEqual(['200', '100', '2', '190']);
    expect(
      replies.map(({ headers }) => JSON.parse(headers.get('x-ad-account-usage') ?? '{}').acc_id_util_pct),
    ).toEqual([10, 20, 30, 40]);
    for (const { headers } of replies) expect(headers.get('x-app-usage')).toContain('call_count');
  });
});

describe('access', () => {
  it('ends with the token and comes back with it', async () => {
    const { adSet } = account();
    meta().expireToken(TOKEN);
    const reply = await graph('POST', adSet, { status: 'PAUSED' });
    expect({ code: codeOf(reply), status: reply.status }).toEqual({ code: '190/463', status: 401 });
    meta().expireToken(TOKEN, false);
    expect(codeOf(await graph('GET', adSet))).toBe('200');
  });

  it.each([10, 200] as const)('may be taken away: %d', async (code) => {
    const { id, adSet } = account();
    meta().revokePermission(id, { code, scope: 'write' });
    expect(codeOf(await graph('GET', adSet))).toBe('200');
    expect(codeOf(await graph('POST', adSet, { status: 'PAUSED' }))).toBe(String(code));
    expect(codeOf(await graph('POST', `act_${id}/campaigns`, {}))).toBe(String(code));
    meta().revokePermission(id, { code, scope: 'all' });
    expect(codeOf(await graph('GET', adSet))).toBe(String(code));
    expect(codeOf(await graph('GET', `act_${id}/activities`))).toBe(String(code));
    meta().revokePermission(id, null);
    expect(codeOf(await graph('GET', adSet))).toBe('200');
  });

  it('may be refused by policy for one object', async () => {
    const { id, adSet } = account();
    const other = meta().addAdSet(meta().addCampaign(id), { dailyBudget: 5_000 });
    meta().refuseByPolicy(adSet);
    expect(codeOf(await graph('POST', adSet, { status: 'PAUSED' }))).toBe('368');
    expect(codeOf(await graph('GET', adSet))).toBe('200');
    expect(codeOf(await graph('POST', other, { status: 'PAUSED' }))).toBe('200');
    expect(meta().effects(id)).toHaveLength(1);
  });

  it('and every other door is forgotten by a reset, accounts are not', async () => {
    const { id } = account();
    meta().expireToken(TOKEN);
    meta().throttle(DEFAULT_ACCOUNT.id, { forMs: HOUR_MS });
    meta().revokePermission(DEFAULT_ACCOUNT.id, { code: 10, scope: 'all' });
    world.sandbox.reset();
    expect(codeOf(await graph('GET', ACCOUNT))).toBe('200');
    expect(codeOf(await graph('GET', `act_${id}`))).toBe('200');
  });
});

describe('a slow answer', () => {
  it('may be late to work or late to say so', async () => {
    const { id, adSet } = account();
    const start = world.clock.now();
    meta().fail({ match: { method: 'POST' }, with: { delayMs: 40_000 } });
    expect(codeOf(await graph('POST', adSet, { name: 'A' }))).toBe('200');
    meta().fail({ match: { method: 'POST' }, with: { delayMs: 40_000, work: 'first' } });
    expect(codeOf(await graph('POST', adSet, { name: 'B' }))).toBe('200');
    expect(world.clock.now() - start).toBe(80_000);
    expect(
      meta()
        .effects(id)
        .map(({ atMs }) => atMs - start),
    ).toEqual([40_000, 40_000]);
  });
});
