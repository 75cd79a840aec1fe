// Can people decide about waiting changes and stop everything, as far as their role goes, and only their own?
import { beforeEach, describe, expect, it } from 'vitest';
import type { ChangeRequest } from '../../lambdas/changes/change.ts';
import { goLiveChanges } from '../../lambdas/creative/go-live.ts';
import type { BattlePlan } from '../../lambdas/creative/types.ts';
import type { Role } from '../../lambdas/runtime/specs.ts';
import { ACCOUNT, useChangesApi } from './api-rig.ts';

const api = useChangesApi();
const DAY = 86_400_000;
let tenants = 0;
let who: { tenant: string };
beforeEach(async () => {
  tenants += 1;
  who = { tenant: `d${tenants}` };
  await api.connect(who.tenant);
});

const request = (id: string, more: Partial<ChangeRequest> = {}): ChangeRequest => ({
  accountId: ACCOUNT,
  entity: { kind: 'adset', id },
  kind: 'PAUSE',
  from: 'ACTIVE',
  to: 'PAUSED',
  currency: 'USD',
  reason: 'It does not sell.',
  origin: { area: 'rules', id: 'firing-1', actor: 'rules' },
  expiresAt: api.plane.clock.now() + DAY,
  ...more,
});
async function queued(
  status: 'HELD' | 'PENDING',
  id = '1',
  more: Partial<ChangeRequest> = {},
): Promise<string> {
  const { change } = await api.changes.queue({
    tenant: who.tenant,
    request: request(id, more),
    status,
    nowMs: api.plane.clock.now(),
  });
  return change.id;
}
const say = (id: string, verb: string, body: object = {}, role: Role = 'approver', tenant = who.tenant) =>
  api.ask(`POST /v1/changes/${id}/${verb}`, {
    tenant,
    role,
    subject: 'kim',
    body: { comment: 'because', ...body },
  });
const stands = async (id: string) => (await api.changes.get(who.tenant, id))?.status;

