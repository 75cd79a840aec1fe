// Can a person follow, stop and restart their runs, and nobody else's?
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSettlement } from '../../lambdas/runtime/settlement.ts';
import type { World } from '../../lib/laptop/world.ts';
import { requestOf } from '../support/creative-run.ts';
import { testWorld } from '../support/world.ts';
import { openClaimlessRuns } from './claimless-runs.ts';
import {
  adAccount,
  ask,
  campaignOf,
  drain,
  executionArn,
  freshRunId,
  runRow,
  startDoomed,
} from './operations.ts';

let world: World;
beforeAll(async () => {
  world = await testWorld();
});
afterAll(() => world.close());
beforeEach(() => world.cloud.faults.clear());

const viewer = { tenant: 'demo', role: 'viewer' } as const;
const operator = { tenant: 'demo', role: 'operator' } as const;
const stranger = { tenant: 'other', role: 'admin' } as const;
const get = (who: Parameters<typeof ask>[1], path: string) => ask(world, who, 'GET', path);
const post = (who: Parameters<typeof ask>[1], path: string, headers: Record<string, string> = {}) =>
  ask(world, who, 'POST', path, { headers });

async function failedRun(): Promise<string> {
  const runId = await startDoomed(world);
  await world.cloud.settle();
  return runId;
}

describe('GET /v1/executions/{id}', () => {
  it('says what each state did and why it ended', async () => {
    const runId = await failedRun();
    const { status, body } = await get(viewer, `/v1/executions/${runId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: runId,
      stateMachine: 'creative-generation',
      status: 'failed',
      attempt: 1,
      phase: 'IngestVideo',
      error: { name: 'InvalidInput', state: 'IngestVideo' },
      states: [
        { state: 'IngestVideo', status: 'failed', tries: 1, attempt: 1, error: { name: 'InvalidInput' } },
      ],
    });
    expect(body['elapsedSeconds']).toBeTypeOf('number');
    expect(body['percent']).toBeLessThan(100);
  });

  it('says what a person is asked', async () => {
    const runId = freshRunId(world);
    const runs = openClaimlessRuns(world);
    const nowMs = world.cloud.clock.now();
    await runs.open({ tenant: 'demo', runId, stateMachine: 'creative-generation', request: {}, nowMs });
    const review = { reasons: ['The judges disagree.'], until: new Date(nowMs + 86_400_000).toISOString() };
    await runs.setStatus('demo', runId, 'needs-review', nowMs, review);
    expect((await get(viewer, `/v1/executions/${runId}`)).body).toMatchObject({
      status: 'needs-review',
      review,
    });
    await runs.setStatus('demo', runId, 'running', nowMs);
    expect((await get(viewer, `/v1/executions/${runId}`)).body).not.toHaveProperty('review');
    await runs.close('demo', runId, { status: 'rejected', nowMs });
  });

  it('does not know runs of others, nor those that never were', async () => {
    const runId = await failedRun();
    for (const answer of [
      await get(stranger, `/v1/executions/${runId}`),
      await get(viewer, `/v1/executions/${freshRunId(world)}`),
      await post(stranger, `/v1/executions/${runId}/redrive`),
      await post(stranger, `/v1/executions/${runId}/stop`),
    ]) {
      expect(answer.status).toBe(404);
      expect(answer.type).toContain('application/problem+json');
    }
    expect(await runRow(world, runId)).toMatchObject({ attempt: 1 });
  });

  it('names the field of an id that is none', async () => {
    const { status, body } = await get(viewer, '/v1/executions/42');
    expect([status, body['path']]).toEqual([400, 'id']);
    expect((await get(null, '/v1/executions/42')).status).toBe(401);
  });
});

describe('GET /v1/executions', () => {
  it('lists the own runs, newest first, by filter and page by page', async () => {
    const tenant = 'lister';
    const runs = openClaimlessRuns(world);
    const base = Date.UTC(2026, 0, 1);
    const ids: string[] = [];
    for (let day = 0; day < 5; day += 1) {
      const runId = freshRunId(world);
      ids.unshift(runId);
      const nowMs = base + day * 86_400_000;
      await runs.open({ tenant, runId, stateMachine: 'creative-generation', request: {}, nowMs });
      if (day % 2 === 0) await runs.close(tenant, runId, { status: 'succeeded', nowMs });
    }
    const list = async (query: string) => {
      const { body } = await get({ tenant, role: 'viewer' }, `/v1/executions${query}`);
      return body as { executions: { id: string }[]; cursor?: string };
    };
    const idsOf = async (query: string) => (await list(query)).executions.map(({ id }) => id);
    expect(await idsOf('')).toEqual(ids);
    expect(await idsOf('?status=running')).toEqual([ids[1], ids[3]]);
    expect(await idsOf('?stateMachine=another')).toEqual([]);
    // The offset says the same moments as 2026-01-02 and 2026-01-04 in UTC.
    const hours = encodeURIComponent('T02:00:00+02:00');
    expect(await idsOf(`?from=2026-01-02${hours}&to=2026-01-04${hours}`)).toEqual([ids[2], ids[3]]);
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.cursor}`);
    expect([...first.executions, ...second.executions].map(({ id }) => id)).toEqual(ids);
    expect(second.cursor).toBeUndefined();
    const foreign = await get(viewer, `/v1/executions?cursor=${first.cursor}`);
    expect([foreign.status, foreign.body['path']]).toEqual([400, 'cursor']);
    for (const [from, to] of [
      ['2026-01-04', '2026-01-02'],
      ['2026-01-04', '2026-01-04'],
    ]) {
      const none = await get(viewer, `/v1/executions?from=${from}T00:00:00Z&to=${to}T00:00:00Z`);
      expect([none.status, none.body['path']]).toEqual([400, 'to']);
    }
    expect(await idsOf('?from=9999-06-01T00:00:00Z')).toEqual([]);
    expect(await idsOf('?to=0000-01-01T00:00:00Z')).toEqual([]);
    const wrong = await get(viewer, '/v1/executions?limit=1000');
    expect([wrong.status, wrong.body['path']]).toEqual([400, 'limit']);
  });
});

