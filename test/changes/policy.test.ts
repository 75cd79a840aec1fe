// Which rule says no first, and does each say it exactly where its line is?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeDigest, type Change, type Mode } from '../../lambdas/changes/change.ts';
import {
  judgePolicy,
  modeOf,
  movedMinor,
  velocityVerdict,
  type PolicyFacts,
} from '../../lambdas/changes/policy.ts';
import type { Verdict } from '../../lambdas/changes/verdict.ts';
import type { LiveObject } from '../../lambdas/ports/ads/live-ads.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import type * as z from 'zod';

const T = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
type Chosen = z.input<typeof Settings>['changes'];

const CHANGE: Change = {
  id: `chg-${'a'.repeat(26)}`,
  tenant: 'demo',
  accountId: '10101',
  entity: { kind: 'adset', id: '1' },
  kind: 'BUDGET_SET',
  from: 5_000,
  to: 5_500,
  currency: 'USD',
  reason: 'It pays.',
  evidence: {},
  expectedValueMinor: 0,
  origin: { area: 'rules', id: 'x', actor: 'rules', rule: 'r1' },
  expiresAt: T + 24 * HOUR,
  mode: 'live',
  after: [],
  behind: [],
  undoes: [],
  status: 'CLAIMED',
  notBefore: 0,
  createdAt: 0,
  updatedAt: 0,
  statusReason: '',
  statusCode: '',
  lease: 1,
  leasedUntil: T + HOUR,
  attempts: 0,
  deferrals: 0,
};
const LIVE: LiveObject = {
  kind: 'adset',
  id: '1',
  name: 'Commuters',
  accountId: '10101',
  campaignId: '9',
  adSetId: null,
  status: 'ACTIVE',
  delivery: 'active',
  dailyBudget: { amountMinor: 5_000, currency: 'USD' },
  hasLifetimeBudget: false,
  bid: null,
  learning: 'done',
};
const chosen = (changes: Chosen = {}) => Settings.parse({ changes }).changes;

interface Case {
  change?: Partial<Change>;
  live?: Partial<LiveObject>;
  facts?: Partial<PolicyFacts>;
  settings?: Chosen;
  found?: Verdict;
}
function judge({ change = {}, live = {}, facts = {}, settings = {}, found }: Case = {}): Verdict {
  const asked = { ...CHANGE, ...change };
  const seen = { ...LIVE, ...live };
  const amountMinor = seen.dailyBudget?.amountMinor ?? 5_000;
  const held = { entity: `${seen.kind}/${seen.id}`, campaignId: '9', amountMinor, active: true };
  return judgePolicy(
    asked,
    found ?? { decision: 'apply', before: asked.from, applied: asked.to },
    {
      live: seen,
      account: { currency: 'USD', minDailyBudgetMinor: 100 },
      switches: [],
      history: { readAt: T, held: [held], edits: [], statusEdits: [], own: [] },
      settings: chosen(settings),
      ...facts,
    },
    T,
  );
}
const said = (verdict: Verdict) =>
  'code' in verdict ? `${verdict.decision} ${verdict.code}` : verdict.decision;
const on = (scope: 'tenant' | 'account' | 'campaign' | 'rule', id = '') => ({
  scope: (scope === 'tenant' ? { kind: scope } : { kind: scope, id }) as never,
  actor: 'dana',
  comment: 'Halt.',
  since: 0,
});

describe('the order of the rules', () => {
  it('what ReadLive refused is passed on as it is', () => {
    const found: Verdict = { decision: 'block', code: 'moved', reason: 'It moved.' };
    expect(judge({ found, change: { expiresAt: 0 } })).toBe(found);
  });

  // Each entry breaks one more rule, the latest first: what was broken last must still win.
  const broken: [string, Case][] = [
    ['hold approval', { settings: { approval: { abovePercent: 1 } } }],
    ['block velocity', { change: { to: 6_001 }, settings: { approval: { abovePercent: 1 } } }],
    ['block above-maximum', { settings: { budgets: { USD: { minMinor: 1, maxMinor: 5_400 } } } }],
    ['defer learning', { live: { learning: 'learning' } }],
    ['defer kill-switch', { facts: { switches: [on('tenant')] } }],
    ['expire expired', { change: { expiresAt: T } }],
  ];
  it.each(broken.map(([code], index) => ({ code, index })))(
    '$code comes before those above it',
    ({ code, index }) => {
      const cases = broken.slice(0, index + 1).map(([, one]) => one);
      const together: Case = {
        change: Object.assign({}, ...cases.map(({ change }) => change)) as Partial<Change>,
        live: Object.assign({}, ...cases.map(({ live }) => live)) as Partial<LiveObject>,
        facts: Object.assign({}, ...cases.map(({ facts }) => facts)) as Partial<PolicyFacts>,
        settings: Object.assign({}, ...cases.map(({ settings }) => settings)) as Chosen,
      };
      expect(said(judge(together))).toBe(code);
    },
  );

  it('nothing speaks against what breaks none', () => {
    expect(judge()).toEqual({ decision: 'apply', before: 5_000, applied: 5_500 });
  });
});

