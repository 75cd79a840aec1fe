// Can people ask for ads, upload a video, decide on a plan and see what came out?
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSettings, Settings } from '../../lambdas/runtime/settings.ts';
import { openSettingsWriter } from '../../lambdas/runtime/settings-writer.ts';
import { readAudit, verifyAudit } from '../../lambdas/runtime/audit.ts';
import { executionName } from '../../lambdas/runtime/run-id.ts';
import type { World } from '../../lib/laptop/world.ts';
import { ask, type AskOptions } from '../support/api.ts';
import { BRIEF, creativeRun, renderedOf } from '../support/creative-run.ts';
import { MEDIA_BUCKET, sampleVideo, testWorld, type SampleFile } from '../support/world.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:impresario-dev-creative-generation';
let world: World;
let video: SampleFile;
beforeAll(async () => {
  [world, video] = await Promise.all([testWorld({ perception: false }), sampleVideo()]);
  await world.cloud.call('s3', 'PutObject', {
    Bucket: MEDIA_BUCKET,
    Key: `demo/sources/${video.sha256}`,
    Body: readFileSync(video.path),
  });
}, 120_000);
afterEach(() => world.cloud.faults.clear());
afterAll(() => world.close());

const post = (path: string, body: unknown, options: AskOptions = {}) =>
  ask(world, `POST ${path}`, { body, ...options });
const get = (path: string, options: AskOptions = {}) =>
  ask(world, `GET ${path}`, { role: 'viewer', ...options });
const row = (runId: unknown) => world.table('runs').get({ pk: `demo#run#${String(runId)}`, sk: 'run' });

async function executionsOf(runId: unknown): Promise<{ name: string; executionArn: string }[]> {
  const { executions } = (await world.cloud.call('states', 'ListExecutions', {
    stateMachineArn: MACHINE,
  })) as { executions: { name: string; executionArn: string }[] };
  return executions.filter(({ name }) => name.startsWith(String(runId)));
}

async function stop(runId: unknown): Promise<void> {
  const [execution] = await executionsOf(runId);
  await world.cloud.call('states', 'StopExecution', { executionArn: execution?.executionArn });
}

async function change(settings: Record<string, unknown>): Promise<void> {
  const table = world.table('settings');
  const { version, settings: before } = await openSettings(table).current('demo');
  await openSettingsWriter(table, world.table('audit').name).save({
    tenant: 'demo',
    expectedVersion: version,
    settings: Settings.parse({ ...before, ...settings }),
    actor: 'test',
    nowMs: world.cloud.clock.now(),
  });
}

