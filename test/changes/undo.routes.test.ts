// Can people take back what was applied, see before what that would do, and read what happened to an object?
import { beforeEach, describe, expect, it } from 'vitest';
import { changeId, type Change, type ChangeRequest } from '../../lambdas/changes/change.ts';
import { openLedgers } from '../../lambdas/changes/ledgers.ts';
import type { Role } from '../../lambdas/runtime/specs.ts';
import { ACCOUNT, useChangesApi } from './api-rig.ts';

const api = useChangesApi();
const HOUR = 3_600_000;
let tenants = 0;
let who: { tenant: string };
let campaign: string;
let adSet: string;
beforeEach(async () => {
  tenants += 1;
  who = { tenant: `u${tenants}` };
  await api.connect(who.tenant);
  const { meta } = api.sandbox;
  campaign = meta.addCampaign(ACCOUNT);
  adSet = meta.addAdSet(campaign, { dailyBudget: 5_000 });
});

const at = (ms: number) => new Date(api.plane.clock.now() + ms).toISOString();
const request = (more: Partial<ChangeRequest> = {}): ChangeRequest => ({
  accountId: ACCOUNT,
  entity: { kind: 'adset', id: adSet },
  kind: 'BUDGET_SET',
  from: 4_200,
  to: 5_000,
  currency: 'USD',
  reason: 'It sells.',
  origin: { area: 'budget', id: 'run-1', actor: 'budget' },
  expiresAt: api.plane.clock.now() + 24 * HOUR,
  ...more,
});
async function queue(more: Partial<ChangeRequest> = {}): Promise<string> {
  const nowMs = api.plane.clock.now();
  const { change } = await api.changes.queue({
    tenant: who.tenant,
    request: request(more),
    status: 'PENDING',
    nowMs,
  });
  return change.id;
}
const applied = async (more: Partial<ChangeRequest> = {}): Promise<Change> =>
  api.apply(who.tenant, await queue(more));
const undoOne = (
  id: string,
  body: object = {},
  role: Role = 'operator',
  headers: Record<string, string> = {},
) => api.ask(`POST /v1/changes/${id}/undo`, { ...who, role, headers, body });
const undo = (body: object = {}, role: Role = 'operator') =>
  api.ask('POST /v1/undo', { ...who, role, body: { from: at(-HOUR), to: at(HOUR), ...body } });
const waiting = () => api.changes.inStatus(who.tenant, 'PENDING');

