// 1.1 Complete creative generation flow: from an uploaded video to ads that run, and what happens when a part is down?
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import type { World } from '../../lib/laptop/world.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import type { FaultHandle } from '../../lib/local/faults.ts';
import type { Json } from '../../lib/local/types.ts';
import { startRig, type Rig } from '../faults/rig.ts';
import { troubles } from '../faults/verify.ts';
import { ask } from '../support/api.ts';
import { MEDIA_BUCKET, sampleVideo, testWorld } from '../support/world.ts';

const BRIEF = {
  product: 'Lumen Desk Lamp',
  offer: 'free shipping this week',
  audience: 'people who work late',
  pains: ['tired eyes after dark', 'a cluttered desk'],
  desires: ['calm light at night', 'a clear desk'],
  proofPoints: ['Rated 4.8 by 1,200 customers'],
  landingUrl: 'https://example.com/lamp',
  callToAction: 'buy_now',
  durationSeconds: 6,
  formats: ['1:1'],
};

describe('1.1: the whole flow with real media', () => {
  let world: World;
  beforeAll(async () => {
    world = await testWorld();
  }, 120_000);
  afterAll(() => world.close());

  it('upload, analysis, predictions, approval, rendering, publishing, queueing and going live', async () => {
    const video = await sampleVideo();
    world.sandbox.truth.addVideo(video.sha256, video.truth);
    const bytes = readFileSync(video.path);

    // 1. Upload test video.
    const source = {
      kind: 'upload',
      sizeBytes: bytes.length,
      contentType: 'video/mp4',
      sha256: createHash('sha256').update(bytes).digest('base64'),
    };
    const accepted = await ask(world, 'POST /v1/creatives', {
      headers: { 'idempotency-key': 'test-1-1' },
      body: { source, brief: BRIEF },
    });
    expect(accepted.status).toBe(202);
    const { runId, upload } = accepted.body as {
      runId: string;
      upload: { url: string; headers: Record<string, string> };
    };
    const put = await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: bytes });
    expect(put.status).toBe(200);

    // 2. Wait for the extraction of scenes, a minute at most.
    const uploadedAt = world.cloud.clock.now();
    const stepDone = async (state: string): Promise<boolean> => {
      const row = await world.table('runs').get({ pk: `demo#run#${runId}`, sk: `step#${state}#` });
      return row?.['status'] === 'succeeded';
    };
    await world.cloud.until(() => stepDone('ExtractFeatures'), { withinMs: 60_000 });
    expect(world.cloud.clock.now() - uploadedAt).toBeLessThanOrEqual(60_000);

    const view = async (): Promise<Json> => (await ask(world, `GET /v1/executions/${runId}`)).body;
    await world.cloud.until(async () => {
      const row = await world.table('runs').get({ pk: `demo#run#${runId}`, sk: 'run' });
      return row?.['openPk'] === undefined;
    });
    expect(await view()).toMatchObject({ status: 'succeeded', percent: 100 });

    const key = `demo/analysis/${video.sha256}/report-${runId}.json`;
    const { Body } = await world.cloud.call('s3', 'GetObject', { Bucket: MEDIA_BUCKET, Key: key });
    const report: Json = JSON.parse(Body.toString('utf8'));
    expect(report.features.list).toHaveLength(video.truth.scenes.length);

    // 3. Predictions of the click-through rate.
    const predictions = report.predictions.list;
    expect(predictions.length).toBeGreaterThan(0);
    for (const { probability, low, high, source: by } of predictions) {
      expect(probability).toBeGreaterThanOrEqual(low);
      expect(probability).toBeLessThanOrEqual(high);
      expect(by).toBe('model');
    }

    // 4. At least three variations approved by the Council.
    const approved = report.verdicts.list.filter((verdict: Json) => verdict.approved);
    expect(approved.length).toBeGreaterThanOrEqual(3);

    // 5. As many are rendered.
    expect(report.rendered.map(({ variationId }: Json) => variationId).toSorted()).toEqual(
      approved.map(({ variationId }: Json) => variationId).toSorted(),
    );
    for (const { renditions } of report.rendered) {
      const { ContentLength } = await world.cloud.call('s3', 'HeadObject', {
        Bucket: MEDIA_BUCKET,
        Key: renditions[0].key,
      });
      expect(ContentLength).toBe(renditions[0].sizeBytes);
    }

    // 6. One change waits for each ad.
    const changes = await openChanges(world.table('changes')).inStatus('demo', 'HELD');
    const ads = changes.filter(({ entity }) => entity.kind === 'ad');
    expect(ads).toHaveLength(approved.length);
    expect(new Set(ads.map(({ kind }) => kind))).toEqual(new Set(['ACTIVATE']));

    // Until a person approves the launch, with one call, everything stays paused.
    const { meta } = world.sandbox;
    expect(statusesOf(meta, DEFAULT_ACCOUNT.id)).toEqual(new Set(['PAUSED']));
    const [campaign] = changes.filter(({ entity }) => entity.kind === 'campaign');
    const approval = await ask(world, `POST /v1/changes/${campaign?.id}/approve`, {
      role: 'approver',
      body: { comment: 'Looks good.', scope: 'origin' },
    });
    expect(approval.status).toBe(200);
    expect(approval.body['left']).toEqual([]);

    // 7. The executor applies them all, within five minutes.
    const approvedAt = world.cloud.clock.now();
    await world.cloud.until(() => areDone(world, 'demo', changes), { withinMs: 300_000 });
    expect(world.cloud.clock.now() - approvedAt).toBeLessThanOrEqual(300_000);

    // 8. As many ads as variations, and everything is live: parents first, each once.
    const live = meta.objects(DEFAULT_ACCOUNT.id, 'ad');
    expect(live.map(({ id }) => id).toSorted()).toEqual(ads.map(({ entity }) => entity.id).toSorted());
    expect(statusesOf(meta, DEFAULT_ACCOUNT.id)).toEqual(new Set(['ACTIVE']));
    expect(activated(meta, DEFAULT_ACCOUNT.id)).toEqual(['campaign', 'adset', ...ads.map(() => 'ad')]);
    expect(world.sandbox.meta.violations).toEqual([]);
  }, 180_000);
});