describe('kill switches', () => {
  it.each([
    ['tenant', '', true],
    ['account', '10101', true],
    ['account', '10102', false],
    ['campaign', '9', true],
    ['campaign', '1', false],
    ['rule', 'r1', true],
    ['rule', 'r2', false],
  ] as const)('of %s %s', (scope, id, stops) => {
    expect(said(judge({ facts: { switches: [on(scope, id)] } }))).toBe(stops ? 'defer kill-switch' : 'apply');
  });

  it('stop a campaign itself by its own id, and nothing by a rule that the change does not have', () => {
    const live = { kind: 'campaign', id: '77', campaignId: null } as const;
    const change = {
      entity: { kind: 'campaign', id: '77' },
      kind: 'PAUSE',
      from: 'ACTIVE',
      to: 'PAUSED',
    } as const;
    expect(said(judge({ live, change, facts: { switches: [on('campaign', '77')] } }))).toBe(
      'defer kill-switch',
    );
    const origin = { area: 'budget', id: 'x', actor: 'budget' };
    expect(said(judge({ change: { origin }, facts: { switches: [on('rule', 'r1')] } }))).toBe('apply');
  });

  it('the widest is named', () => {
    const switches = [on('rule', 'r1'), on('campaign', '9'), on('account', '10101')];
    expect(judge({ facts: { switches } })).toMatchObject({ reason: 'dana stopped the account: Halt.' });
  });
});