describe('POST /v1/executions/{id}/redrive', () => {
  it('starts the run again under its id with what it was asked', async () => {
    const runId = await failedRun();
    const { status, body } = await post(operator, `/v1/executions/${runId}/redrive`);
    expect([status, body]).toEqual([
      202,
      { id: runId, attempt: 2, executionArn: executionArn(`${runId}-2`) },
    ]);
    const { input } = (await world.cloud.call('states', 'DescribeExecution', {
      executionArn: executionArn(`${runId}-2`),
    })) as { input: string };
    expect(JSON.parse(input)).toEqual({
      run: { id: runId, tenant: 'demo', attempt: 2 },
      request: JSON.parse(JSON.stringify(requestOf('demo'))) as unknown,
    });
    expect((await post(operator, `/v1/executions/${runId}/redrive`)).status).toBe(409);
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed', attempt: 2 });
  });

  it('is for operators, and once per idempotency key', async () => {
    const runId = await failedRun();
    expect((await post(viewer, `/v1/executions/${runId}/redrive`)).status).toBe(403);
    const key = { 'idempotency-key': `again-${runId}` };
    const first = await post(operator, `/v1/executions/${runId}/redrive`, key);
    await world.cloud.settle();
    const second = await post(operator, `/v1/executions/${runId}/redrive`, key);
    expect([second.status, second.body]).toEqual([202, first.body]);
    expect(await runRow(world, runId)).toMatchObject({ attempt: 2 });
  });

  it('heals when an earlier redrive could not start the execution', async () => {
    const runId = await failedRun();
    world.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      when: 'before',
      effect: { kind: 'error', code: 'ServiceUnavailable', status: 503 },
      times: 2,
    });
    expect((await post(operator, `/v1/executions/${runId}/redrive`)).status).toBe(503);
    const again = await post(operator, `/v1/executions/${runId}/redrive`);
    expect([again.status, again.body['attempt']]).toEqual([202, 2]);
    await world.cloud.settle();
  });

  it('also takes a run that succeeded, but not one whose upload never came', async () => {
    const runs = openClaimlessRuns(world);
    const nowMs = world.cloud.clock.now();
    const [made, expired] = [freshRunId(world), freshRunId(world)];
    for (const [runId, status] of [
      [made, 'succeeded'],
      [expired, 'expired'],
    ] as const) {
      const request = requestOf('demo');
      await runs.open({ tenant: 'demo', runId, stateMachine: 'creative-generation', request, nowMs });
      await runs.close('demo', runId, { status, nowMs });
    }
    expect((await post(operator, `/v1/executions/${made}/redrive`)).status).toBe(202);
    expect((await post(operator, `/v1/executions/${expired}/redrive`)).status).toBe(409);
    await world.cloud.settle();
  });
});

