// Does a queued change reach the ad account once, and is everything about it written down?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeId, type ChangeRequest } from '../../lambdas/changes/change.ts';
import { ACCOUNT, changesWorld, TENANT, type ChangesWorld } from '../support/changes-world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
let here: ChangesWorld;
beforeAll(async () => {
  here = await changesWorld();
}, 120_000);
afterAll(() => here.close());

describe('a queued change', () => {
  it('is applied once, verified and recorded, without anybody asking again', async () => {
    const [adSet = ''] = here.adSetIds;
    const { id } = await here.queue({
      entity: { kind: 'adset', id: adSet },
      kind: 'BUDGET_INCREASE',
      from: 5_000,
      to: 5_500,
    });
    await here.world.cloud.advance(MINUTE_MS);
    expect(await here.get(id)).toMatchObject({
      status: 'COMPLETED',
      result: { before: 5_000, applied: 5_500 },
      lease: 1,
      deferrals: 0,
    });
    expect(here.effects()).toMatchObject([
      { objectId: adSet, field: 'daily_budget', before: 5_000, after: 5_500, by: 'api' },
    ]);
    const story = await here.histories.story(TENANT, id);
    expect(story.map(({ move }) => move)).toEqual(['claim', 'begin', 'complete']);
    expect(story.at(-1)?.details).toMatchObject({
      before: 5_000,
      requested: 5_500,
      applied: 5_500,
      after: 5_500,
      mode: 'live',
      evidenceHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      limits: expect.arrayContaining([{ name: 'changes-per-hour', used: 1, limit: 15 }]) as unknown,
    });
    const timeline = await here.histories.timeline(TENANT, ACCOUNT, { kind: 'adset', id: adSet });
    expect(timeline).toMatchObject([{ by: 'us', what: 'budget', before: 5_000, after: 5_500, sourceId: id }]);
    expect((await here.ledgers.get(TENANT, ACCOUNT)).edits).toMatchObject([
      { changeId: id, outcome: 'applied' },
    ]);
  });

  it('pauses, resumes and asks the platform for nothing that is so already', async () => {
    const [, , ad = ''] = here.adIds;
    const before = here.effects().length;
    const pause = await here.queue({
      entity: { kind: 'ad', id: ad },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
    });
    await here.world.cloud.advance(MINUTE_MS);
    expect((await here.get(pause.id)).status).toBe('COMPLETED');
    const again = await here.queue({
      entity: { kind: 'ad', id: ad },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
    });
    await here.world.cloud.advance(MINUTE_MS);
    expect(await here.get(again.id)).toMatchObject({ status: 'COMPLETED', statusCode: 'already' });
    expect(here.effects().slice(before)).toMatchObject([{ objectId: ad, field: 'status', after: 'PAUSED' }]);
  });

  it('waits until the platform takes calls again, and nobody asks before', async () => {
    const { meta } = here.world.sandbox;
    const before = here.effects().length;
    meta.throttle(ACCOUNT, { forMs: 20 * MINUTE_MS });
    const [, one = '', other = ''] = here.adSetIds;
    const raise = (id: string) =>
      here.queue({ entity: { kind: 'adset', id }, kind: 'BUDGET_INCREASE', from: 5_000, to: 5_100 });
    const { id } = await raise(one);
    await here.world.cloud.advance(MINUTE_MS);
    expect(await here.get(id)).toMatchObject({ status: 'PENDING', statusCode: 'throttled', attempts: 0 });
    expect((await here.ledgers.get(TENANT, ACCOUNT)).usage?.regainUntil).toBeGreaterThan(here.now());
    const asked = meta.requests.length;
    const { id: second } = await raise(other);
    await here.world.cloud.advance(2 * MINUTE_MS);
    expect(meta.requests).toHaveLength(asked);
    await here.world.cloud.advance(30 * MINUTE_MS);
    for (const change of [id, second]) expect((await here.get(change)).status).toBe('COMPLETED');
    expect(here.effects()).toHaveLength(before + 2);
  });

  it('is queued and taken up at once by an execution that brings it', async () => {
    const [, , , , adSet = ''] = here.adSetIds;
    const { cloud } = here.world;
    const run = { id: 'run-00000000000000000000000042', tenant: TENANT, attempt: 1 };
    const change: ChangeRequest = {
      accountId: ACCOUNT,
      entity: { kind: 'adset', id: adSet },
      kind: 'BUDGET_DECREASE',
      from: 5_000,
      to: 4_900,
      currency: 'USD',
      reason: 'By hand.',
      origin: { area: 'budget', id: 'by-hand', actor: 'test' },
      expiresAt: here.now() + DAY_MS,
    };
    const { stateMachines } = (await cloud.call('states', 'ListStateMachines', {})) as {
      stateMachines: { name: string; stateMachineArn: string }[];
    };
    const stateMachineArn = stateMachines.find(({ name }) =>
      name.endsWith('change-execution'),
    )?.stateMachineArn;
    const input = JSON.stringify({ run, request: { change } });
    await cloud.call('states', 'StartExecution', { stateMachineArn, name: run.id, input });
    await cloud.advance(2 * MINUTE_MS);
    expect(await here.get(changeId(TENANT, change))).toMatchObject({ status: 'COMPLETED', lease: 1 });
  });

  it('gives way, while nothing may be applied, to a pause of the same object, and expires if it stays so', async () => {
    const [ad = ''] = here.adIds;
    const [adSet = ''] = here.adSetIds;
    const scope = { kind: 'account', id: ACCOUNT } as const;
    await here.switches.turnOn(TENANT, { scope, actor: 'test', comment: 'Wait.', since: here.now() });
    const budget = {
      entity: { kind: 'adset', id: adSet },
      kind: 'BUDGET_SET',
      from: 5_500,
      to: 5_600,
    } as const;
    const late = await here.queue({ ...budget, expiresAt: here.now() + 5 * MINUTE_MS });
    const entity = { kind: 'ad', id: ad } as const;
    const pause = await here.queue({ entity, kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' });
    const resume = await here.queue({ entity, kind: 'RESUME', from: 'PAUSED', to: 'ACTIVE' });
    await here.world.cloud.advance(20 * MINUTE_MS);
    expect(await here.get(late.id)).toMatchObject({ status: 'EXPIRED', statusCode: 'expired' });
    await here.switches.turnOff(TENANT, scope);
    await here.world.cloud.advance(30_000);
    expect(await here.get(resume.id)).toMatchObject({ status: 'SUPERSEDED', supersededBy: pause.id });
    expect((await here.get(pause.id)).status).toBe('COMPLETED');
  });
});