describe('POST /v1/changes/{id}/undo', () => {
  it('shows the plan first, then queues the change back, as the undo of whoever asked', async () => {
    const done = await applied();
    const preview = await undoOne(done.id, { preview: true });
    expect([preview.status, preview.body.queued, await waiting()]).toEqual([200, false, []]);
    const plan = {
      steps: [
        { kind: 'BUDGET_SET', from: 5_000, to: 4_200, notBefore: at(0), undoes: [done.id], behind: [] },
      ],
      moved: [],
      impossible: [],
      needless: [],
      undoes: [done.id],
    };
    expect(preview.body).toMatchObject({ preview: true, ...plan });
    const { status, body } = await undoOne(done.id, { comment: 'Too dear.' });
    expect([status, body]).toMatchObject([202, { preview: false, queued: true, ...plan }]);
    const [back] = await waiting();
    expect(back).toMatchObject({
      id: body.steps[0].id,
      origin: { area: 'undo', actor: 'pat' },
      reason: 'Too dear. (step 1 of 1 back)',
      mode: 'live',
    });
    expect(back).not.toHaveProperty('approval');
    expect((await api.audited(who.tenant)).filter(({ action }) => action === 'undo.queued')).toEqual([
      { action: 'undo.queued', actor: 'pat', subject: back?.origin.id },
    ]);
  });

  it('queues a staircase in one go, which ends at what there was', async () => {
    api.sandbox.meta.person.edit(adSet, { dailyBudget: 10_000 });
    const done = await applied({ from: 5_000, to: 10_000 });
    const { body } = await undoOne(done.id, {}, 'approver');
    expect(body.steps.map(({ to, notBefore }: { to: number; notBefore: string }) => [to, notBefore])).toEqual(
      [8_000, 6_400, 5_120, 5_000].map((to, step) => [to, at(step * (6 * HOUR + 60_000))]),
    );
    const queued = await waiting();
    expect(queued.map(({ approval }) => approval?.actor)).toEqual(['pat', 'pat', 'pat', 'pat']);
    // Approved as they are: nobody is asked again.
    const shown = await api.ask(`GET /v1/changes/${body.steps[3].id}`, who);
    expect(shown.body.approval.digest).toBe(shown.body.digest);
  });

  it('is the same undo under one Idempotency-Key, although the first answer was lost', async () => {
    const done = await applied();
    const headers = { 'idempotency-key': 'back' };
    api.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'after',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    expect(await undoOne(done.id, {}, 'operator', headers)).toMatchObject({ status: 503 });
    api.plane.cloud.faults.clear();
    const first = await waiting();
    const again = await undoOne(done.id, {}, 'operator', headers);
    expect([again.status, again.body.steps[0].id]).toEqual([202, first[0]?.id]);
    expect(await waiting()).toHaveLength(1);
  });

  it('says that it was taken back already, once it was', async () => {
    const done = await applied();
    const { body } = await undoOne(done.id);
    api.sandbox.meta.person.edit(adSet, { dailyBudget: 4_200 });
    await api.apply(who.tenant, body.steps[0].id);
    const again = await undoOne(done.id);
    expect([again.status, again.body.impossible]).toEqual([
      200,
      [{ change: done.id, reason: `It was taken back already, by ${body.steps[0].id}.` }],
    ]);
  });

  it('lists what somebody else set since, and leaves it', async () => {
    const done = await applied();
    api.sandbox.meta.person.edit(adSet, { dailyBudget: 7_700 });
    const { status, body } = await undoOne(done.id);
    expect([status, body.queued]).toEqual([200, false]);
    expect(body.moved).toMatchObject([
      { entity: { id: adSet }, slot: 'budget', has: 7_700, weLeft: 5_000, changes: [done.id] },
    ]);
    expect(await waiting()).toEqual([]);
  });

  it.each([
    ['PENDING', /is PENDING: cancel it instead/],
    ['CANCELLED', /is CANCELLED .*nothing was applied/],
  ])('is refused for a change that is %s', async (status, sentence) => {
    const id = await queue();
    if (status === 'CANCELLED') await api.changes.cancel(who.tenant, id, 'no', 1);
    const answer = await undoOne(id);
    expect([answer.status, answer.type, answer.body.detail]).toEqual([
      409,
      'application/problem+json',
      expect.stringMatching(sentence),
    ]);
  });

  it('is not for viewers, and knows no change of another tenant', async () => {
    const done = await applied();
    expect(await undoOne(done.id, {}, 'viewer')).toMatchObject({ status: 403 });
    expect(
      await api.ask(`POST /v1/changes/${done.id}/undo`, { tenant: 'stranger', role: 'admin', body: {} }),
    ).toMatchObject({
      status: 404,
    });
    expect(await waiting()).toEqual([]);
  });

  it('queues nothing while the platform or DynamoDB cannot be reached', async () => {
    const done = await applied();
    api.sandbox.meta.throttle(ACCOUNT, { forMs: HOUR });
    expect((await undoOne(done.id)).status).toBe(503);
    api.sandbox.meta.throttle(ACCOUNT, false);
    api.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    expect((await undoOne(done.id)).status).toBe(503);
    expect(await waiting()).toEqual([]);
  });
});