describe('POST /v1/changes/{id}/approve and reject', () => {
  it('lets a held change go, bound to what the person saw, told and audited', async () => {
    const id = await queued('HELD');
    const { digest } = (await api.ask(`GET /v1/changes/${id}`, who)).body;
    const { status, body } = await say(id, 'approve', { digest });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      changes: [{ id, status: 'PENDING', approval: { actor: 'kim', comment: 'because', digest } }],
      left: [],
    });
    const whole = (await api.ask(`GET /v1/changes/${id}`, who)).body;
    expect(whole.story).toMatchObject([
      { move: 'queue' },
      { move: 'approve', actor: 'kim', reason: 'because' },
    ]);
    expect(await api.audited(who.tenant)).toEqual([
      { action: 'change.approve', actor: 'kim', subject: `${id} adset/1` },
    ]);
  });

  it('rejects for good: the same intent is not queued again', async () => {
    const id = await queued('HELD');
    expect((await say(id, 'reject')).body).toMatchObject({
      changes: [{ id, status: 'CANCELLED', statusCode: 'rejected' }],
    });
    await queued('HELD');
    expect(await stands(id)).toBe('CANCELLED');
  });

  it.each(['change', 'origin'])('does not take the digest of something else, scope %s', async (scope) => {
    const id = await queued('HELD');
    const answer = await say(id, 'approve', { digest: 'f'.repeat(64), scope });
    expect([answer.status, answer.type]).toEqual([409, 'application/problem+json']);
    expect(answer.body.detail).toMatch(/digest is not that of chg-/);
    expect(await stands(id)).toBe('HELD');
  });

  it('is too late once the change has expired, which it then is', async () => {
    const id = await queued('HELD');
    api.plane.clock.advance(DAY);
    const { status, body } = await say(id, 'approve');
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/expired at 20/)]);
    expect(await stands(id)).toBe('EXPIRED');
  });

  it('does not approve what can never be applied', async () => {
    const parent = await queued('HELD', '1');
    const child = await queued('HELD', '2', { after: [parent] });
    await say(parent, 'reject');
    expect(await say(child, 'approve')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`${parent} had to be applied first and is CANCELLED`) },
    });
    expect(await stands(child)).toBe('HELD');
  });

  const launch = (ads: number) =>
    goLiveChanges({
      tenant: who.tenant,
      runId: 'run-1',
      published: {
        accountId: ACCOUNT,
        currency: 'USD',
        campaignId: '7',
        adSetId: '71',
        dailyBudgetMinor: 2_000,
        ads: Array.from({ length: ads }, (_, index) => ({
          adId: `${710 + index}`,
          variationId: `v${index}`,
        })),
      } as Parameters<typeof goLiveChanges>[0]['published'],
      plan: { title: 'Lamps', variations: [] } as unknown as BattlePlan,
      forecasts: [],
      nowMs: api.plane.clock.now(),
      notBefore: 0,
    });
  const queueLaunch = async (ads: number): Promise<string[]> => {
    const made = api.changes.queueing(
      launch(ads).map((one) => ({
        tenant: who.tenant,
        request: one,
        status: 'HELD',
        nowMs: api.plane.clock.now(),
      })),
    );
    await api.changes.transact(made.actions);
    return made.changes.map(({ id }) => id);
  };

  it('one call approves a whole launch, parents first, and nothing else', async () => {
    const ids = await queueLaunch(6);
    const other = await queued('HELD', '99');
    // Asked at the last ad.
    const { status, body } = await say(ids.at(-1) ?? '', 'approve', { scope: 'origin' });
    expect([status, body.left]).toEqual([200, []]);
    const approved = body.changes as { id: string; status: string; entity: { kind: string } }[];
    expect(approved.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(approved.map(({ entity }) => entity.kind)).toEqual([
      'campaign',
      'adset',
      ...Array.from({ length: 6 }, () => 'ad'),
    ]);
    expect(new Set(approved.map((change) => change.status))).toEqual(new Set(['PENDING']));
    expect(await stands(other)).toBe('HELD');
    const again = await say(ids[0] ?? '', 'approve', { scope: 'origin' });
    expect([again.status, again.body.detail]).toEqual([
      409,
      expect.stringMatching(/is PENDING.*nothing else of its origin/),
    ]);
  });

  it('goes on where an approval of all was broken off', async () => {
    const [campaign = '', ...rest] = await queueLaunch(2);
    await say(campaign, 'approve');
    const { body } = await say(campaign, 'approve', { scope: 'origin' });
    expect(body.changes.map(({ id }: { id: string }) => id).toSorted()).toEqual(rest.toSorted());
  });

  it('rejects a whole launch', async () => {
    const ids = await queueLaunch(2);
    await say(ids[0] ?? '', 'reject', { scope: 'origin' });
    expect(await Promise.all(ids.map(stands))).toEqual(ids.map(() => 'CANCELLED'));
  });

  it('leaves the children of an expired parent, and says so', async () => {
    const parent = await queued('HELD', '1', { expiresAt: api.plane.clock.now() + 1_000 });
    const child = await queued('HELD', '2', { after: [parent] });
    const free = await queued('HELD', '3');
    api.plane.clock.advance(1_000);
    const { body } = await say(child, 'approve', { scope: 'origin' });
    expect(body.changes).toMatchObject([{ id: free, status: 'PENDING' }]);
    expect(body.left).toMatchObject([
      { id: parent, reason: expect.stringContaining('expired') },
      { id: child, reason: expect.stringContaining(`${parent} had to be applied first and is EXPIRED`) },
    ]);
    expect(await Promise.all([parent, child].map(stands))).toEqual(['EXPIRED', 'HELD']);
  });
});

