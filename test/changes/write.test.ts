// What does the platform's answer mean, and is what it has already never written again?
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { conclude } from '../../lambdas/changes/conclusion.ts';
import { isOver, MOVES } from '../../lambdas/changes/lifecycle.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import { doneVerdict, patchOf, readBack, refusalVerdict, unseenIf } from '../../lambdas/changes/write.ts';
import type { LiveObject } from '../../lambdas/ports/ads/live-ads.ts';
import { Conflict, InvalidInput, RateLimited, Refused, Unavailable } from '../../lambdas/runtime/errors.ts';

const money = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
const live = (given: Partial<LiveObject> = {}): LiveObject => ({
  kind: 'adset',
  id: '1',
  name: 'Commuters',
  accountId: '10101',
  campaignId: '9',
  adSetId: null,
  status: 'ACTIVE',
  delivery: 'active',
  dailyBudget: money(5_000),
  hasLifetimeBudget: false,
  bid: money(300),
  learning: 'done',
  ...given,
});

describe('what is asked', () => {
  it.each([
    ['BUDGET_INCREASE', 5_500, { dailyBudget: money(5_500) }],
    ['BUDGET_DECREASE', 4_500, { dailyBudget: money(4_500) }],
    ['BUDGET_SET', 4_500, { dailyBudget: money(4_500) }],
    ['BID_ADJUST', 310, { bid: money(310) }],
    ['PAUSE', 'PAUSED', { status: 'PAUSED' }],
    ['RESUME', 'ACTIVE', { status: 'ACTIVE' }],
    ['ACTIVATE', 'ACTIVE', { status: 'ACTIVE' }],
    ['ARCHIVE', 'ARCHIVED', { status: 'ARCHIVED' }],
  ] as const)('%s', (kind, value, patch) => {
    expect(patchOf({ kind, currency: 'USD' }, value)).toEqual(patch);
  });
});

describe('what is read back', () => {
  const budget = { kind: 'BUDGET_SET' } as const;
  it.each([
    [5_000, 'write'],
    [5_500, 'done'],
    [5_200, 'moved'],
  ])('%s: %s', (amountMinor, expected) => {
    expect(readBack(budget, live({ dailyBudget: money(amountMinor) }), 5_000, 5_500)).toBe(expected);
  });

  it('nothing at all: moved', () => {
    expect(readBack(budget, null, 5_000, 5_500)).toBe('moved');
    expect(readBack(budget, live({ dailyBudget: null }), 5_000, 5_500)).toBe('moved');
    expect(readBack({ kind: 'PAUSE' }, live({ status: 'DELETED' }), 'ACTIVE', 'PAUSED')).toBe('moved');
  });

  it('is the slot of the kind', () => {
    expect(readBack({ kind: 'BID_ADJUST' }, live(), 300, 330)).toBe('write');
    expect(readBack({ kind: 'PAUSE' }, live({ status: 'PAUSED' }), 'ACTIVE', 'PAUSED')).toBe('done');
  });

  it('ours when we had tried, somebody else’s when we had not', () => {
    const change = { entity: { kind: 'adset', id: '1' }, currency: 'USD' } as Change;
    const intent = { lease: 1, at: 77, before: 5_000, applied: 5_500, tries: 1 };
    expect(doneVerdict(change, 5_000, 5_500, intent)).toEqual({
      decision: 'applied',
      before: 5_000,
      applied: 5_500,
      executedAt: 77,
    });
    expect(doneVerdict(change, 5_000, 5_500, undefined)).toMatchObject({
      decision: 'needless',
      code: 'already',
    });
  });
});

describe('a refusal', () => {
  const NOW = 1_000_000;
  const code = (vendorCode: string) => ({ vendorCode });
  it.each([
    [
      'a throttle that names its end',
      new RateLimited('x', { ...code('17'), retryAt: 5 }),
      'defer throttled',
      false,
      5,
    ],
    ['one that does not', new RateLimited('x', code('17')), 'defer throttled', false, NOW + 300_000],
    ['a frozen budget', new RateLimited('x', code('613/1487632')), 'defer throttled', false, NOW + 300_000],
    ['a credential', new Refused('x', code('190/463')), 'defer account-stopped', true, NOW + 900_000],
    ['a permission', new Refused('x', code('200')), 'defer account-stopped', true, NOW + 900_000],
    ['a policy', new Refused('x', code('368')), 'block platform-policy', false, undefined],
    ['anything else', new Refused('x', code('100/33')), 'fail refused', false, undefined],
    ['a wrong value', new InvalidInput('x'), 'fail refused', false, undefined],
  ] as const)('%s', (_, error, expected, stopsAccount, retryAt) => {
    const found = refusalVerdict(error, NOW);
    const verdict = found?.verdict as Extract<Verdict, { code: string }>;
    expect(`${verdict.decision} ${verdict.code}`).toBe(expected);
    expect(found?.stopsAccount).toBe(stopsAccount);
    expect(verdict.decision === 'defer' ? verdict.retryAt : undefined).toBe(retryAt);
  });

  it.each([new Unavailable('x'), new Conflict('x'), new TypeError('x'), 'x'])(
    'an outage, a conflict or a bug is none: %s',
    (error) => {
      expect(refusalVerdict(error, NOW)).toBeUndefined();
    },
  );
});

const because = { code: 'because', reason: 'So it is.' };
const VERDICTS: Verdict[] = [
  { decision: 'applied', before: 1, applied: 2, executedAt: 3 },
  { decision: 'checked', before: 1, applied: 2, ...because },
  { decision: 'needless', before: 1, ...because },
  { decision: 'defer', retryAt: 9, ...because },
  { decision: 'defer', retryAt: 9, unseen: true, ...because },
  { decision: 'hold', ...because },
  { decision: 'block', ...because },
  { decision: 'fail', ...because },
  { decision: 'expire', ...because },
];

describe('what a verdict writes', () => {
  it('only what was applied has a result and keeps its room for good', () => {
    for (const verdict of VERDICTS) {
      const { result, reservation, outcome } = conclude(verdict, 'live');
      const applied = verdict.decision === 'applied';
      expect([result !== undefined, reservation === 'applied', outcome === 'applied']).toEqual(
        Array.from({ length: 3 }, () => applied),
      );
    }
  });

  it('everything but what is put off or asked about is over', () => {
    for (const verdict of VERDICTS) {
      const { move } = conclude(verdict, 'live');
      const open = verdict.decision === 'defer' || verdict.decision === 'hold';
      expect(isOver(MOVES[move].to), verdict.decision).toBe(!open);
    }
  });

  it('what nobody could look at keeps its intent and its room', () => {
    const seen = VERDICTS.map((verdict) => conclude(verdict, 'live'));
    expect(seen.map(({ keepIntent }) => keepIntent === true)).toEqual(
      VERDICTS.map((verdict) => 'unseen' in verdict),
    );
    expect(seen.filter(({ reservation }) => reservation === 'unknown')).toHaveLength(1);
  });

  it('while nobody could look, a refusal puts off and ends nothing', () => {
    const refusals = VERDICTS.filter(({ decision }) => ['defer', 'block', 'fail'].includes(decision));
    expect(refusals.length).toBeGreaterThan(2);
    for (const verdict of refusals) {
      expect(unseenIf(false, verdict, 1_000)).toEqual(verdict);
      const { code, reason } = verdict as { code: string; reason: string };
      expect(unseenIf(true, verdict, 1_000)).toMatchObject({ decision: 'defer', code, reason, unseen: true });
    }
  });
});
