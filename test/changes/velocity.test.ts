// Which amounts may a budget take after what happened to it and to the others?
import { describe, expect, it } from 'vitest';
import { judgeVelocity, velocityBand, type BudgetHistory } from '../../lambdas/changes/velocity.ts';

const HOUR = 3_600_000;
const T = Date.UTC(2026, 10, 20, 12);
const RULE = { percent: 20, windowMs: 6 * HOUR, marginMs: 60_000 };
const TARGET = { entity: 'adset/1', campaignId: '9' };

/** One ad set of 5,000 in an account of its own, unless told otherwise. */
function history(more: Partial<BudgetHistory> = {}): BudgetHistory {
  return {
    readAt: T,
    held: [{ entity: 'adset/1', campaignId: '9', amountMinor: 5_000, active: true }],
    edits: [],
    statusEdits: [],
    own: [],
    ...more,
  };
}
const held = (id: number, amountMinor: number, more: { campaignId?: string; active?: boolean } = {}) => ({
  entity: `adset/${id}`,
  campaignId: '9',
  amountMinor,
  active: true,
  ...more,
});
const edit = (at: number, beforeMinor: number, afterMinor: number, entity = 'adset/1') => ({
  entity,
  at,
  beforeMinor,
  afterMinor,
});
const own = (
  at: number,
  beforeMinor: number,
  afterMinor: number,
  outcome: 'open' | 'applied' | 'not-applied',
) => ({ ...edit(at, beforeMinor, afterMinor), campaignId: '9', outcome });
const band = (past: BudgetHistory, nowMs = T) => {
  const { minMinor, maxMinor } = velocityBand(TARGET, past, RULE, nowMs);
  return [minMinor, maxMinor];
};

