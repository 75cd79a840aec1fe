// 2.1 Service communication: do the gateway's calls to the model and the video analysis answer, and does a change get into the queue?
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChanges } from '../../lambdas/changes/changes.ts';
import type { World } from '../../lib/laptop/world.ts';
import { seedRunningCampaign } from '../../lib/laptop/running-campaign.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { ask } from '../support/api.ts';
import { BRIEF, scenesOf } from '../support/creative-run.ts';
import { MEDIA_BUCKET, sampleVideo, testWorld } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await testWorld({ perception: false });
}, 120_000);
afterAll(() => world.close());

it('2.1: gateway to model, POST /api/ml/predict/ctr', async () => {
  const response = await ask(world, 'POST /api/ml/predict/ctr', {
    body: { features: { scenes: scenesOf('demo') } },
  });
  expect(response.status).toBe(200);
});

it('2.1: gateway to analysis, POST /api/titan/analyze-video', async () => {
  const video = await sampleVideo();
  await world.cloud.call('s3', 'PutObject', {
    Bucket: MEDIA_BUCKET,
    Key: `demo/sources/${video.sha256}`,
    Body: readFileSync(video.path),
  });
  const response = await ask(world, 'POST /api/titan/analyze-video', {
    body: { videoId: video.sha256, brief: BRIEF },
  });
  expect(response.status).toBe(200);
  const { scenes, ranking, plan, forecast, verdicts } = response.body as Record<string, unknown[]>;
  expect(scenes).toHaveLength(video.truth.scenes.length);
  expect(ranking).toHaveLength(video.truth.scenes.length);
  expect(plan).toMatchObject({ variations: expect.arrayContaining([expect.anything()]) as unknown });
  expect(forecast).toHaveLength(5);
  expect(verdicts).toHaveLength(5);
  expect(world.sandbox.meta.requests).toEqual([]);
}, 60_000);

it('2.1: an area to the executor, through the queue', async () => {
  const { adSetIds } = seedRunningCampaign(world.sandbox.meta);
  const [first = '', second = ''] = adSetIds;
  const changes = openChanges(world.table('changes'));
  const nowMs = world.cloud.clock.now();
  const { change, queued } = await changes.queue({
    tenant: 'demo',
    request: {
      accountId: DEFAULT_ACCOUNT.id,
      entity: { kind: 'adset', id: first },
      kind: 'BUDGET_INCREASE',
      from: 5_000,
      to: 5_500,
      currency: 'USD',
      reason: 'It earns three times what it spends.',
      origin: { area: 'budget', id: 'decision-1', actor: 'budget-optimization' },
      expiresAt: nowMs + 3_600_000,
    },
    status: 'PENDING',
    nowMs,
  });
  expect(queued).toBe(true);
  expect(change.id).toMatch(/^chg-[0-9a-z]{26}$/);

  const response = await ask(world, 'POST /v1/changes', {
    body: {
      entity: { kind: 'adset', id: second },
      kind: 'BUDGET_DECREASE',
      from: 5_000,
      to: 4_500,
      reason: 'Nobody clicks on it.',
    },
  });
  expect(response.status).toBe(202);
  expect(response.body['id']).toMatch(/^chg-[0-9a-z]{26}$/);

  // Who queued them need not wait; both are applied.
  await world.cloud.advance(120_000);
  for (const id of [change.id, String(response.body['id'])])
    expect((await ask(world, `GET /v1/changes/${id}`)).body).toMatchObject({ status: 'COMPLETED' });
  const budgets = world.sandbox.meta
    .objects(DEFAULT_ACCOUNT.id, 'adset')
    .map(({ id, fields }) => [id, fields['daily_budget']]);
  expect(Object.fromEntries(budgets)).toMatchObject({ [first]: '5500', [second]: '4500' });
});