describe('learning', () => {
  const digest = changeDigest(CHANGE);
  const approval = { actor: 'dana', comment: '', at: 0, digest };
  it.each([
    ['learning', 'defer', false, 'defer learning'],
    ['learning', 'defer', true, 'defer learning'],
    ['learning', 'hold', false, 'hold learning'],
    ['learning', 'hold', true, 'apply'],
    ['learning', 'proceed', false, 'apply'],
    ['limited', 'defer', false, 'apply'],
    ['done', 'hold', false, 'apply'],
  ] as const)('%s, %s, approved: %s → %s', (learning, whenLearning, approved, expected) => {
    const settings = { learning: { whenLearning } };
    const change = approved ? { approval } : {};
    expect(said(judge({ live: { learning }, settings, change }))).toBe(expected);
  });

  it.each([
    ['hold', false, 'hold learning-unknown'],
    ['hold', true, 'apply'],
    ['proceed', false, 'apply'],
  ] as const)('unknown, %s, approved: %s → %s', (whenUnknown, approved, expected) => {
    const change = approved ? { approval } : {};
    expect(
      said(judge({ live: { learning: 'unknown' }, settings: { learning: { whenUnknown } }, change })),
    ).toBe(expected);
  });

  it('is judged for budgets and bids of active ad sets, and for nothing else', () => {
    const settings = { learning: { whenLearning: 'hold' } } as const;
    const learning = 'learning' as const;
    const at = (change: Partial<Change>, live: Partial<LiveObject> = {}) =>
      said(judge({ change, live: { learning, ...live }, settings }));
    expect(at({ kind: 'BID_ADJUST', from: 300, to: 310 })).toBe('hold learning');
    expect(at({ kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' })).toBe('apply');
    expect(at({}, { delivery: 'paused' })).toBe('apply');
    expect(at({}, { delivery: 'in-review' })).toBe('apply');
    expect(
      at({ entity: { kind: 'campaign', id: '9' } }, { kind: 'campaign', id: '9', campaignId: null }),
    ).toBe('apply');
  });

  it('tells when it looks again', () => {
    expect(judge({ live: { learning: 'learning' } })).toMatchObject({ retryAt: T + 6 * HOUR });
  });
});

describe('bounds', () => {
  const bounded = { budgets: { USD: { minMinor: 4_900, maxMinor: 5_600 } } };
  it.each([
    [4_899, 'block below-minimum'],
    [4_900, 'apply'],
    [5_600, 'apply'],
    [5_601, 'block above-maximum'],
  ])('%s of 49.00–56.00: %s', (to, expected) => {
    expect(said(judge({ change: { to }, settings: bounded }))).toBe(expected);
  });

  it('are those of the currency, and the platform’s own is the least whatever was chosen', () => {
    const yen = { currency: 'JPY', from: 5_000, to: 4_800 };
    expect(said(judge({ change: yen, settings: bounded }))).toBe('apply');
    const facts = { account: { currency: 'USD', minDailyBudgetMinor: 4_950 } };
    expect(judge({ change: { to: 4_940 }, settings: bounded, facts })).toEqual({
      decision: 'block',
      code: 'below-minimum',
      reason: '$49.40 is less than the least daily budget here, $49.50.',
    });
  });

  it('say nothing about bids', () => {
    expect(said(judge({ change: { kind: 'BID_ADJUST', from: 20, to: 10 }, settings: bounded }))).toBe(
      'apply',
    );
  });
});

describe('fuzz', () => {
  const settings = { fuzzPercent: 3 };
  const applied = (verdict: Verdict) => (verdict.decision === 'apply' ? Number(verdict.applied) : NaN);
  const ids = Array.from({ length: 500 }, (_, index) => `chg-${String(index).padStart(26, '0')}`);

  it('keeps 50.00 within 48.50 and 51.50, equal on every retry, different for other changes', () => {
    const change = { from: 4_500, to: 5_000 };
    const live = { dailyBudget: { amountMinor: 4_500, currency: 'USD' } };
    const amounts = ids.map((id) => applied(judge({ change: { ...change, id }, live, settings })));
    expect(Math.min(...amounts)).toBeGreaterThanOrEqual(4_850);
    expect(Math.max(...amounts)).toBeLessThanOrEqual(5_150);
    expect(new Set(amounts).size).toBeGreaterThan(100);
    expect(ids.map((id) => applied(judge({ change: { ...change, id }, live, settings })))).toEqual(amounts);
  });

  it('comes before the checks: at the edge of the band nothing leaves it', () => {
    const amounts = ids.map((id) => applied(judge({ change: { id, to: 6_000 }, settings })));
    expect(amounts.every((amount) => amount <= 6_000)).toBe(true);
    expect(Math.min(...amounts)).toBeLessThan(6_000);
  });

  it('never makes a forbidden amount an allowed one, nor moves an allowed one out of its bounds', () => {
    const at = fc.integer({ min: 0, max: 499 });
    fc.assert(
      fc.property(at, fc.integer({ min: 1, max: 9_000 }), (index, to) => {
        const bounded = { budgets: { USD: { minMinor: 4_500, maxMinor: 5_800 } } };
        const verdict = judge({
          change: { id: ids[index] ?? '', to },
          settings: { ...bounded, ...settings },
        });
        const amount = applied(verdict);
        const isInside = to >= 4_500 && to <= 5_800 && to !== 5_000;
        expect(verdict.decision === 'apply' || !isInside).toBe(true);
        expect(verdict.decision !== 'apply' || (amount >= 4_500 && amount <= 5_800)).toBe(true);
      }),
    );
  });

  it('is judged as it was moved, also where the amount itself is outside', () => {
    const verdicts = ids.map((id) => judge({ change: { id, to: 6_050 }, settings }));
    const inside = verdicts.map(applied).filter((amount) => !Number.isNaN(amount));
    expect(inside.length).toBeGreaterThan(50);
    expect(Math.max(...inside)).toBeLessThanOrEqual(6_000);
    expect(verdicts.filter((verdict) => said(verdict) === 'block velocity').length).toBe(500 - inside.length);
  });

  it('never turns a rise into a fall, nor either into nothing', () => {
    const live = { dailyBudget: { amountMinor: 200, currency: 'USD' } };
    const at = (to: number) =>
      ids.map((id) => applied(judge({ change: { id, from: 200, to }, live, settings })));
    expect(Math.min(...at(203))).toBe(201);
    expect(Math.max(...at(197))).toBe(199);
  });

  it('leaves alone what an undo restores', () => {
    const origin = { area: 'undo', id: 'x', actor: 'dana' };
    const verdicts = ids.map((id) => applied(judge({ change: { id, origin }, settings })));
    expect(new Set(verdicts)).toEqual(new Set([5_500]));
  });

  it('moves neither bids nor statuses', () => {
    const change = { kind: 'BID_ADJUST', from: 3_000, to: 3_300 } as const;
    expect(ids.every((id) => applied(judge({ change: { ...change, id }, settings })) === 3_300)).toBe(true);
  });
});

describe('velocity', () => {
  it.each([
    [3_999, 'block velocity'],
    [4_000, 'apply'],
    [6_000, 'apply'],
    [6_001, 'block velocity'],
  ])('%s of 50.00: %s', (to, expected) => {
    expect(said(judge({ change: { to } }))).toBe(expected);
  });

  it('is refused for good when it would only fit after the change expired, and put off otherwise', () => {
    const change = { expiresAt: T + HOUR, entity: CHANGE.entity };
    expect(said(velocityVerdict(change, { reason: '', retryAt: T + HOUR }))).toBe('block velocity');
    expect(velocityVerdict(change, { reason: 'x', retryAt: T + HOUR - 1 })).toEqual({
      decision: 'defer',
      code: 'velocity',
      reason: 'x',
      retryAt: T + HOUR - 1,
    });
    expect(said(velocityVerdict(change, { reason: '', retryAt: null }))).toBe('block velocity');
  });

  it('cannot be judged without a history', () => {
    expect(() => judge({ facts: { history: undefined } })).toThrow(/nobody read its history/);
  });
});

describe('approval', () => {
  const settings = { approval: { aboveMinor: 400, abovePercent: 10 } };
  it.each([
    [5_400, 'apply'],
    [5_401, 'hold approval'],
    [4_600, 'apply'],
    [4_599, 'hold approval'],
  ])('beyond 4.00: %s → %s', (to, expected) => {
    expect(said(judge({ change: { to }, settings }))).toBe(expected);
  });

  it('beyond its share of what there was', () => {
    const share = { approval: { aboveMinor: 100_000, abovePercent: 10 } };
    expect(said(judge({ change: { to: 5_500 }, settings: share }))).toBe('apply');
    expect(judge({ change: { to: 5_501 }, settings: share })).toEqual({
      decision: 'hold',
      code: 'approval',
      reason: 'It moves $5.01, more than 10 %: a person approves that first.',
    });
  });

  it('counts what an activation sets free in a day', () => {
    const change = { kind: 'ACTIVATE', from: 'PAUSED', to: 'ACTIVE' } as const;
    const live = { status: 'PAUSED' } as const;
    expect(said(judge({ change, live, settings }))).toBe('hold approval');
    expect(said(judge({ change, live: { ...live, dailyBudget: null }, settings }))).toBe('apply');
    expect(
      said(judge({ change: { ...change, kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' }, settings })),
    ).toBe('apply');
  });

  it('holds for exactly what was approved', () => {
    const change = { ...CHANGE, to: 5_900 };
    const approval = { actor: 'dana', comment: '', at: 0, digest: changeDigest(change) };
    expect(said(judge({ change: { ...change, approval }, settings }))).toBe('apply');
    for (const other of [
      { to: 5_901 },
      { from: 5_001 },
      { evidence: { roas: 1 } },
      { reason: 'Another.' },
      { expiresAt: T + HOUR },
      { entity: { kind: 'adset', id: '2' } as const },
      { currency: 'EUR' },
      { mode: 'validate' as const },
    ]) {
      const live = { id: other.entity?.id ?? '1' };
      expect(
        said(judge({ change: { ...change, approval, ...other }, live, settings })),
        JSON.stringify(other),
      ).toBe('hold approval');
    }
  });
});

describe('what a change moves', () => {
  it.each([
    ['BUDGET_INCREASE', 5_000, 5_500, 500],
    ['BUDGET_DECREASE', 5_000, 4_000, 1_000],
    ['BUDGET_SET', 5_000, 5_100, 100],
    ['BID_ADJUST', 300, 900, 0],
    ['ACTIVATE', 'PAUSED', 'ACTIVE', 5_000],
    ['RESUME', 'PAUSED', 'ACTIVE', 5_000],
    ['PAUSE', 'ACTIVE', 'PAUSED', 0],
    ['ARCHIVE', 'PAUSED', 'ARCHIVED', 0],
  ] as const)('%s %s → %s: %s', (kind, before, after, expected) => {
    expect(movedMinor({ kind }, LIVE, before, after)).toBe(expected);
  });
});

it('the stricter mode holds', () => {
  const modes: readonly Mode[] = ['live', 'validate', 'shadow'];
  const table = modes.map((asked) => modes.map((tenant) => modeOf(asked, tenant)));
  expect(table).toEqual([
    ['live', 'validate', 'shadow'],
    ['validate', 'validate', 'shadow'],
    ['shadow', 'shadow', 'shadow'],
  ]);
});