describe('POST /v1/changes/{id}/cancel, hold and release', () => {
  it('holds a change for a person, and only that is released', async () => {
    const id = await queued('PENDING');
    expect((await say(id, 'hold', {}, 'operator')).body).toMatchObject({
      status: 'HELD',
      statusCode: 'held-by-person',
      statusReason: 'because',
    });
    expect((await say(id, 'release', {}, 'operator')).body).toMatchObject({ status: 'PENDING' });
    const asking = await queued('HELD', '2');
    const { status, body } = await say(asking, 'release', {}, 'admin');
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/it waits for an approval/)]);
    expect(await stands(asking)).toBe('HELD');
  });

  it.each(['PENDING', 'HELD'] as const)('cancels what is %s, for good', async (status) => {
    const id = await queued(status);
    expect((await say(id, 'cancel', {}, 'operator')).body).toMatchObject({
      status: 'CANCELLED',
      statusReason: 'because',
    });
    expect(await api.changes.retract(who.tenant, id, 'undone', 1)).toBe(true);
    await queued('PENDING');
    expect(await stands(id)).toBe('CANCELLED');
  });

  it.each([
    ['approve', 'PENDING', /is PENDING: only what is HELD can be approved/],
    ['reject', 'PENDING', /only what is HELD can be rejected/],
    ['hold', 'HELD', /only what is PENDING can be held/],
    ['release', 'PENDING', /only what is HELD can be released/],
  ] as const)('%s is refused for what is %s', async (verb, status, sentence) => {
    const id = await queued(status);
    const answer = await say(id, verb);
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringMatching(sentence)]);
    expect(await stands(id)).toBe(status);
  });

  it.each(['approve', 'reject', 'cancel', 'hold', 'release'])(
    '%s is refused for what is over or being applied',
    async (verb) => {
      const done = await queued('PENDING', '1');
      await api.apply(who.tenant, done);
      const taken = await queued('PENDING', '2');
      const waiting = await api.changes.get(who.tenant, taken);
      const nowMs = api.plane.clock.now();
      if (waiting !== undefined) await api.leases.dispatch(waiting, nowMs);
      await api.leases.claim(who.tenant, taken, { lease: 1, holder: 'x' }, nowMs);
      expect(await say(done, verb)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('is COMPLETED') },
      });
      expect(await say(taken, verb)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('is CLAIMED') },
      });
    },
  );

  it.each(['cancel', 'hold'])('%s waits for what may have reached the platform', async (verb) => {
    const id = await queued('PENDING');
    await api.table('changes').update({
      Key: { pk: `${who.tenant}#change`, sk: id },
      UpdateExpression: 'SET intent = :intent',
      ExpressionAttributeValues: {
        ':intent': { lease: 1, at: 1, before: 'ACTIVE', applied: 'PAUSED', tries: 1 },
      },
    });
    const answer = await say(id, verb);
    expect([answer.status, answer.body.detail]).toEqual([
      409,
      expect.stringMatching(/may have reached the platform/),
    ]);
    expect(await stands(id)).toBe('PENDING');
  });

  it('loses against an execution that is faster', async () => {
    const id = await queued('PENDING');
    api.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: {
        kind: 'error',
        code: 'TransactionCanceledException',
        fields: { CancellationReasons: [{ Code: 'ConditionalCheckFailed' }] },
      },
      times: 1,
    });
    expect(await say(id, 'cancel')).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/same moment/) },
    });
  });

  it('moves nothing while DynamoDB refuses', async () => {
    const id = await queued('HELD');
    api.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    expect(await say(id, 'approve')).toMatchObject({ status: 503 });
    expect(await stands(id)).toBe('HELD');
    expect(await api.audited(who.tenant)).toEqual([]);
  });
});

