// In which order do waiting changes come, and does a change survive its table?
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { fromItem, moving, rankOf, timeText, toItem } from '../../lambdas/changes/change-item.ts';

type Ranked = Parameters<typeof rankOf>[0];
const one = (given: Partial<Ranked> & { area?: string } = {}): Ranked => ({
  origin: { area: given.area ?? 'budget', id: 'x', actor: 'y' },
  expectedValueMinor: 0,
  createdAt: 1_000,
  id: 'chg-a',
  ...given,
});
const before = (a: Ranked, b: Ranked) => rankOf(a) < rankOf(b);

it('what people ordered comes first, then what is worth most, then what waited longest', () => {
  const order = [
    one({ area: 'person', expectedValueMinor: -5 }),
    one({ area: 'undo', expectedValueMinor: -6 }),
    one({ expectedValueMinor: 1e15 }),
    one({ expectedValueMinor: 100 }),
    one({ expectedValueMinor: 99 }),
    one({ createdAt: 999 }),
    one({ id: 'chg-a' }),
    one({ id: 'chg-b' }),
    one({ expectedValueMinor: -1 }),
    one({ expectedValueMinor: -1e15 }),
  ];
  expect(order.map(rankOf).toSorted()).toEqual(order.map(rankOf));
});

it('orders text as it orders worth, for everything that a change may be worth', () => {
  const worth = fc.integer({ min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(worth, worth, (a, b) => {
      fc.pre(a !== b);
      expect(before(one({ expectedValueMinor: a }), one({ expectedValueMinor: b }))).toBe(a > b);
    }),
  );
});

it('orders times as text', () => {
  const time = fc.integer({ min: 0, max: 999_999_999_999_999 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(timeText(a) < timeText(b)).toBe(a < b);
    }),
  );
});

const CHANGE = {
  ...one(),
  tenant: 'demo',
  accountId: '10101',
  entity: { kind: 'ad', id: '1' },
  status: 'PENDING',
  notBefore: 1_000,
  expiresAt: 2_000_000,
  kind: 'PAUSE',
} as unknown as Change;

it('a change comes back from its table as it was put', () => {
  expect(fromItem(toItem(CHANGE))).toEqual(CHANGE);
  expect(toItem(CHANGE)['expiresAtSeconds']).toBe(2_000 + 365 * 86_400);
});

it('a leased move cannot be written without its lease', () => {
  expect(() => moving(CHANGE, { move: 'complete', nowMs: 0 })).toThrow(/needs the lease/);
  const { ConditionExpression, ExpressionAttributeValues } = moving(CHANGE, {
    move: 'complete',
    lease: 3,
    nowMs: 0,
  });
  expect(ConditionExpression).toContain('#leaseNow = :leaseNow');
  expect(ExpressionAttributeValues).toMatchObject({
    ':leaseNow': 3,
    ':from0': 'CLAIMED',
    ':from1': 'EXECUTING',
  });
});

it('what may have reached the platform is not withdrawn', () => {
  for (const move of ['cancel', 'supersede', 'expire', 'orphan', 'hold', 'reject'] as const)
    expect(moving(CHANGE, { move, nowMs: 0 }).ConditionExpression).toContain('attribute_not_exists(intent)');
});