describe('POST /v1/executions/redrive', () => {
  const dayMs = 86_400_000;
  let tenants = 0;
  /** A tenant whose runs have failed so. */
  async function failures(
    tenant: string,
    ...errors: { name: string; state?: string; daysAgo?: number }[]
  ): Promise<string[]> {
    const runs = openClaimlessRuns(world);
    const ids: string[] = [];
    for (const { daysAgo = 0, ...error } of errors) {
      const runId = freshRunId(world);
      const nowMs = world.cloud.clock.now() - daysAgo * dayMs;
      const request = requestOf(tenant);
      await runs.open({ tenant, runId, stateMachine: 'creative-generation', request, nowMs });
      await runs.close(tenant, runId, { status: 'failed', error: { cause: 'a test', ...error }, nowMs });
      ids.push(runId);
    }
    return ids;
  }
  const newTenant = (): string => `redriver-${(tenants += 1)}`;
  const redrive = (tenant: string, body: object, role: 'operator' | 'viewer' = 'operator') =>
    ask(world, { tenant, role }, 'POST', '/v1/executions/redrive', { body });
  const attempts = async (tenant: string, ids: readonly string[]) => {
    const rows = await Promise.all(ids.map((id) => runRow(world, id, tenant)));
    return rows.map((row) => row?.['attempt']);
  };

  it('starts the failed runs that match again, of the own tenant only', async () => {
    const [tenant, neighbour] = [newTenant(), newTenant()];
    const down = { name: 'Unavailable', state: 'PublishAds' };
    const theirs = await failures(neighbour, down);
    const ids = await failures(
      tenant,
      down,
      { name: 'InvalidInput', state: 'PublishAds' },
      { name: 'Unavailable', state: 'IngestVideo' },
      { ...down, daysAgo: 15 },
    );
    const { status, body } = await redrive(tenant, { error: 'Unavailable', state: 'PublishAds' });
    const id = ids[0]!;
    expect([status, body]).toEqual([
      202,
      { redriven: [{ id, attempt: 2, executionArn: executionArn(`${id}-2`) }], left: [] },
    ]);
    expect(await attempts(tenant, ids)).toEqual([2, 1, 1, 1]);
    expect(await attempts(neighbour, theirs)).toEqual([1]);
    // Long ago only when asked for.
    const from = new Date(world.cloud.clock.now() - 16 * dayMs).toISOString();
    expect((await redrive(tenant, { state: 'PublishAds', error: 'Unavailable', from })).body).toMatchObject({
      redriven: [{ id: ids[3] }],
    });
    expect((await redrive(tenant, { stateMachine: 'another' })).body).toEqual({ redriven: [], left: [] });
    await world.cloud.settle();
  });

  it('says which could not be started, and why', async () => {
    const tenant = newTenant();
    const [undone = '', free = ''] = await failures(tenant, { name: 'Unavailable' }, { name: 'Unavailable' });
    const settlement = openSettlement(world.table('runs'), world.cloud.clock.now);
    await settlement.claim({ tenant, runId: undone, attempt: 1 }, 60_000);
    expect((await redrive(tenant, { error: 'Unavailable' })).body).toMatchObject({
      redriven: [{ id: free, attempt: 2 }],
      left: [{ id: undone, reason: expect.stringContaining('is being undone right now') as string }],
    });
    await world.cloud.settle();
  });

  it('goes on page by page', async () => {
    const tenant = newTenant();
    const names = Array.from({ length: 52 }, (_, at) => (at % 51 === 0 ? 'Unavailable' : 'InvalidInput'));
    const ids = await failures(tenant, ...names.map((name) => ({ name })));
    const found: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const { body } = await redrive(tenant, {
        error: 'Unavailable',
        ...(cursor === undefined ? {} : { cursor }),
      });
      const page = body as { redriven: { id: string }[]; cursor?: string };
      found.push(...page.redriven.map(({ id }) => id));
      cursor = page.cursor;
      pages += 1;
    } while (cursor !== undefined && pages < 5);
    expect(pages).toBe(2);
    expect(found).toHaveLength(2);
    expect(new Set(found)).toEqual(new Set([ids[0], ids[51]]));
    // They have failed no more.
    expect((await redrive(tenant, { error: 'Unavailable' })).body).toMatchObject({ redriven: [] });
    await world.cloud.settle();
  });

  it('is for operators who say what', async () => {
    const tenant = newTenant();
    expect((await redrive(tenant, { error: 'Unavailable' }, 'viewer')).status).toBe(403);
    const all = await redrive(tenant, {});
    expect([all.status, all.body['path']]).toEqual([400, 'error']);
    const foreign = await redrive(tenant, { error: 'Unavailable', cursor: 'e30' });
    expect([foreign.status, foreign.body['path']]).toEqual([400, 'cursor']);
  });
});

