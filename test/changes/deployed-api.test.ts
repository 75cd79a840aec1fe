// Does the deployed API have the rights its work takes, and does what it queues reach the ad account and come back?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { ask, type AskOptions } from '../support/api.ts';
import { testWorld } from '../support/world.ts';

let world: World;
let adSet: string;
beforeAll(async () => {
  world = await testWorld({ perception: false });
  const { meta } = world.sandbox;
  adSet = meta.addAdSet(meta.addCampaign(DEFAULT_ACCOUNT.id), { dailyBudget: 5_000 });
}, 240_000);
afterAll(() => world.close());

const asked = async (call: `${string} ${string}`, options: AskOptions = {}) => {
  const { status, body } = await ask(world, call, options);
  return { status, body: body as Record<string, unknown> & { id: string; steps: { id: string }[] } };
};
const budget = () =>
  world.sandbox.meta.objects(DEFAULT_ACCOUNT.id, 'adset').find(({ id }) => id === adSet)?.fields[
    'daily_budget'
  ];
const row = (id: string) => world.table('changes').get({ pk: 'demo#change', sk: id });
const over = async (id: string) => {
  await world.cloud.until(async () => (await row(id))?.['status'] === 'COMPLETED');
  return (await asked(`GET /v1/changes/${id}`)).body;
};
const change = {
  entity: { kind: 'adset', id: '' },
  kind: 'BUDGET_INCREASE',
  from: 5_000,
  to: 5_500,
  reason: 'It sells.',
};

describe('the deployed API', () => {
  it('queues a change, which is applied, told and taken back', async () => {
    const body = { ...change, entity: { kind: 'adset', id: adSet } };
    const queued = await asked('POST /v1/changes', { body, headers: { 'idempotency-key': 'one' } });
    expect(queued.status).toBe(202);
    const { id } = queued.body;
    const done = await over(id);
    expect(done).toMatchObject({ result: { before: 5_000, applied: 5_500 }, executions: [`${id}-1`] });
    expect(budget()).toBe('5500');

    const timeline = await asked(`GET /v1/entities/adset/${adSet}/timeline`);
    expect(timeline.body).toMatchObject({
      entries: [{ by: 'us', sourceId: id, before: 5_000, after: 5_500 }],
    });
    const limits = await asked(`GET /v1/accounts/${DEFAULT_ACCOUNT.id}/limits`);
    expect(limits.body['buckets']).toContainEqual(
      expect.objectContaining({ name: 'changes-per-hour', used: 1 }),
    );

    const [from, to] = [-3_600_000, 3_600_000].map((ms) =>
      new Date(world.cloud.clock.now() + ms).toISOString(),
    );
    const preview = await asked('POST /v1/undo', { body: { from, to, preview: true } });
    expect(preview.body).toMatchObject({ undoes: [id], steps: [{ from: 5_500, to: 5_000 }] });
    const undone = await asked(`POST /v1/changes/${id}/undo`, { body: {} });
    expect(undone.status).toBe(202);
    await over(undone.body.steps[0]?.id ?? '');
    expect(budget()).toBe('5000');
    expect(await over(id)).toMatchObject({ undoneBy: undone.body.steps[0]?.id });
    const list = await asked(`GET /v1/changes?entity=adset/${adSet}`);
    expect(list.body['changes']).toMatchObject([{ id: undone.body.steps[0]?.id }, { id }]);
  }, 120_000);

  it('a switch that is on keeps a change waiting; turned off, the change goes on', async () => {
    const admin = { role: 'admin' } as const;
    const order = { scope: 'account', id: DEFAULT_ACCOUNT.id, comment: 'fire' };
    const on = await asked('PUT /v1/kill-switch', { body: { ...order, on: true } });
    expect(on.status).toBe(200);
    const body = {
      ...change,
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
      entity: { kind: 'adset', id: adSet },
    };
    const { id } = (await asked('POST /v1/changes', { body })).body;
    await world.cloud.advance(10 * 60_000);
    expect((await asked(`GET /v1/changes/${id}`)).body).toMatchObject({
      status: 'PENDING',
      waitsFor: { reason: 'pat stopped the account: fire' },
    });
    for (const verb of ['hold', 'release'])
      expect(await asked(`POST /v1/changes/${id}/${verb}`, { body: { comment: verb } })).toMatchObject({
        status: 200,
      });
    const off = await asked('PUT /v1/kill-switch', { ...admin, body: { ...order, on: false } });
    expect(off.body).toEqual({ switches: [] });
    expect(await over(id)).toMatchObject({ result: { applied: 'PAUSED' } });
  }, 120_000);
});