describe('POST /v1/undo', () => {
  it('takes back what was applied in the time, of one origin or object or of all', async () => {
    const { meta } = api.sandbox;
    const ad = meta.addAd(adSet, { status: 'PAUSED' });
    const origin = { area: 'rules', id: 'firing-1', actor: 'rules' };
    const early = await applied({ from: 4_000, to: 4_200 });
    api.plane.clock.advance(2 * HOUR);
    const budget = await applied();
    const pause = await applied({
      entity: { kind: 'ad', id: ad },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
      origin,
    });
    const undoes = async (body: object) =>
      ((await undo({ preview: true, ...body })).body.undoes as string[]).toSorted();
    expect(await undoes({})).toEqual([budget.id, pause.id].toSorted());
    expect(await undoes({ from: at(-3 * HOUR) })).toEqual([early.id, budget.id, pause.id].toSorted());
    expect(await undoes({ to: at(0) })).toEqual([]);
    expect(await undoes({ from: at(0), to: at(1) })).toHaveLength(2);
    expect(await undoes({ origin: { area: 'rules', id: 'firing-1' } })).toEqual([pause.id]);
    expect(await undoes({ entity: { kind: 'adset', id: adSet } })).toEqual([budget.id]);
    expect(await undoes({ accountId: ACCOUNT })).toHaveLength(2);
    expect((await undo({ preview: true }, 'viewer')).status).toBe(403);

    const { status, body } = await undo({ from: at(-3 * HOUR) });
    expect(status).toBe(202);
    expect(body.steps.map(({ kind, from, to }: Change) => [kind, from, to])).toEqual(
      expect.arrayContaining([
        ['RESUME', 'PAUSED', 'ACTIVE'],
        ['BUDGET_SET', 5_000, 4_000],
      ]),
    );
    expect(await waiting()).toHaveLength(2);
    expect(
      (
        await api.ask('POST /v1/undo', {
          tenant: 'stranger',
          role: 'admin',
          body: { from: at(-HOUR), to: at(HOUR) },
        })
      ).body,
    ).toMatchObject({
      undoes: [],
    });
  });

  it('refuses more than one undo may have, and queues none of it', async () => {
    const nowMs = api.plane.clock.now();
    const origin = { area: 'rules', id: 'flood', actor: 'rules' };
    for (let number = 0; number < 99; number += 1) {
      const asked = request({
        entity: { kind: 'ad', id: `${number}` },
        kind: 'PAUSE',
        from: 'ACTIVE',
        to: 'PAUSED',
        origin,
      });
      const [item] = api.changes.queueing([
        { tenant: who.tenant, request: asked, status: 'PENDING', nowMs },
      ]).actions;
      const id = changeId(who.tenant, asked);
      await api.table('changes').put({
        Item: {
          ...item?.Put?.Item,
          pk: `${who.tenant}#change`,
          sk: id,
          status: 'COMPLETED',
          statusPk: `${who.tenant}#COMPLETED`,
          result: { before: 'ACTIVE', applied: 'PAUSED', executedAt: nowMs },
        },
      });
    }
    const { status, body } = await undo();
    expect([status, body.path]).toEqual([400, 'from']);
    expect(body.detail).toMatch(/more than the 98 changes.*shorter time/);
    expect(await waiting()).toEqual([]);
  });

  it('says which account is not connected any more', async () => {
    const done = await applied({ accountId: '20202' });
    expect((await undo({ preview: true })).body).toMatchObject({
      steps: [],
      impossible: [{ change: done.id, reason: 'The ad account 20202 is not connected any more.' }],
    });
  });

  it.each<[object, string]>([
    [{ from: 'today' }, 'from'],
    [{ to: '2020-01-01T00:00:00Z' }, 'to'],
    [{ from: '2020-01-01T00:00:00Z' }, 'to'],
    [{ entity: { kind: 'page', id: '1' } }, 'entity.kind'],
    [{ accountId: '99999' }, 'accountId'],
    [{ origin: { area: 'rules' } }, 'origin.id'],
  ])('refuses %j', async (body, path) => {
    expect(await undo(body)).toMatchObject({ status: 400, body: { path } });
  });
});