describe('POST /v1/executions/{id}/stop', () => {
  it('ends a running run and leaves the ad account as it was', async () => {
    const before = adAccount(world);
    const runId = freshRunId(world);
    const nowMs = world.cloud.clock.now();
    await openClaimlessRuns(world).open({
      tenant: 'demo',
      runId,
      stateMachine: 'creative-generation',
      request: requestOf('demo'),
      nowMs,
    });
    await campaignOf(world, runId);
    // Its first step waits for a retry, so the run is still under way.
    world.cloud.faults.add({
      function: 'ingest-video',
      invocation: 'error',
      errorType: 'Unavailable',
      event: runId,
    });
    await startDoomed(world, { runId });
    const stopped = await post(operator, `/v1/executions/${runId}/stop`);
    expect(stopped.status).toBe(202);
    await world.cloud.settle();
    const { body } = await get(viewer, `/v1/executions/${runId}`);
    expect(body).toMatchObject({
      status: 'stopped',
      error: { name: 'Stopped', cause: 'by operator@demo' },
    });
    expect(adAccount(world)).toBe(before);
    expect(
      await drain(world, 'creative-dead-letters').then((letters) =>
        letters.filter((letter) => JSON.stringify(letter).includes(runId)),
      ),
    ).toEqual([]);
    expect((await post(operator, `/v1/executions/${runId}/stop`)).status).toBe(409);
  });

  it('ends a run that still waits for its upload', async () => {
    const runId = freshRunId(world);
    const nowMs = world.cloud.clock.now();
    await openClaimlessRuns(world).open({
      tenant: 'demo',
      runId,
      stateMachine: 'creative-generation',
      status: 'awaiting-upload',
      request: requestOf('demo'),
      nowMs,
    });
    const { status, body } = await post(operator, `/v1/executions/${runId}/stop`);
    expect([status, body['status']]).toEqual([202, 'stopped']);
  });
});