describe('the band of one budget', () => {
  it.each([
    ['nothing ever moved', history(), [4_000, 6_000]],
    ['limits are rounded inwards', history({ held: [held(1, 999)] }), [800, 1_198]],
    ['the least budget has nowhere to go', history({ held: [held(1, 1)] }), [1, 1]],
    [
      'it was raised before',
      history({ held: [held(1, 6_000)], edits: [edit(T - HOUR, 5_000, 6_000)] }),
      [4_800, 6_000],
    ],
    [
      'it went up and came back',
      history({ edits: [edit(T - 2 * HOUR, 5_000, 5_900), edit(T - HOUR, 5_900, 5_000)] }),
      [4_720, 6_000],
    ],
    ['long ago does not count', history({ edits: [edit(T - 7 * HOUR, 2_000, 5_000)] }), [4_000, 6_000]],
    [
      'a person doubled it: no amount fits',
      history({ held: [held(1, 10_000)], edits: [edit(T - HOUR, 5_000, 10_000)] }),
      [8_000, 6_000],
    ],
    ['it had no budget before', history({ edits: [edit(T - HOUR, 0, 5_000)] }), [4_000, 6_000]],
    [
      'an open edit counts with both amounts',
      history({ own: [own(T - 1_000, 5_000, 5_500, 'open')] }),
      [4_400, 6_000],
    ],
    [
      'an edit that was not applied does not count',
      history({ own: [own(T - HOUR, 5_000, 5_500, 'not-applied')] }),
      [4_000, 6_000],
    ],
    [
      'an applied edit counts before the log shows it',
      history({ held: [held(1, 5_500)], own: [own(T - HOUR, 5_000, 5_500, 'applied')] }),
      [4_400, 6_000],
    ],
    [
      'and also when the budget was read before it',
      history({ readAt: T - 5_000, own: [own(T - 1_000, 5_000, 5_500, 'applied')] }),
      [4_400, 6_000],
    ],
    [
      'an edit that the log leaves out counts as seen',
      history({ held: [held(1, 5_500)], edits: [edit(T - HOUR, 4_800, 5_000)] }),
      [4_400, 5_760],
    ],
  ] as const)('%s', (_, past, expected) => {
    expect(band(past)).toEqual(expected);
  });

  it('frees an amount one window and one margin after it was left, to the millisecond', () => {
    const left = T - 2 * HOUR;
    const past = history({ held: [held(1, 6_000)], edits: [edit(left, 5_000, 6_000)] });
    const frees = left + RULE.windowMs + RULE.marginMs;
    expect(band(past, frees - 1)).toEqual([4_800, 6_000]);
    expect(band(past, frees)).toEqual([4_800, 7_200]);
    expect(judgeVelocity(TARGET, 6_001, past, RULE, T)).toEqual({
      allowed: false,
      reason: 'It would take its own budget more than 20 % above what it was within the last 6 h.',
      bound: { scope: 'entity', baselineMinor: 5_000, baselineAt: left + RULE.marginMs },
      retryAt: frees,
    });
    expect(judgeVelocity(TARGET, 6_000, past, RULE, T)).toEqual({ allowed: true });
  });

  it('counts our edit once although the log shows it too, a moment later', () => {
    const [reserved, logged] = [T - 6 * HOUR - 30_000, T - 6 * HOUR - 21_000];
    const past = history({
      edits: [edit(logged, 4_500, 5_000)],
      own: [own(reserved, 4_500, 5_000, 'applied')],
    });
    const frees = logged + RULE.windowMs + RULE.marginMs;
    expect(band(past, frees - 1)).toEqual([4_000, 5_400]);
    expect(band(past, frees)).toEqual([4_000, 6_000]);
  });

  it('believes the platform’s clock about an edit that the log shows', () => {
    const [reserved, logged] = [T - 6 * HOUR - 10_000, T - 6 * HOUR - 40_000];
    const past = history({
      edits: [edit(logged, 4_500, 5_000)],
      own: [own(reserved, 4_500, 5_000, 'applied')],
    });
    expect(band(past, logged + RULE.windowMs + RULE.marginMs)).toEqual([4_000, 6_000]);
  });

  it('where the log is silent about how a value became another, it may have lasted all the time between', () => {
    const past = history({ edits: [edit(T - 3 * HOUR, 5_000, 5_500), edit(T - HOUR, 4_000, 5_000)] });
    expect(band(past, T + 3.5 * HOUR)).toEqual([4_400, 4_800]);
  });

  it('says never when waiting does not help, and when an open edit is what stands in the way waits for it', () => {
    expect(judgeVelocity(TARGET, 9_000, history(), RULE, T)).toMatchObject({ allowed: false, retryAt: null });
    const open = history({ own: [own(T - 10_000, 5_000, 4_000, 'open')] });
    expect(judgeVelocity(TARGET, 5_500, open, RULE, T)).toMatchObject({
      allowed: false,
      retryAt: T - 10_000 + RULE.marginMs,
    });
  });

  it('a person’s jump leaves no amount, says so, and until when', () => {
    const past = history({ held: [held(1, 10_000)], edits: [edit(T - HOUR, 5_000, 10_000)] });
    expect(judgeVelocity(TARGET, 10_000, past, RULE, T)).toMatchObject({
      reason: 'No amount fits now: within the last 6 h its own budget moved by more than 20 % already.',
      retryAt: T + 5 * HOUR + RULE.marginMs,
    });
  });

  it('knows nothing of an entity that holds no budget', () => {
    expect(() => band(history({ held: [] }))).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
  });
});

