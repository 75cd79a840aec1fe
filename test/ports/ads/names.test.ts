import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agree, GOALS_BY_OBJECTIVE } from '../../../lambdas/ports/ads/aims.ts';
import { fromMeta, toMeta } from '../../../lambdas/ports/ads/meta-money.ts';
import { parseUsage } from '../../../lambdas/ports/ads/meta-usage.ts';
import { adObjectName, ownedMark, subjectOf } from '../../../lambdas/ports/ads/names.ts';

const part = fc.stringMatching(/^[A-Za-z0-9._-]{1,60}$/);
const key = fc.record({ runId: part, effect: part, subject: part });

describe('names', () => {
  it('are the same for the same key, bounded, and carry the mark of exactly their run', () => {
    fc.assert(
      fc.property(key, part, fc.string({ maxLength: 400 }), (id, otherRun, label) => {
        const name = adObjectName(id, label);
        expect(name).toBe(adObjectName({ ...id }, label));
        expect(name.length).toBeLessThanOrEqual(200);
        expect(name).toContain(ownedMark(id.runId));
        expect(name.includes(ownedMark(otherRun))).toBe(otherRun === id.runId);
      }),
    );
  });

  it('differ whenever the keys differ, whatever the label says', () => {
    fc.assert(
      fc.property(key, key, fc.string(), fc.string(), (one, two, label, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(two));
        expect(adObjectName(one, label)).not.toBe(adObjectName(two, other));
      }),
    );
  });

  it('refuse parts that could be mistaken for separators', () => {
    expect(() => adObjectName({ runId: 'a/b', effect: 'ad', subject: 'x' }, '')).toThrow(/cannot be part/);
    expect(() => adObjectName({ runId: 'a', effect: '', subject: 'x' }, '')).toThrow(/cannot be part/);
    expect(subjectOf('a')).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('aims', () => {
  it('agree only as the table says', () => {
    expect(agree('sales', 'conversions')).toBe(true);
    expect(agree('sales', 'reach')).toBe(false);
    expect(agree('awareness', 'reach')).toBe(true);
    expect(agree('constructor', 'reach')).toBe(false);
    expect(Object.values(GOALS_BY_OBJECTIVE).every((goals) => goals.length > 0)).toBe(true);
  });
});

describe('money for Meta', () => {
  it.each([
    ['USD', 5_000, 5_000],
    ['JPY', 5_000, 5_000],
    ['HUF', 500_000, 5_000],
    ['TWD', 30_000, 300],
    ['KWD', 10_000, 1_000],
  ])('%s %d minor units are %d of the vendor', (currency, amountMinor, expected) => {
    expect(toMeta({ amountMinor, currency })).toBe(expected);
    expect(fromMeta(expected, currency)).toEqual({ amountMinor, currency });
  });

  it.each([
    ['HUF', 12_345],
    ['USD', 0],
    ['USD', -5],
    ['USD', 10.5],
    ['XXZ', 100],
  ])('refuses %s %d', (currency, amountMinor) => {
    expect(() => toMeta({ amountMinor, currency })).toThrow(
      expect.objectContaining({ name: 'InvalidInput' }),
    );
  });
});

describe('usage headers', () => {
  it('are read over all entries; minutes to regain are a time, not a percentage', () => {
    const usage = parseUsage(
      new Headers({
        'x-app-usage': '{"call_count":3,"total_cputime":1,"total_time":28}',
        'x-business-use-case-usage': JSON.stringify({
          '1': [
            {
              type: 'ads_insights',
              call_count: 10,
              total_cputime: 5,
              total_time: 5,
              estimated_time_to_regain_access: 0,
            },
            {
              type: 'ads_management',
              call_count: 20,
              total_cputime: 91,
              total_time: 5,
              estimated_time_to_regain_access: 120,
            },
          ],
          '2': [{ type: 'pages', call_count: 1, total_cputime: 1, total_time: 1 }],
        }),
        'x-ad-account-usage': '{"acc_id_util_pct":40,"reset_time_duration":300}',
        'x-fb-ads-insights-throttle': '{"app_id_util_pct":2,"acc_id_util_pct":33}',
      }),
    );
    expect(usage.entries.map(({ quota, percent }) => [quota, percent])).toEqual([
      ['app', 28],
      ['ads_insights 1', 10],
      ['ads_management 1', 91],
      ['pages 2', 1],
      ['account', 40],
      ['insights', 33],
    ]);
    expect(usage).toMatchObject({ highestPercent: 91, regainMs: 7_200_000 });
  });

  it('that cannot be read are left out', () => {
    const usage = parseUsage(new Headers({ 'x-app-usage': 'busy', 'x-business-use-case-usage': '[]' }));
    expect(usage).toEqual({ entries: [], highestPercent: 0, regainMs: 0 });
  });
});
