import { describe, expect, it } from 'vitest';
import { createMetaReader } from '../../../lambdas/ports/ads/meta-live.ts';
import { refusalOf, throttleOf } from '../../../lambdas/ports/ads/refusals.ts';
import {
  Conflict,
  InvalidInput,
  RateLimited,
  Refused,
  Unavailable,
} from '../../../lambdas/runtime/errors.ts';
import { failureOf } from '../../sandbox/world.ts';
import { ACCOUNT_ID, connectedTo, NOW_MS, scriptedGraph } from './scripted-graph.ts';

const HOUR_MS = 3_600_000;

/** The error that a call ends with when Graph answers so. */
async function errorOf(
  code: number,
  subcode?: number,
  more: { status?: number; error?: object; headers?: Record<string, string> } = {},
): Promise<Error & { vendorCode?: string; retryAt?: number }> {
  const error = {
    message: 'words',
    type: 'OAuthException',
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...more.error,
  };
  const reply = { status: more.status ?? 400, body: { error }, headers: more.headers ?? {} };
  const graph = scriptedGraph({ [`act_${ACCOUNT_ID}`]: [reply] });
  return failureOf(createMetaReader(connectedTo(graph)).account());
}

describe('what is refused for good', () => {
  it.each([
    [190, undefined, 'credential'],
    [190, 460, 'credential'],
    [190, 463, 'credential'],
    [190, 467, 'credential'],
    [102, undefined, 'credential'],
    [3, undefined, 'permission'],
    [10, undefined, 'permission'],
    [200, undefined, 'permission'],
    [200, 1_870_034, 'permission'],
    [294, undefined, 'permission'],
    [299, undefined, 'permission'],
    [368, undefined, 'policy'],
    [100, 33, 'other'],
    [2_635, undefined, 'other'],
    [300, undefined, 'other'],
  ] as const)('%s/%s is %s', async (code, subcode, expected) => {
    const error = await errorOf(code, subcode);
    expect(error.name).toBe('Refused');
    expect(refusalOf(error)).toBe(expected);
    expect(throttleOf(error)).toBeUndefined();
  });

  it('a wrong value is the platform’s or ours to find', async () => {
    expect(refusalOf(await errorOf(100))).toBe('value');
    expect(refusalOf(await errorOf(100, 1_885_272))).toBe('value');
    expect(refusalOf(new InvalidInput('An ad has no budget of its own.'))).toBe('value');
  });

  it.each([
    [401, 'credential'],
    [403, 'permission'],
    [404, 'other'],
  ])('status %s without a code is %s', async (status, expected) => {
    const graph = scriptedGraph({ [`act_${ACCOUNT_ID}`]: [{ status, body: {} }] });
    expect(refusalOf(await failureOf(createMetaReader(connectedTo(graph)).account()))).toBe(expected);
  });

  it('is told by name, across bundles', () => {
    const copy = Object.assign(new Error('no'), { name: 'Refused', vendorCode: '190/463' });
    expect(refusalOf(copy)).toBe('credential');
    expect(refusalOf(new Refused('Too many ad sets.'))).toBe('other');
  });

  it.each([
    new Unavailable('gone'),
    new RateLimited('slow', { vendorCode: '190' }),
    new Conflict('moved'),
    new TypeError('bug'),
    'text',
    undefined,
  ])('%s is no refusal', (error) => {
    expect(refusalOf(error)).toBeUndefined();
  });
});

describe('what is asked too often', () => {
  it.each([
    [613, 1_487_632, 'budget-edits'],
    [613, 1_487_742, 'account'],
    [613, 1_487_225, 'account'],
    [613, 5_044_001, 'account'],
    [613, 1_996, 'account'],
    [613, undefined, 'account'],
    [17, 2_446_079, 'account'],
    [80_000, undefined, 'account'],
    [80_004, 2_446_079, 'account'],
    [80_014, undefined, 'account'],
    [4, undefined, 'application'],
    [4, 1_504_022, 'application'],
    [4, 1_504_039, 'application'],
    [32, undefined, 'application'],
  ] as const)('%s/%s holds back: %s', async (code, subcode, expected) => {
    const error = await errorOf(code, subcode, { error: { is_transient: false } });
    expect(error.name).toBe('RateLimited');
    expect(throttleOf(error)).toBe(expected);
    expect(refusalOf(error)).toBeUndefined();
  });

  it('outages are neither', async () => {
    for (const subcode of [1_504_038, 1_504_043]) {
      const error = await errorOf(2, subcode);
      expect(error.name).toBe('Unavailable');
      expect([refusalOf(error), throttleOf(error)]).toEqual([undefined, undefined]);
    }
    expect((await errorOf(80_015)).name).toBe('Refused');
    expect((await errorOf(79_999)).name).toBe('Refused');
  });
});

describe('until when', () => {
  const usage = (minutes: number): Record<string, string> => ({
    'x-business-use-case-usage': JSON.stringify({
      [ACCOUNT_ID]: [
        { type: 'ads_insights', call_count: 1, estimated_time_to_regain_access: 0 },
        { type: 'ads_management', call_count: 100, estimated_time_to_regain_access: minutes },
      ],
    }),
  });

  it('an ad set’s budget is frozen for an hour, which no header says', async () => {
    expect((await errorOf(613, 1_487_632)).retryAt).toBe(NOW_MS + HOUR_MS);
    expect((await errorOf(613, 1_487_632, { headers: usage(5) })).retryAt).toBe(NOW_MS + HOUR_MS);
    expect((await errorOf(613, 1_487_632, { headers: usage(90) })).retryAt).toBe(NOW_MS + 1.5 * HOUR_MS);
  });

  it('writes per second are free after a second', async () => {
    expect((await errorOf(613, 5_044_001)).retryAt).toBe(NOW_MS + 1_000);
  });

  it('anything else ends when the headers say, which is in minutes, or nobody knows', async () => {
    expect((await errorOf(80_004, 2_446_079, { headers: usage(7) })).retryAt).toBe(NOW_MS + 7 * 60_000);
    expect((await errorOf(17, 2_446_079)).retryAt).toBeUndefined();
    expect((await errorOf(613, 1_487_742)).retryAt).toBeUndefined();
    expect((await errorOf(4, 1_504_022)).retryAt).toBeUndefined();
  });

  it('the usage of a refusal is kept', async () => {
    const reply = { status: 400, body: { error: { message: 'm', code: 17 } }, headers: usage(7) };
    const reader = createMetaReader(connectedTo(scriptedGraph({ [`act_${ACCOUNT_ID}`]: [reply] })));
    expect(reader.usage()).toBeNull();
    await failureOf(reader.account());
    expect(reader.usage()).toMatchObject({ highestPercent: 100, regainMs: 7 * 60_000 });
    expect(reader.usage()?.entries).toHaveLength(2);
  });
});