describe('the sums of campaign and account', () => {
  const doubled = (more: { campaignId?: string; active?: boolean } = {}): BudgetHistory =>
    history({
      held: [held(1, 5_000), held(2, 4_000, more)],
      edits: [edit(T - HOUR, 2_000, 4_000, 'adset/2')],
    });

  it.each([
    // 5,000 + 2,000 may become 8,400 at most; 4,000 of it are spent by the other.
    ['a sibling that a person doubled takes room', doubled(), 'campaign', 4_400],
    ['so does one of another campaign', doubled({ campaignId: '8' }), 'account', 4_400],
    ['one that was not active all the time does not', doubled({ active: false }), 'entity', 6_000],
  ] as const)('%s', (_, past, scope, maxMinor) => {
    const { upper, maxMinor: found } = velocityBand(TARGET, past, RULE, T);
    expect({ scope: upper.scope, maxMinor: found }).toEqual({ scope, maxMinor });
  });

  it('what others did is no matter to a budget that was not active itself', () => {
    const past = { ...doubled(), held: [held(1, 5_000, { active: false }), held(2, 4_000)] };
    expect(band(past)).toEqual([4_000, 6_000]);
  });

  it('one that was switched off since counts with what it holds now, for the time before', () => {
    const past = {
      ...doubled({ active: false }),
      held: [held(1, 5_000), held(2, 4_000, { active: false }), held(3, 10)],
    };
    const off = { entity: 'adset/2', at: T - HOUR / 2, activeBefore: true, activeAfter: false };
    expect(velocityBand(TARGET, { ...past, statusEdits: [off] }, RULE, T)).toMatchObject({
      // (5,000 + 2,000 + 10) · 1.2 − 4,010
      maxMinor: 4_402,
      upper: { scope: 'campaign', baselineMinor: 7_010 },
    });
  });

  it('what the campaign’s own switch did counts for all below it', () => {
    const past = {
      ...doubled({ active: false }),
      held: [held(1, 5_000, { active: false }), held(2, 4_000, { active: false })],
    };
    const off = { entity: 'campaign/9', at: T - HOUR / 2, activeBefore: true, activeAfter: false };
    expect(band({ ...past, statusEdits: [off] })).toEqual([4_000, 4_400]);
  });

  it('an open edit of another counts with the worse of its amounts', () => {
    const past = doubled();
    const pending = { ...own(T - 1_000, 4_000, 4_200, 'open'), entity: 'adset/2' };
    expect(band({ ...past, own: [pending] })).toEqual([4_000, 4_200]);
  });

  // Ad set 1, which a person raised from 2,000 to 5,000 an hour ago, beside ad set 2 with 20,000, of which we ask.
  const jump = edit(T - HOUR, 2_000, 5_000);
  const beside = (more: Partial<BudgetHistory>, heldMinor = 5_000): BudgetHistory => ({
    ...history(more),
    held: [held(1, heldMinor), held(2, 20_000)],
    edits: [jump, ...(more.edits ?? [])],
  });

  it.each([
    ['nothing else happened', beside({}), 21_400],
    [
      'our edit came after the budgets were read',
      beside({ readAt: T - 60_000, own: [own(T - 30_000, 5_000, 4_500, 'applied')] }),
      21_900,
    ],
    [
      'our edit may have come after the budgets were read',
      beside({ readAt: T - 5_000, own: [own(T - 10_000, 5_000, 5_500, 'applied')] }),
      20_900,
    ],
    [
      'one line of the log stands for one of two equal edits of ours',
      beside({
        readAt: T - 200_000,
        edits: [edit(T - 240_000, 5_000, 5_500), edit(T - 220_000, 5_500, 5_000)],
        own: [own(T - 241_000, 5_000, 5_500, 'applied'), own(T - 30_000, 5_000, 5_500, 'applied')],
      }),
      20_900,
    ],
    [
      'an open edit can be seen in what is held',
      beside({ own: [own(T - 30_000, 5_000, 5_500, 'open')] }, 5_500),
      20_900,
    ],
    [
      'an open edit would restore what was held before our last one',
      beside({
        readAt: T - 100_000,
        own: [own(T - 60_000, 5_000, 5_500, 'applied'), own(T - 5_000, 5_500, 5_000, 'open')],
      }),
      20_900,
    ],
  ] as const)('beside another budget: %s', (_, past, maxMinor) => {
    expect(velocityBand({ entity: 'adset/2', campaignId: '9' }, past, RULE, T).maxMinor).toBe(maxMinor);
  });

  it('walks back over an open edit that can be seen in what is held', () => {
    const past = history({
      held: [held(1, 5_500), held(2, 20_000), held(3, 4_000)],
      edits: [edit(T - HOUR, 2_000, 4_000, 'adset/3')],
      own: [own(T - 30_000, 5_000, 5_500, 'open')],
    });
    // (20,000 + 5,000 + 2,000) · 1.2 − 5,500 − 4,000
    expect(velocityBand({ entity: 'adset/2', campaignId: '9' }, past, RULE, T).maxMinor).toBe(22_900);
  });

  it('one that is on although the log last saw it go off may have been on all the time', () => {
    const off = { entity: 'adset/2', at: T - 7 * HOUR, activeBefore: true, activeAfter: false };
    expect(band({ ...doubled(), statusEdits: [off] })).toEqual([4_000, 4_400]);
  });

  it('names the account when the campaign alone would fit', () => {
    const past = history({
      held: [held(1, 5_000), held(2, 9_000, { campaignId: '8' })],
      edits: [edit(T - HOUR, 5_000, 9_000, 'adset/2')],
    });
    expect(judgeVelocity(TARGET, 5_000, past, RULE, T)).toMatchObject({
      reason:
        "No amount fits now: within the last 6 h the account's budgets moved by more than 20 % already.",
      bound: { scope: 'account', baselineMinor: 10_000 },
      retryAt: T + 5 * HOUR + RULE.marginMs,
    });
  });
});
