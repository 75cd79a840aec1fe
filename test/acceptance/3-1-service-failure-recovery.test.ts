// 3.1 Service failure recovery: does the API fall back while the model cannot be reached, and recover after?
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../lib/laptop/world.ts';
import { ask } from '../support/api.ts';
import { scenesOf } from '../support/creative-run.ts';
import { testWorld } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await testWorld({ perception: false });
}, 120_000);
afterAll(() => world.close());

it('3.1: 503 with a fallback while the model registry is down, 200 once it is back', async () => {
  const data = { features: { scenes: scenesOf('demo').slice(0, 2) } };
  const predict = () => ask(world, 'POST /api/ml/predict/ctr', { body: data });

  const killed = world.cloud.faults.add({
    service: 'dynamodb',
    operation: 'GetItem',
    resource: 'impresario-dev-models',
    when: 'before',
    effect: { kind: 'error', code: 'InternalServerError', status: 500 },
  });
  const down = await predict();
  expect(killed.hits).toBeGreaterThan(0);
  expect(down.status).toBe(503);
  expect(down.body).toHaveProperty('fallback');
  expect(down.headers.get('content-type')).toBe('application/problem+json');
  expect(down.body['fallback']).toMatchObject({
    modelVersion: 'fallback',
    predictions: [{ source: 'fallback' }, { source: 'fallback' }],
  });

  killed.remove();
  const up = await predict();
  expect(up.status).toBe(200);
  expect(up.body).toMatchObject({ predictions: [{ source: 'model' }, { source: 'model' }] });
  expect(up.body['modelVersion']).not.toBe('fallback');
});

it('3.1: a registry that stays away opens the circuit; it recovers a minute after it is back', async () => {
  const data = { features: { scenes: scenesOf('demo') } };
  const predict = () => ask(world, 'POST /api/ml/predict/ctr', { body: data });
  const killed = world.cloud.faults.add({
    service: 'dynamodb',
    operation: 'GetItem',
    resource: 'impresario-dev-models',
    when: 'before',
    effect: { kind: 'throttle' },
  });
  for (let call = 0; call < 6; call += 1) expect((await predict()).status).toBe(503);
  killed.remove();

  const open = await predict();
  expect(open.status).toBe(503);
  expect(open.body['detail']).toMatch(/ctr-model is failing for demo/);
  await world.cloud.advance(61_000);
  expect((await predict()).status).toBe(200);
});
