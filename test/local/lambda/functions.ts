// Which little functions do the tests of the embedded cloud deploy?
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../../../lib/local/clock.ts';
import { createFaults } from '../../../lib/local/faults.ts';
import { createLambda } from '../../../lib/local/lambda/lambda.ts';
import type { EventSourceHooks } from '../../../lib/local/lambda/event-sources.ts';
import type { CloudService, Engine, EngineContext, Json } from '../../../lib/local/types.ts';

export const START = Date.UTC(2026, 0, 1);
export const ROLE = 'arn:aws:iam::000000000000:role/tester';

/** Writes `index.mjs` (and any further file) into a folder of its own. */
export function codeDir(source: string, files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'function-'));
  for (const [name, text] of Object.entries({ 'index.mjs': source, ...files })) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

/** A cloud of Lambda and whatever other engines a test brings; `calls` is what went through the one way. */
export function smallCloud(
  extra: (context: EngineContext) => { engines: Engine[]; sources?: EventSourceHooks } = () => ({
    engines: [],
  }),
) {
  const clock = createClock({ mode: 'virtual', startAt: START });
  const faults = createFaults();
  const calls: { service: string; operation: string; input: Json; principal: Json }[] = [];
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const engines: Partial<Record<CloudService, Engine>> = {};
  const call = async (
    context: Json,
    service: CloudService,
    operation: string,
    input: Json,
  ): Promise<Json> => {
    calls.push({ service, operation, input, principal: context.principal });
    const done = clock.work(`${service} ${operation}`);
    try {
      return await faults.around(context, service, operation, input, () => {
        const engine = engines[service];
        if (engine === undefined) return Promise.resolve({});
        return engine.call(operation, input, context);
      });
    } finally {
      done();
    }
  };
  const context = { clock, call, random, faults };
  const { engines: others, sources } = extra(context);
  const lambda = createLambda({ ...context, ...(sources === undefined ? {} : { sources }) });
  for (const engine of [lambda, ...others]) engines[engine.service] = engine;
  const deploy = (name: string, source: string, more: Json = {}) =>
    lambda.call(
      'CreateFunction',
      {
        FunctionName: name,
        Handler: 'index.handler',
        codeDir: codeDir(source),
        Role: ROLE,
        Timeout: 30,
        ...more,
      },
      { principal: { kind: 'administrator' } },
    );
  return { clock, faults, calls, call, context, lambda, engines, deploy };
}
