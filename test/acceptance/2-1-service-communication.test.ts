// 2.1 Service communication: do the gateway's calls to the model and to the video analysis answer?
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../lib/laptop/world.ts';
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