/** Configured statuses of everything in the account that has one. */
function statusesOf(meta: World['sandbox']['meta'], accountId: string): Set<unknown> {
  const kinds = ['campaign', 'adset', 'ad'] as const;
  return new Set(
    kinds.flatMap((kind) => meta.objects(accountId, kind).map(({ fields }) => fields['status'])),
  );
}

/** What was activated, in this order. */
function activated(meta: World['sandbox']['meta'], accountId: string): string[] {
  return meta
    .effects(accountId)
    .filter(({ field, after }) => field === 'status' && after === 'ACTIVE')
    .map(({ kind }) => kind);
}

async function areDone(world: World, tenant: string, changes: readonly Change[]): Promise<boolean> {
  const queue = openChanges(world.table('changes'));
  const now = await Promise.all(changes.map(({ id }) => queue.get(tenant, id)));
  return now.every((change) => change?.status === 'COMPLETED');
}

describe('1.1: failure scenarios', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  }, 120_000);
  afterAll(() => rig.close());

  it('Drive Intel is down: three retries, then the dead-letter queue', async () => {
    const subject = await rig.subject();
    const down = rig.break(subject, {
      function: 'detect-scenes',
      invocation: 'error',
      errorType: 'Unavailable',
    });
    await rig.start(subject);
    const { status, error } = await rig.ended(subject);
    expect([status, error]).toEqual(['FAILED', 'Unavailable']);
    expect(down.hits).toBe(4);
    expect(await rig.take('creative-dead-letters')).toMatchObject([
      { kind: 'run', run: { id: subject.runId } },
    ]);
    expect(await troubles(rig, subject, 'nothing')).toEqual([]);
  });

  it('the model does not answer in time: fallback scores, labelled', async () => {
    const subject = await rig.subject();
    rig.break(subject, { function: 'predict-ctr', invocation: 'timeout' });
    await rig.start(subject);
    const { status, output } = await rig.ended(subject);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output)).toMatchObject({ outcome: 'published', usedFallbackScores: true });
    expect(await troubles(rig, subject, 'published')).toEqual([]);
  });

  it('the Council fails: the default strategy, and a person decides', async () => {
    const subject = await rig.subject();
    rig.break(subject, { function: 'review-quality', invocation: 'error', errorType: 'Unavailable' });
    await rig.start(subject);
    const { status } = await rig.ended(subject, 'approve');
    expect(status).toBe('SUCCEEDED');
    const review = await openCreatives(rig.world.table('creatives')).review(subject.tenant, subject.runId);
    expect(review?.reasons.join(' ')).toContain('The Council failed');
    expect(await troubles(rig, subject, 'published')).toEqual([]);
  });

  it('the executor crashes while it brings a launch to life: it starts by itself and activates everything, once', async () => {
    const subject = await rig.subject();
    const { tenant, account } = subject;
    const { cloud, sandbox } = rig.world;
    await rig.start(subject);
    await rig.ended(subject);
    const changes = await openChanges(rig.world.table('changes')).inStatus(tenant, 'HELD');
    // From the moment that the campaign is live, no step of any execution works for five minutes.
    const down: FaultHandle[] = [];
    const off = cloud.onTransition(({ type, stateName }) => {
      if (down.length > 0 || type !== 'exited' || stateName !== 'ApplyChange') return;
      for (const name of ['claim-change', 'read-live', 'apply-change', 'verify-change', 'record-change'])
        down.push(cloud.faults.add({ function: name, invocation: 'kill', when: 'before' }));
    });
    const [campaign] = changes.filter(({ entity }) => entity.kind === 'campaign');
    const { status } = await ask(rig.world, `POST /v1/changes/${campaign?.id}/approve`, {
      tenant,
      role: 'approver',
      body: { comment: 'Looks good.', scope: 'origin' },
    });
    expect(status).toBe(200);
    await cloud.advance(300_000);
    off();
    expect(down.reduce((sum, { hits }) => sum + hits, 0)).toBeGreaterThan(0);
    expect(activated(sandbox.meta, account.id)).toEqual(['campaign']);
    for (const fault of down) fault.remove();

    await cloud.until(() => areDone(rig.world, tenant, changes), { withinMs: 1_800_000 });
    const ads = changes.filter(({ entity }) => entity.kind === 'ad');
    expect(activated(sandbox.meta, account.id)).toEqual(['campaign', 'adset', ...ads.map(() => 'ad')]);
    expect(statusesOf(sandbox.meta, account.id)).toEqual(new Set(['ACTIVE']));
  });

  it('rendering one variation fails: retried, left out, and people are told', async () => {
    const subject = await rig.subject();
    const [lost = ''] = [...rig.known.objects.keys()].flatMap(
      (key) => /^renders\/(v-\w+)\//.exec(key)?.[1] ?? [],
    );
    const broken = rig.break(subject, {
      function: 'render-',
      service: 's3',
      operation: 'GetObject',
      resource: `renders/${lost}/`,
      when: 'before',
      effect: { kind: 'error', code: 'InternalError', status: 500 },
    });
    await rig.start(subject);
    const { status } = await rig.ended(subject);
    expect(status).toBe('SUCCEEDED');
    // In its group and alone, four times each, and each request once more by the SDK.
    expect(broken.hits).toBe(16);
    expect(await rig.take('creative-dead-letters')).toMatchObject([
      { kind: 'variation', variation: { id: lost } },
    ]);
    const told = rig.world.cloud.topics.published().map((message) => JSON.stringify(message));
    expect(
      told.filter((text) => text.includes('variation.render-failed') && text.includes(lost)),
    ).toHaveLength(1);
    expect(await troubles(rig, subject, 'published')).toEqual([]);
  });
});