describe('who may decide', () => {
  it.each([
    ['approve', ['approver', 'admin']],
    ['reject', ['approver', 'admin']],
    ['cancel', ['operator', 'approver', 'admin']],
    ['hold', ['operator', 'approver', 'admin']],
    ['release', ['operator', 'approver', 'admin']],
  ] as const)('%s: %s', async (verb, allowed) => {
    const id = await queued('PENDING');
    const roles = ['viewer', 'operator', 'approver', 'admin'] as const;
    const heard: Role[] = [];
    for (const role of roles) if ((await say(id, verb, {}, role)).status !== 403) heard.push(role);
    expect(heard).toEqual(allowed);
  });

  it.each(['approve', 'reject', 'cancel', 'hold', 'release'])(
    '%s needs a comment and knows no change of another tenant',
    async (verb) => {
      const id = await queued('PENDING');
      expect(await say(id, verb, { comment: '' })).toMatchObject({ status: 400, body: { path: 'comment' } });
      expect(await say(id, verb, {}, 'admin', 'stranger')).toMatchObject({ status: 404 });
      expect(await stands(id)).toBe('PENDING');
    },
  );
});

describe('/v1/kill-switch', () => {
  const turn = (body: object, role: Role = 'operator', subject = 'pat') =>
    api.ask('PUT /v1/kill-switch', { ...who, role, subject, body: { comment: 'fire', ...body } });
  const on = async (tenant = who.tenant) =>
    (await api.ask('GET /v1/kill-switch', { tenant, role: 'viewer' })).body.switches as object[];

  it.each([
    ['tenant', undefined],
    ['account', ACCOUNT],
    ['campaign', '120200000000010007'],
    ['rule', 'rule-9'],
  ])('of the %s is turned on by an operator and off by an approver, both audited', async (scope, id) => {
    const which = { scope, ...(id === undefined ? {} : { id }) };
    const since = new Date(api.plane.clock.now()).toISOString();
    const expected = { ...which, on: true, actor: 'pat', comment: 'fire', since };
    expect(await turn({ ...which, on: true })).toMatchObject({ status: 200, body: { switches: [expected] } });
    expect(await on()).toEqual([expected]);
    expect(await on('other')).toEqual([]);
    expect(await turn({ ...which, on: false })).toMatchObject({ status: 403 });
    expect(await on()).toHaveLength(1);
    expect(await turn({ ...which, on: false }, 'approver', 'kim')).toMatchObject({
      status: 200,
      body: { switches: [] },
    });
    const subject = id === undefined ? scope : `${scope}#${id}`;
    expect((await api.audited(who.tenant)).toSorted((a, b) => b.action.localeCompare(a.action))).toEqual([
      { action: 'kill-switch.on', actor: 'pat', subject },
      { action: 'kill-switch.off', actor: 'kim', subject },
    ]);
  });

  it('that stands as it should stays as it is, with whoever turned it first', async () => {
    await turn({ scope: 'tenant', on: true });
    expect((await turn({ scope: 'tenant', on: true }, 'admin', 'late')).body.switches).toMatchObject([
      { actor: 'pat' },
    ]);
    expect(await turn({ scope: 'rule', id: 'r', on: false }, 'admin')).toMatchObject({ status: 200 });
    expect(await api.audited(who.tenant)).toHaveLength(1);
  });

  it.each<[object, string]>([
    [{ scope: 'tenant', id: 'x', on: true }, 'id'],
    [{ scope: 'account', on: true }, 'id'],
    [{ scope: 'account', id: '99999', on: true }, 'id'],
    [{ scope: 'rule', id: 'a#b', on: true }, 'id'],
    [{ scope: 'ad', id: '1', on: true }, 'scope'],
    [{ scope: 'tenant', on: 'yes' }, 'on'],
    [{ scope: 'tenant', on: true, comment: '' }, 'comment'],
  ])('refuses %j', async (body, path) => {
    expect(await turn(body)).toMatchObject({ status: 400, body: { path } });
    expect(await on()).toEqual([]);
  });

  it('is not for viewers, and stays off while DynamoDB refuses', async () => {
    expect(await turn({ scope: 'tenant', on: true }, 'viewer')).toMatchObject({ status: 403 });
    api.plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    expect(await turn({ scope: 'tenant', on: true })).toMatchObject({ status: 503 });
    api.plane.cloud.faults.clear();
    expect(await on()).toEqual([]);
    expect(await api.audited(who.tenant)).toEqual([]);
  });
});