describe('POST /v1/creatives with an upload', () => {
  const upload = (bytes: Buffer) => ({
    kind: 'upload',
    sizeBytes: bytes.length,
    contentType: 'video/mp4',
    sha256: createHash('sha256').update(bytes).digest('base64'),
  });
  const put = async (answer: Record<string, unknown>, bytes: Buffer): Promise<number> => {
    const { url, headers } = answer['upload'] as { url: string; headers: Record<string, string> };
    return (await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status;
  };

  it('answers an address for exactly these bytes, and their arrival starts one run although it is told twice', async () => {
    const bytes = readFileSync(video.path);
    const asked = await post('/v1/creatives', { source: upload(bytes), brief: BRIEF, purpose: 'analyze' });
    expect(asked.status).toBe(202);
    const { runId, status } = asked.body;
    expect(status).toBe('awaiting-upload');
    expect(await row(runId)).toMatchObject({ status: 'awaiting-upload', startedBy: 'pat' });
    expect(await executionsOf(runId)).toEqual([]);

    const damaged = Buffer.from(bytes);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    expect(await put(asked.body, damaged)).toBe(400);
    await world.cloud.settle();
    expect(await row(runId)).toMatchObject({ status: 'awaiting-upload' });

    const twice = world.cloud.faults.add({ deliverTwiceTo: 'start-upload', times: 1 });
    expect(await put(asked.body, bytes)).toBe(200);
    await world.cloud.until(async () => (await row(runId))?.['endedAt'] !== undefined);
    expect(twice.hits).toBe(1);
    expect(await row(runId)).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(await executionsOf(runId)).toMatchObject([{ name: executionName(String(runId), 1) }]);

    const seen = await get(`/v1/creatives/${String(runId)}`);
    expect(seen).toMatchObject({
      status: 200,
      body: {
        runId,
        status: 'succeeded',
        outcome: { scenes: video.truth.scenes.length, published: null, usedFallbackScores: false },
      },
    });
    expect(await get(`/v1/creatives/${String(runId)}`, { tenant: 'other' })).toMatchObject({ status: 404 });
  }, 60_000);

  it('is one run for one Idempotency-Key, also when the first request died before it was remembered', async () => {
    const body = { source: upload(Buffer.from('bytes')), brief: BRIEF };
    const options = { headers: { 'idempotency-key': 'once' } };
    const died = world.cloud.faults.add({
      function: 'creatives-api',
      invocation: 'kill',
      when: 'after',
      times: 1,
    });
    expect((await post('/v1/creatives', body, options)).status).toBeGreaterThanOrEqual(500);
    expect(died.hits).toBe(1);
    const again = await post('/v1/creatives', body, options);
    expect(again.status).toBe(202);
    const third = await post('/v1/creatives', body, options);
    expect(third.body).toEqual(again.body);
    const other = await post('/v1/creatives', { ...body, purpose: 'analyze' }, options);
    expect(other.status).toBe(422);
  });

  it('refuses what cannot become ads, naming the field', async () => {
    const source = { kind: 'drive', fileId: 'some-file' };
    const refusals = [
      [{ source, brief: BRIEF, adAccountId: '999999' }, 'adAccountId'],
      [{ source: { kind: 'url', url: 'http://example.com/a.mp4' }, brief: BRIEF }, 'source.url'],
      [{ source: { ...upload(Buffer.from('x')), sizeBytes: 3e9 }, brief: BRIEF }, 'source.sizeBytes'],
      [{ source, brief: { ...BRIEF, product: '' } }, 'brief.product'],
      [{ source, brief: BRIEF, sidecars: { labels: 'no json' } }, 'sidecars.labels'],
    ] as const;
    for (const [body, path] of refusals) {
      const answer = await post('/v1/creatives', body);
      expect(answer).toMatchObject({ status: 400, body: { path } });
    }
    expect(await post('/v1/creatives', refusals[0][0], { role: 'viewer' })).toMatchObject({ status: 403 });
  });

  it('answers 429 with the reason above the limits of the tenant', async () => {
    await change({ limits: { runsPerDay: 1, openRuns: 20 } });
    const answer = await post('/v1/creatives', { source: { kind: 'drive', fileId: 'file' }, brief: BRIEF });
    await change({ limits: {} });
    expect(answer).toMatchObject({
      status: 429,
      body: { detail: expect.stringContaining('limits.runsPerDay') as unknown },
    });
  });
});

describe('a review', () => {
  /** A run whose plan no judge finds good enough. */
  async function reviewed(): Promise<{ runId: string; ids: string[] }> {
    await change({ council: { threshold: 100 } });
    const { body } = await post('/v1/creatives', {
      source: { kind: 'known', sha256: video.sha256 },
      brief: BRIEF,
    });
    const runId = String(body['runId']);
    await world.cloud.until(async () => (await row(runId))?.['status'] === 'needs-review');
    const { body: review } = await get(`/v1/creatives/${runId}/review`);
    const { variations } = review['plan'] as { variations: { id: string }[] };
    return { runId, ids: variations.map(({ id }) => id) };
  }
  const answer = (runId: string, decisions: unknown, options: AskOptions = {}) =>
    post(
      `/v1/creatives/${runId}/review`,
      { decisions, comment: 'seen' },
      { role: 'approver', subject: 'ann', ...options },
    );

  it('shows what is to be decided without the token, and takes one answer, which the run and the audit log get', async () => {
    const { runId, ids } = await reviewed();
    const shown = await get(`/v1/creatives/${runId}/review`);
    expect(shown).toMatchObject({
      status: 200,
      body: { status: 'open', verdicts: expect.any(Array) as unknown },
    });
    expect(JSON.stringify(shown.body)).not.toMatch(/token/i);
    expect(shown.body['reasons']).not.toEqual([]);
    expect(await get(`/v1/creatives/${runId}/review`, { tenant: 'other' })).toMatchObject({ status: 404 });

    const decisions = ids.map((variationId, index) => ({
      variationId,
      approved: index < 3,
      comment: `no ${index}`,
    }));
    expect(await answer(runId, decisions, { role: 'operator' })).toMatchObject({ status: 403 });
    expect(await answer(runId, decisions, { tenant: 'other' })).toMatchObject({ status: 404 });
    const unknown = [{ variationId: 'v-000000000000', approved: true }];
    expect(await answer(runId, unknown)).toMatchObject({
      status: 400,
      body: { path: 'decisions.0.variationId' },
    });

    // Renders would only take time here.
    world.cloud.faults.add({ function: 'render', invocation: 'error', errorType: 'InvalidInput' });
    expect(await answer(runId, decisions)).toMatchObject({
      status: 200,
      body: {
        status: 'answered',
        decision: { approved: ids.slice(0, 3), rejected: ids.slice(3), actor: 'ann' },
      },
    });
    expect(await answer(runId, decisions)).toMatchObject({ status: 409 });
    const changed = [{ variationId: ids[0], approved: true }];
    expect(await answer(runId, changed)).toMatchObject({ status: 409 });

    const [execution] = await executionsOf(runId);
    const { events } = (await world.cloud.call('states', 'GetExecutionHistory', {
      executionArn: execution?.executionArn,
      maxResults: 1000,
    })) as { events: { type: string; taskSucceededEventDetails?: { output: string } }[] };
    const outputs = events.flatMap(({ taskSucceededEventDetails: details }) => details?.output ?? []);
    expect(outputs).toContain(JSON.stringify({ approved: ids.slice(0, 3) }));

    await world.cloud.settle();
    const log = await readAudit(world.table('audit'), 'demo');
    const record = log.records.find(({ action }) => action === 'review.answered');
    expect(record).toMatchObject({
      actor: 'ann',
      subject: `creatives/${runId}`,
      details: { comment: 'seen' },
    });
    expect(log.links.map((link) => link.hash)).toContain(record?.hash);
    expect(verifyAudit(log, world.cloud.clock.now()).problems).toEqual([]);
  }, 60_000);

  it('reaches the run on the second try when the first answer was stored but never told', async () => {
    const { runId, ids } = await reviewed();
    const lost = world.cloud.faults.add({
      service: 'states',
      operation: 'SendTaskSuccess',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    const decisions = ids.map((variationId) => ({ variationId, approved: false }));
    expect((await answer(runId, decisions)).status).toBe(503);
    lost.remove();
    expect(await answer(runId, [{ variationId: ids[0], approved: true }])).toMatchObject({ status: 409 });
    expect(await answer(runId, decisions)).toMatchObject({ status: 200 });
    await world.cloud.until(async () => (await row(runId))?.['status'] === 'rejected');
    expect(world.sandbox.meta.requests).toEqual([]);
  }, 60_000);

  it('is over after its time: 409, and nothing is told to the run', async () => {
    const { runId, ids } = await reviewed();
    await world.table('creatives').update({
      Key: { pk: 'demo#review', sk: runId },
      UpdateExpression: 'SET #until = :now',
      ExpressionAttributeNames: { '#until': 'until' },
      ExpressionAttributeValues: { ':now': world.cloud.clock.now() },
    });
    expect(await answer(runId, [{ variationId: ids[0], approved: true }])).toMatchObject({ status: 409 });
    expect(await get(`/v1/creatives/${runId}/review`)).toMatchObject({ body: { status: 'expired' } });
    expect(await row(runId)).toMatchObject({ status: 'needs-review' });
    await stop(runId);
    await world.cloud.settle();
    expect(await answer(runId, [{ variationId: ids[0], approved: true }])).toMatchObject({ status: 409 });
  }, 60_000);

  it('that nobody asked for is not found', async () => {
    const { body } = await post('/v1/creatives', {
      source: { kind: 'drive', fileId: 'no-such-file' },
      brief: BRIEF,
    });
    expect(
      await answer(String(body['runId']), [{ variationId: 'v-000000000000', approved: true }]),
    ).toMatchObject({
      status: 404,
    });
    await stop(body['runId']).catch(() => undefined);
  });
});

describe('GET /v1/creatives/{id}', () => {
  it('gives addresses under which the rendered files can be fetched, for a while', async () => {
    const { body } = await post('/v1/creatives', {
      source: { kind: 'drive', fileId: 'no-such-file' },
      brief: BRIEF,
    });
    const runId = String(body['runId']);
    await world.cloud.until(async () => (await row(runId))?.['endedAt'] !== undefined);
    const made = creativeRun('demo');
    const rendered = renderedOf('demo', made.plan);
    const reportKey = `demo/analysis/${video.sha256}/report-${runId}.json`;
    const objects: [string, string | Buffer][] = [
      [
        reportKey,
        JSON.stringify({
          ...made,
          rendered,
          predictions: { list: [] },
          verdicts: { list: [] },
          published: null,
          goLive: null,
        }),
      ],
      ...rendered.map(({ renditions, bytes }): [string, Buffer] => [renditions[0]?.key ?? '', bytes]),
    ];
    for (const [Key, Body] of objects)
      await world.cloud.call('s3', 'PutObject', { Bucket: MEDIA_BUCKET, Key, Body: Buffer.from(Body) });
    await world.table('runs').update({
      Key: { pk: `demo#run#${runId}`, sk: 'run' },
      UpdateExpression: 'SET #output = :output',
      ExpressionAttributeNames: { '#output': 'output' },
      ExpressionAttributeValues: { ':output': { reportKey } },
    });
    const seen = await get(`/v1/creatives/${runId}`);
    const { variations } = seen.body['outcome'] as {
      variations: { variationId: string; files: { url: string }[] }[];
    };
    expect(variations).toHaveLength(made.plan.variations.length);
    const url = variations[0]?.files[0]?.url ?? '';
    expect(await (await fetch(url)).text()).toBe(`the video of ${variations[0]?.variationId}`);
    await world.cloud.advance(16 * 60_000);
    expect((await fetch(url)).status).toBe(403);
  });
});
