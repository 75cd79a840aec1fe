// Can people queue changes, find them, and see what they wait for, each within their own tenant?
import { describe, expect, it } from 'vitest';
import type { ChangeRequest } from '../../lambdas/changes/change.ts';
import type { Role } from '../../lambdas/runtime/specs.ts';
import { ACCOUNT, useChangesApi } from './api-rig.ts';

const api = useChangesApi();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const budget = (more: object = {}) => ({
  entity: { kind: 'adset', id: '71' },
  kind: 'BUDGET_INCREASE',
  from: 5_000,
  to: 5_500,
  reason: 'It sells.',
  ...more,
});
const pause = (more: object = {}) => budget({ kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED', ...more });
const post = (body: unknown, asked: object = {}) => api.ask('POST /v1/changes', { body, ...asked });
const at = (ms: number) => new Date(api.plane.clock.now() + ms).toISOString();
let tenants = 0;
const tenant = async (settings: Record<string, unknown> = {}) => {
  tenants += 1;
  await api.connect(`t${tenants}`, settings);
  return { tenant: `t${tenants}` };
};

describe('POST /v1/changes', () => {
  it('queues what was asked under the name of whoever asked, once per intent', async () => {
    const who = await tenant();
    const origin = { area: 'rules', id: 'firing-1', rule: 'rule-9' };
    const first = await post(budget({ origin, evidence: { roas: 3.1 }, expectedValueMinor: 400 }), who);
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({
      ...budget(),
      accountId: ACCOUNT,
      currency: 'USD',
      origin: { ...origin, actor: 'pat' },
      status: 'PENDING',
      mode: 'live',
      expiresAt: at(DAY),
      queued: true,
      displaces: [],
      givesWayTo: null,
    });
    expect(first.body).not.toHaveProperty('approval');
    const again = await post(budget({ origin, reason: 'It still sells.' }), who);
    expect([again.status, again.body.id, again.body.queued, again.body.reason]).toEqual([
      202,
      first.body.id,
      false,
      'It sells.',
    ]);
    expect(await api.stored(who.tenant)).toHaveLength(1);
    const other = await post(budget({ origin: { ...origin, id: 'firing-2' } }), who);
    expect(other.body.id).not.toBe(first.body.id);
  });

  it('without an origin is a new intent each time, and the same under one Idempotency-Key', async () => {
    const who = await tenant();
    const [one, two] = [await post(budget(), who), await post(budget(), who)];
    expect(one.body.origin).toMatchObject({ area: 'person', actor: 'pat' });
    expect(two.body.id).not.toBe(one.body.id);
    const keyed = { ...who, headers: { 'idempotency-key': 'k1' } };
    const first = await post(budget(), keyed);
    // The first answer was never remembered: whoever answered died.
    await forget(who.tenant);
    expect((await post(budget(), keyed)).body).toMatchObject({ id: first.body.id, queued: false });
    expect(await api.stored(who.tenant)).toHaveLength(3);
  });

  it('takes the times, the mode and the parents that are asked for', async () => {
    const who = await tenant();
    const parent = await post(pause({ entity: { kind: 'campaign', id: '7' } }), who);
    const asked = { notBefore: at(HOUR), expiresAt: at(2 * HOUR), mode: 'shadow', after: [parent.body.id] };
    expect((await post(budget(asked), who)).body).toMatchObject(asked);
  });

  it.each([
    ['operator', undefined],
    ['approver', 'It sells.'],
    ['admin', 'It sells.'],
  ] as const)('asked for by the role %s carries the approval %s', async (role, comment) => {
    const who = await tenant();
    const { body } = await post(budget(), { ...who, role });
    const approval = comment && { actor: 'pat', comment, at: at(0), digest: body.digest };
    expect(body.approval).toEqual(approval);
    expect(body.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is for operators, approvers and admins', async () => {
    const who = await tenant();
    expect(await post(budget(), { ...who, role: 'viewer' })).toMatchObject({ status: 403 });
    expect(await api.stored(who.tenant)).toEqual([]);
  });

  it('says which waiting change it displaces, and which it gives way to', async () => {
    const who = await tenant();
    const first = await post(budget(), who);
    api.plane.clock.advance(1);
    const second = await post(budget({ to: 5_600 }), who);
    expect(second.body).toMatchObject({ displaces: [first.body.id], givesWayTo: null });
    const stop = await post(pause(), who);
    expect(stop.body).toMatchObject({ displaces: [], givesWayTo: null });
    api.plane.clock.advance(1);
    const start = await post(pause({ kind: 'RESUME', from: 'PAUSED', to: 'ACTIVE' }), who);
    expect(start.body).toMatchObject({ displaces: [], givesWayTo: stop.body.id });
  });

  it.each<[string, object, string, RegExp]>([
    ['an unknown kind', { kind: 'DELETE' }, 'kind', /BUDGET_INCREASE, .*ARCHIVE/],
    ['a negative amount', { to: -5_500 }, 'to', /whole number of minor units above zero/],
    ['half a cent', { to: 5_500.5 }, 'to', /whole number/],
    ['nothing', { to: 0 }, 'to', /whole number/],
    ['a word for an amount', { from: 'NaN' }, 'from', /whole number/],
    ['null, which NaN becomes', { from: null }, 'from', /whole number/],
    ['an increase that is none', { to: 5_000 }, 'to', /more than it starts from/],
    [
      'a budget on an ad',
      { entity: { kind: 'ad', id: '1' } },
      'entity',
      /An ad has no budget of its own.*ad set/,
    ],
    [
      'a bid on a campaign',
      { kind: 'BID_ADJUST', entity: { kind: 'campaign', id: '1' } },
      'entity',
      /set on an ad set/,
    ],
    ['a status for an amount', { kind: 'PAUSE' }, 'from', /starts from ACTIVE/],
    ['an object of another kind', { entity: { kind: 'account', id: '1' } }, 'entity.kind', /campaign/],
    ['another currency', { currency: 'EUR' }, 'currency', /in EUR, but .* counts in USD/],
    ['a time that has passed', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /expired already/],
    ['a time that is none', { expiresAt: 'tomorrow' }, 'expiresAt', /is not a time such as/],
    ['a start after the end', { notBefore: '2099-01-01T00:00:00Z' }, 'notBefore', /expire before/],
    ['an account that is not connected', { accountId: '99999' }, 'accountId', /99999 is not connected/],
    ['no reason', { reason: '' }, 'reason', /./],
    ['a parent that is none', { after: [`chg-${'a'.repeat(26)}`] }, 'after.0', /There is no change chg-a/],
    ['an actor', { origin: { area: 'a', id: 'b', actor: 'root' } }, 'origin.actor', /not a known field/],
    ['the name of undo', { origin: { area: 'undo', id: 'b' } }, 'origin.area', /POST \/v1\/undo/],
    ['an unknown field', { status: 'COMPLETED' }, 'status', /not a known field/],
    ['too much evidence', { evidence: { text: 'x'.repeat(16_385) } }, 'evidence', /at most 16384/],
    ['a number that cannot be kept', { evidence: { id: 1.2e20 } }, 'evidence', /write it as text/],
  ])('refuses %s, naming the field', async (_, wrong, path, sentence) => {
    const who = await tenant();
    const { status, type, body } = await post(budget(wrong), who);
    expect([status, type, body.path]).toEqual([400, 'application/problem+json', path]);
    expect(body.detail).toMatch(sentence);
    expect(await api.stored(who.tenant)).toEqual([]);
  });

  it('refuses NaN, which is no JSON, and a tenant without an account', async () => {
    const text = JSON.stringify(budget()).replace('5500', 'NaN');
    expect(await post(text, await tenant())).toMatchObject({
      status: 400,
      body: { detail: 'The body is not JSON.' },
    });
    expect(await post(budget(), { tenant: 'bare' })).toMatchObject({
      status: 400,
      body: { path: 'accountId' },
    });
  });

  it("does not wait for another tenant's change", async () => {
    const [mine, theirs] = [await tenant(), await tenant()];
    const foreign = await post(pause(), theirs);
    expect(await post(budget({ after: [foreign.body.id] }), mine)).toMatchObject({
      status: 400,
      body: { path: 'after.0' },
    });
  });

  it.each(['PutItem', 'Query', 'GetItem'])(
    'stores nothing and answers 503 while DynamoDB refuses %s',
    async (operation) => {
      const who = await tenant();
      api.plane.cloud.faults.add({
        service: 'dynamodb',
        operation,
        when: 'before',
        effect: { kind: 'error', code: 'InternalServerError', status: 500 },
      });
      const { status, type } = await post(budget(), who);
      expect([status, type]).toEqual([503, 'application/problem+json']);
      api.plane.cloud.faults.clear();
      expect(await api.stored(who.tenant)).toEqual([]);
      expect(await post(budget(), who)).toMatchObject({ status: 202 });
    },
  );
});

describe('GET /v1/changes', () => {
  const list = async (who: { tenant: string }, query = '') =>
    (await api.ask(`GET /v1/changes${query}`, { ...who, role: 'viewer' })).body as {
      changes: { id: string }[];
      cursor?: string;
    };
  const ids = ({ changes }: { changes: { id: string }[] }) => changes.map(({ id }) => id);
  const seven = async (who: { tenant: string }) => {
    const made: string[] = [];
    for (let number = 0; number < 7; number += 1) {
      const entity = { kind: 'adset', id: `${number % 2}` };
      const origin = { area: 'rules', id: number < 3 ? 'early' : 'a/b' };
      made.unshift((await post(budget({ entity, origin, to: 6_000 + number }), who)).body.id);
      api.plane.clock.advance(1_000);
    }
    return made;
  };

  it('lists the newest first, by filter and page by page, and only the own', async () => {
    const who = await tenant();
    const startedAt = api.plane.clock.now();
    const made = await seven(who);
    await seven(await tenant());
    expect(ids(await list(who))).toEqual(made);
    expect(ids(await list(who, '?entity=adset/1'))).toEqual([made[1], made[3], made[5]]);
    expect(ids(await list(who, `?entity=adset/1&accountId=12345`))).toEqual([]);
    expect(ids(await list(who, `?accountId=${ACCOUNT}`))).toEqual(made);
    expect(ids(await list(who, '?origin=rules/early'))).toEqual(made.slice(4));
    expect(ids(await list(who, '?origin=rules/a/b&entity=adset/0'))).toEqual([made[0], made[2]]);
    const time = (ms: number) => encodeURIComponent(new Date(startedAt + ms).toISOString());
    expect(ids(await list(who, `?from=${time(2_000)}&to=${time(4_000)}`))).toEqual([made[3], made[4]]);
    await api.ask(`POST /v1/changes/${made[2]}/hold`, { ...who, body: { comment: 'wait' } });
    expect(ids(await list(who, '?status=HELD'))).toEqual([made[2]]);
    expect(ids(await list(who, `?status=PENDING&to=${time(3_000)}`))).toEqual(made.slice(4));
    expect(ids(await list(who, '?status=HELD&entity=adset/1'))).toEqual([]);

    for (const filter of ['', '&status=PENDING', '&entity=adset/0']) {
      const whole = ids(await list(who, `?limit=100${filter}`));
      const seen: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await list(who, `?limit=2${filter}${cursor === undefined ? '' : `&cursor=${cursor}`}`);
        expect(page.changes.length).toBeLessThanOrEqual(2);
        seen.push(...ids(page));
        cursor = page.cursor;
        pages += 1;
      } while (cursor !== undefined);
      expect(seen).toEqual(whole);
      expect(pages).toBe(Math.ceil(whole.length / 2));
    }
  });

  it('goes on where few of many match', async () => {
    const who = await tenant();
    const common = {
      accountId: ACCOUNT,
      currency: 'USD',
      reason: 'many',
      expiresAt: api.plane.clock.now() + DAY,
    };
    const request = (id: number, area: string): ChangeRequest => ({
      ...common,
      entity: { kind: 'ad', id: `${id}` },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
      origin: { area, id: 'x', actor: 'test' },
    });
    const nowMs = api.plane.clock.now();
    const all = Array.from({ length: 1_100 }, (_, index) => ({
      tenant: who.tenant,
      request: request(index, index === 0 ? 'rare' : 'usual'),
      status: 'PENDING' as const,
      nowMs: nowMs + index,
    }));
    for (let start = 0; start < all.length; start += 100)
      await api.changes.transact(api.changes.queueing(all.slice(start, start + 100)).actions);
    const first = await list(who, '?origin=rare/x');
    expect([first.changes, typeof first.cursor]).toEqual([[], 'string']);
    const second = await list(who, `?origin=rare/x&cursor=${first.cursor}`);
    expect(second).toMatchObject({ changes: [{ origin: { area: 'rare' } }] });
    expect(second).not.toHaveProperty('cursor');
  });

  it.each([
    ['status=DONE', 'status'],
    ['entity=page/1', 'entity'],
    ['origin=rules', 'origin'],
    ['limit=0', 'limit'],
    ['from=yesterday', 'from'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'to'],
    ['cursor=bm90aGluZw', 'cursor'],
  ])('refuses ?%s', async (query, path) => {
    const answer = await api.ask(`GET /v1/changes?${query}`, await tenant());
    expect([answer.status, answer.body.path]).toEqual([400, path]);
  });

  it.each([
    ['another tenant’s change', (key: Record<string, string>) => ({ ...key, pk: 'theirs#change' })],
    ['another tenant’s list', (key: Record<string, string>) => ({ ...key, timePk: 'theirs#change' })],
    ['a field more', (key: Record<string, string>) => ({ ...key, statusPk: 'x' })],
  ])('takes no cursor that was made to name %s', async (_, forged) => {
    const who = await tenant();
    await seven(who);
    const { cursor = '' } = await list(who, '?limit=2');
    const key = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Record<string, string>;
    const made = Buffer.from(JSON.stringify(forged(key))).toString('base64url');
    expect(await api.ask(`GET /v1/changes?limit=2&cursor=${made}`, who)).toMatchObject({
      status: 400,
      body: { path: 'cursor' },
    });
  });

  it("takes no cursor of another list or of another tenant's", async () => {
    const [mine, theirs] = [await tenant(), await tenant()];
    await seven(theirs);
    await seven(mine);
    const { cursor: foreign } = await list(theirs, '?limit=2');
    const { cursor: other } = await list(mine, '?limit=2&status=PENDING');
    for (const cursor of [foreign, other])
      expect(await api.ask(`GET /v1/changes?limit=2&cursor=${cursor}`, mine)).toMatchObject({
        status: 400,
        body: { path: 'cursor' },
      });
  });
});

describe('GET /v1/changes/{id}', () => {
  const show = (id: string, who: { tenant: string; role?: Role }) =>
    api.ask(`GET /v1/changes/${id}`, { role: 'viewer', ...who });

  it('tells the whole story, its executions and its evidence', async () => {
    const who = await tenant();
    const asked = await post(budget({ evidence: { roas: 2 } }), who);
    const { id } = asked.body;
    expect((await show(id, who)).body).toMatchObject({
      evidence: { roas: 2 },
      digest: asked.body.digest,
      waitsFor: null,
      executions: [],
      story: [{ move: 'queue', actor: 'pat', reason: 'It sells.', status: 'PENDING' }],
    });
    await api.apply(who.tenant, id);
    const { body } = await show(id, who);
    expect(body).toMatchObject({
      status: 'COMPLETED',
      result: { before: 5_000, applied: 5_500, executedAt: at(0) },
      executions: [`${id}-1`],
    });
    expect(body.story.map(({ move }: { move: string }) => move)).toEqual([
      'queue',
      'claim',
      'begin',
      'complete',
    ]);
  });

  it('says what it waits for', async () => {
    const who = await tenant();
    const parent = (await post(pause({ entity: { kind: 'campaign', id: '7' } }), who)).body.id as string;
    const child = (await post(budget({ after: [parent] }), who)).body.id as string;
    const waits = async (id: string) => (await show(id, who)).body.waitsFor as unknown;
    expect(await waits(child)).toEqual({
      reason: `It waits until ${parent} is applied, which is PENDING.`,
      final: false,
    });
    const later = (await post(pause({ entity: { kind: 'ad', id: '3' }, notBefore: at(HOUR) }), who)).body
      .id as string;
    expect(await waits(later)).toMatchObject({ until: at(HOUR), final: false });
    const said = { body: { comment: 'not now' }, ...who };
    await api.ask(`POST /v1/changes/${later}/hold`, said);
    expect(await waits(later)).toEqual({ reason: 'not now', final: false });
    await api.ask(`POST /v1/changes/${parent}/cancel`, said);
    expect(await waits(child)).toEqual({
      reason: `${parent} had to be applied first and is CANCELLED.`,
      final: true,
    });
    const due = (await post(pause({ entity: { kind: 'ad', id: '4' } }), who)).body.id as string;
    const order = { scope: 'account', id: ACCOUNT, on: true, comment: 'fire' };
    await api.ask('PUT /v1/kill-switch', { ...who, body: order });
    expect(await waits(due)).toEqual({ reason: 'pat stopped the account: fire', final: false });
  });

  it('does not know changes of others, nor those that never were', async () => {
    const [mine, theirs] = [await tenant(), await tenant()];
    const foreign = (await post(pause(), theirs)).body.id as string;
    for (const id of [foreign, `chg-${'0'.repeat(26)}`])
      expect(await show(id, mine)).toMatchObject({ status: 404, type: 'application/problem+json' });
    expect(await show('42', mine)).toMatchObject({ status: 400, body: { path: 'id' } });
  });
});

/** Answers that were remembered under a key. */
async function forget(name: string): Promise<void> {
  const { Items = [] } = (await api.plane.cloud.call('dynamodb', 'Scan', { TableName: 'test-runs' })) as {
    Items?: { pk: { S: string }; sk: { S: string } }[];
  };
  for (const { pk, sk } of Items.filter((item) => item.pk.S.startsWith(`${name}#idempotency`)))
    await api.table('runs').delete({ Key: { pk: pk.S, sk: sk.S } });
}
