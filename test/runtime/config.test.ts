// Does a function that is deployed wrongly say which variable, and is progress written at most once a second?
import * as z from 'zod';
import { describe, expect, it } from 'vitest';
import { configNeed } from '../../lambdas/runtime/config.ts';
import { silentLog } from '../../lambdas/runtime/log.ts';
import { problemsOf } from '../../lambdas/runtime/parse.ts';
import { progressReporter } from '../../lambdas/runtime/progress.ts';

describe('configNeed', () => {
  const need = configNeed({
    metaBaseUrl: { env: 'META_BASE_URL', schema: z.url() },
    limit: { env: 'LIMIT', schema: z.coerce.number().int().default(5) },
  });
  const open = (env: Record<string, string>) => need.open(env, { clock: { now: () => 0 } });

  it('reads and types the variables that the stacks fill from the stage', () => {
    expect(need.env).toEqual({ META_BASE_URL: { config: 'metaBaseUrl' }, LIMIT: { config: 'limit' } });
    expect(open({ META_BASE_URL: 'https://graph.facebook.com', LIMIT: '7' })).toEqual({
      metaBaseUrl: 'https://graph.facebook.com',
      limit: 7,
    });
    expect(open({ META_BASE_URL: 'https://a.b', LIMIT: '' })).toMatchObject({ limit: 5 });
  });

  it('names every variable that is wrong', () => {
    expect(() => open({ LIMIT: 'many' })).toThrow(/META_BASE_URL is not set.*LIMIT is not valid/);
  });
});

describe('problemsOf', () => {
  it('says what is missing, what is unknown and where', () => {
    const schema = z.strictObject({
      brief: z.object({ offer: z.string(), count: z.number().max(10) }),
      list: z.array(z.number()),
    });
    const parsed = schema.safeParse(
      { brief: { count: 11 }, list: [1, 'x'], extra: true },
      { reportInput: true },
    );
    const problems = parsed.error === undefined ? [] : problemsOf(parsed.error);
    expect(Object.fromEntries(problems.map(({ path, message }) => [path, message]))).toMatchObject({
      'brief.offer': 'is missing',
      'list.1': expect.stringContaining('expected number'),
      extra: 'is not a known field',
    });
  });
});

describe('progressReporter', () => {
  it('writes at most once a second, within 0 and 100, and waits for the last write', async () => {
    let now = 0;
    const written: [number, number][] = [];
    const reporter = progressReporter({ now: () => now }, silentLog, async (percent) => {
      await Promise.resolve();
      written.push([now, percent]);
    });
    for (let i = 0; i <= 50; i += 1) {
      now = i * 100;
      reporter.report(i * 3 - 5);
      await reporter.settle();
    }
    expect(written).toEqual([
      [0, 0],
      [1_000, 25],
      [2_000, 55],
      [3_000, 85],
      [4_000, 100],
      [5_000, 100],
    ]);
  });

  it('does not pile writes up behind a slow one, and survives one that fails', async () => {
    let now = 0;
    let calls = 0;
    const warnings: string[] = [];
    let fail: (error: Error) => void = () => undefined;
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const reporter = progressReporter(
      { now: () => now },
      log,
      () => ((calls += 1), new Promise((_, reject) => (fail = reject))),
    );
    reporter.report(1);
    now = 60_000;
    reporter.report(2);
    expect(calls).toBe(1);
    fail(new Error('throttled'));
    await reporter.settle();
    expect(warnings).toEqual(['progress was not written']);
    reporter.report(3);
    expect(calls).toBe(2);
  });
});