describe('GET /v1/entities/{kind}/{id}/timeline', () => {
  const timeline = (query = '', name = `adset/${adSet}`, tenant = who.tenant) =>
    api.ask(`GET /v1/entities/${name}/timeline${query}`, { tenant, role: 'viewer' });

  it('is ours and everybody’s, each thing once, oldest first', async () => {
    const { meta } = api.sandbox;
    meta.person.edit(adSet, { dailyBudget: 4_200 }, 'Dana');
    api.plane.clock.advance(10 * 60_000);
    const done = await applied();
    // The platform logs our own edit, too; in this account a person stands for us.
    meta.person.edit(adSet, { dailyBudget: 5_000 }, 'Impresario');
    api.plane.clock.advance(10 * 60_000);
    await api.ask(`GET /v1/changes/${done.id}`, who);
    meta.setLearning(adSet, 'FAIL');
    meta.person.edit(campaign, { status: 'PAUSED' });
    const { status, body } = await timeline();
    // Our own entries are noted by whoever records a change; here by nobody, and the log's line about it is left out.
    expect(status).toBe(200);
    expect(body.entries).toMatchObject([
      { by: 'person', actor: 'Dana', what: 'budget', before: 5_000, after: 4_200, at: at(-20 * 60_000) },
      { by: 'platform', what: 'learning', at: at(0) },
    ]);
    expect(body.platformLog).toEqual({ read: true });
    const noted = api.table('history');
    const ours = {
      tenant: who.tenant,
      accountId: ACCOUNT,
      entity: done.entity,
      by: 'us',
      actor: 'budget',
      what: 'budget',
    };
    const executedAt = done.result?.executedAt ?? 0;
    const pk = `${who.tenant}#timeline#${ACCOUNT}#adset/${adSet}`;
    const sk = `${String(executedAt).padStart(15, '0')}#${done.id}`;
    await noted.put({
      Item: { pk, sk, ...ours, at: executedAt, sourceId: done.id, before: 4_200, after: 5_000 },
    });
    const whole = (await timeline()).body.entries as { by: string; sourceId: string }[];
    expect(whole.map(({ by }) => by)).toEqual(['person', 'us', 'platform']);
    expect(whole[1]?.sourceId).toBe(done.id);
    const late = (await timeline(`?from=${at(-60_000)}&accountId=${ACCOUNT}`)).body.entries as object[];
    expect(late).toMatchObject([{ what: 'learning' }]);
  });

  it('does without the platform’s log, and says so', async () => {
    api.sandbox.meta.throttle(ACCOUNT, { forMs: HOUR });
    const { status, body } = await timeline();
    expect([status, body.entries, body.platformLog.read]).toEqual([200, [], false]);
    expect(body.platformLog.reason).toMatch(/./);
  });

  it.each([
    ['?accountId=99999', 404, undefined],
    ['?from=2020-01-01T00:00:00Z', 400, 'from'],
    ['?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z', 400, 'from'],
    ['?from=x', 400, 'from'],
  ])('refuses %s', async (query, status, path) => {
    const answer = await timeline(query);
    expect([answer.status, answer.body.path]).toEqual([status, path]);
  });

  it("knows objects of a tenant's own account only", async () => {
    expect(await timeline('', 'page/1')).toMatchObject({ status: 400, body: { path: 'kind' } });
    expect(await timeline('', 'adset/1', 'stranger')).toMatchObject({ status: 404 });
  });
});

describe('GET /v1/accounts/{id}/limits', () => {
  it('says of each bucket what is used and when it frees', async () => {
    const ledgers = openLedgers(api.table('limits'));
    const nowMs = api.plane.clock.now();
    await ledgers.change(who.tenant, ACCOUNT, (ledger) => ({
      ledger: { ...ledger, creations: [{ runId: 'run-1', count: 12, at: nowMs }] },
      answer: undefined,
    }));
    const { status, body } = await api.ask(`GET /v1/accounts/${ACCOUNT}/limits`, { ...who, role: 'viewer' });
    expect([status, body.accountId, body.currency]).toEqual([200, ACCOUNT, 'USD']);
    expect(body.buckets).toEqual(
      expect.arrayContaining([
        { name: 'changes-per-hour', used: 0, limit: 15, freesAt: null },
        { name: 'creations-per-hour', used: 12, limit: 300, freesAt: at(HOUR + 60_000) },
      ]),
    );
  });

  it('knows no account but the own', async () => {
    expect(await api.ask('GET /v1/accounts/99999/limits', who)).toMatchObject({ status: 404 });
    expect(await api.ask(`GET /v1/accounts/${ACCOUNT}/limits`, { tenant: 'stranger' })).toMatchObject({
      status: 404,
    });
    expect(await api.ask('GET /v1/accounts/act_1/limits', who)).toMatchObject({
      status: 400,
      body: { path: 'id' },
    });
  });
});
