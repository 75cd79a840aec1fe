// Does the description that is served say what is deployed?
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discover } from '../../lib/aws/discover.ts';
import type { World } from '../../lib/laptop/world.ts';
import { testWorld } from '../support/world.ts';
import { ask, type Answer } from './operations.ts';

let world: World;
let served: Answer;
beforeAll(async () => {
  world = await testWorld();
  served = await ask(world, null, 'GET', '/openapi.json');
});
afterAll(() => world.close());

interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, { security: unknown[]; 'x-roles'?: string[]; responses: object }>>;
}

describe('GET /openapi.json', () => {
  it('is served to anybody, with every route there is and no other', async () => {
    expect(served.status).toBe(200);
    const { openapi, info, paths } = served.body as unknown as Document;
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect([openapi, info.title, info.version]).toEqual(['3.1.0', 'Impresario', version]);
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const { routes } = await discover();
    const deployed = routes.flatMap(({ spec }) => spec.routes.map(({ method, path }) => `${method} ${path}`));
    expect(new Set(described)).toEqual(new Set(deployed));
    expect(described).toContain('POST /v1/executions/{id}/redrive');
  });

  it('says who may call what', () => {
    const { paths } = served.body as unknown as Document;
    expect(paths['/health']?.['get']?.security).toEqual([]);
    expect(paths['/v1/settings']?.['put']).toMatchObject({ security: [{ token: [] }], 'x-roles': ['admin'] });
  });

  it('comes from a function without any right', () => {
    const pairs = world.cloud.grantedPairs().filter(({ roleArn }) => roleArn.includes('OpenApiRole'));
    const actions = new Set(pairs.map(({ action }) => action));
    const own = [
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
    ];
    expect(actions).toEqual(new Set(own));
  });
});
