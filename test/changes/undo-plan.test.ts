// Does a plan take back exactly what it can, in the right order, and leave alone what is somebody else's?
import { describe, expect, it } from 'vitest';
import {
  ChangeRequest,
  entityName,
  slotOf,
  type Change,
  type ChangeKind,
} from '../../lambdas/changes/change.ts';
import { appliedOnly } from '../../lambdas/changes/undo-request.ts';
import {
  applied,
  brief,
  idOf,
  object,
  OWN_ACCOUNT,
  planOf,
  RULE,
  T,
  type Value,
  type Values,
} from './applied-change.ts';

describe('the plan', () => {
  it.each<[ChangeKind, Value, Value, ChangeKind]>([
    ['PAUSE', 'ACTIVE', 'PAUSED', 'RESUME'],
    ['RESUME', 'PAUSED', 'ACTIVE', 'PAUSE'],
    ['ACTIVATE', 'PAUSED', 'ACTIVE', 'PAUSE'],
    ['BUDGET_INCREASE', 5_000, 5_500, 'BUDGET_SET'],
    ['BUDGET_DECREASE', 5_500, 5_000, 'BUDGET_SET'],
    ['BUDGET_SET', 5_000, 5_500, 'BUDGET_SET'],
    ['BID_ADJUST', 100, 250, 'BID_ADJUST'],
  ])('takes %s from %s to %s back by %s', (kind, before, after, back) => {
    const done = applied(1, 'adset/1', before, after, { kind });
    const slot = slotOf(kind);
    const plan = planOf([done], [object('adset/1', { [slot]: after })]);
    expect(plan).toMatchObject({
      steps: [{ kind: back, from: after, to: before, notBefore: T, undoes: [done.id], currency: 'USD' }],
      undoes: [done.id],
      moved: [],
      impossible: [],
      needless: [],
    });
    expect(plan.steps[0]?.origin).toEqual({ area: 'undo', id: 'undo-1', actor: 'pat' });
    expect(plan.steps.map((step) => ChangeRequest.safeParse(step).success)).toEqual([true]);
  });

  it('goes back in a staircase, one window and margin apart, and is not done before the last step', () => {
    const done = applied(1, 'adset/1', 5_000, 10_000);
    const { steps } = planOf([done], [object('adset/1', { budget: 10_000 })]);
    expect(steps.map(({ from, to }) => [from, to])).toEqual([
      [10_000, 8_000],
      [8_000, 6_400],
      [6_400, 5_120],
      [5_120, 5_000],
    ]);
    const apart = RULE.windowMs + RULE.marginMs;
    expect(steps.map(({ notBefore }) => notBefore)).toEqual([T, T + apart, T + 2 * apart, T + 3 * apart]);
    expect(steps.map(({ behind = [] }) => behind.length)).toEqual([0, 1, 2, 3]);
    expect(steps[3]?.behind?.[0]).toBe(idOf(steps[2]));
    expect(steps.map(({ undoes }) => undoes)).toEqual([[], [], [], [done.id]]);
    expect(new Set(steps.map(idOf)).size).toBe(4);
  });

  it('goes back past several changes to what the first one found', () => {
    const all = [applied(2, 'adset/1', 5_500, 6_000), applied(1, 'adset/1', 5_000, 5_500)];
    const plan = planOf(all, [object('adset/1', { budget: 6_000 })]);
    expect(brief(plan)).toEqual([['adset/1', 'BUDGET_SET', 6_000, 5_000]]);
    expect(plan.undoes).toEqual([all[1]?.id, all[0]?.id]);
  });

  it.each<[string, Values | undefined, Value | null]>([
    ['a person set it since', { budget: 7_000 }, 7_000],
    ['it is gone', undefined, null],
    ['it has no budget of its own any more', {}, null],
  ])('leaves it alone when %s', (_, values, has) => {
    const done = applied(1, 'adset/1', 5_000, 5_500);
    const plan = planOf([done], values === undefined ? [] : [object('adset/1', values)]);
    expect(plan.moved).toEqual([
      {
        accountId: OWN_ACCOUNT,
        entity: { kind: 'adset', id: '1' },
        slot: 'budget',
        has,
        weLeft: 5_500,
        changes: [done.id],
      },
    ]);
    expect([plan.steps, plan.undoes]).toEqual([[], []]);
  });

  it('keeps what a person set between two of our changes', () => {
    const [one, two] = [applied(1, 'adset/1', 5_000, 5_500), applied(2, 'adset/1', 6_000, 6_500)];
    const plan = planOf([one, two], [object('adset/1', { budget: 6_500 })]);
    expect(brief(plan)).toEqual([['adset/1', 'BUDGET_SET', 6_500, 6_000]]);
    expect(plan.moved).toMatchObject([{ has: 6_500, weLeft: 5_500, changes: [one.id] }]);
    expect(plan.undoes).toEqual([two.id]);
  });

  it('has nothing to do where everything is as it was', () => {
    const all = [applied(1, 'ad/1', 'ACTIVE', 'PAUSED'), applied(2, 'ad/1', 'PAUSED', 'ACTIVE')];
    const plan = planOf(all, [object('ad/1', {})]);
    expect(plan.needless).toMatchObject([{ has: 'ACTIVE', changes: all.map(({ id }) => id) }]);
    const back = planOf([applied(1, 'adset/1', 5_000, 5_500)], [object('adset/1', { budget: 5_000 })]);
    expect([back.needless.length, back.moved, back.steps]).toEqual([1, [], []]);
  });

  it.each([
    ['ARCHIVE', applied(1, 'ad/1', 'ACTIVE', 'ARCHIVED'), { status: 'ARCHIVED' as const }],
    [
      'a budget of what is archived',
      applied(1, 'adset/1', 5_000, 5_500),
      { status: 'ARCHIVED' as const, budget: 5_500 },
    ],
  ])('cannot take back %s', (_, done, values) => {
    const plan = planOf([done], [object(entityName(done.entity), values)]);
    expect(plan.impossible).toEqual([
      { change: done.id, reason: `The ${entityName(done.entity)} is archived: nothing about it can change.` },
    ]);
    expect(plan.steps).toEqual([]);
  });

  it('cannot go up from an amount of which the percent is less than a unit', () => {
    const done = applied(1, 'adset/1', 400, 4);
    const plan = planOf([done], [object('adset/1', { budget: 4 })]);
    expect(plan.impossible).toEqual([
      { change: done.id, reason: 'Within 20 % no step leads from 4 to 400.' },
    ]);
    expect([plan.steps, plan.undoes]).toEqual([[], []]);
  });

  it('does not take back twice, but an undo within the time is part of it', () => {
    const [one, three] = [applied(1, 'adset/1', 5_000, 5_500), applied(3, 'adset/1', 5_000, 5_200)];
    const two = applied(2, 'adset/1', 5_500, 5_000, { undoes: [one.id] });
    const undone = { ...one, undoneBy: two.id };
    const live = [object('adset/1', { budget: 5_200 })];
    const without = planOf([undone, three], live);
    expect(brief(without)).toEqual([['adset/1', 'BUDGET_SET', 5_200, 5_000]]);
    expect(without.impossible).toEqual([
      { change: one.id, reason: `It was taken back already, by ${two.id}.` },
    ]);
    const whole = planOf([undone, two, three], live);
    expect(brief(whole)).toEqual([['adset/1', 'BUDGET_SET', 5_200, 5_000]]);
    expect(whole.undoes).toEqual([one.id, two.id, three.id]);
    // The undo alone is taken back to what it found.
    expect(brief(planOf([two], [object('adset/1', { budget: 5_000 })]))).toEqual([
      ['adset/1', 'BUDGET_SET', 5_000, 5_500],
    ]);
  });

  it('takes a launch back in the reverse order, children first', () => {
    const origin = { area: 'creative', id: 'run-1', actor: 'launch' };
    const names = ['campaign/9', 'adset/1', 'ad/1', 'ad/2'];
    const launch = names.map((name, index) =>
      applied(index, name, 'PAUSED', 'ACTIVE', { kind: 'ACTIVATE', origin }),
    );
    const other = applied(9, 'ad/3', 'PAUSED', 'ACTIVE');
    const plan = planOf(
      [...launch, other],
      [...names, 'ad/3'].map((name) => object(name, {})),
    );
    expect(plan.steps.map(({ entity }) => entityName(entity))).toEqual([
      'ad/3',
      'ad/2',
      'ad/1',
      'adset/1',
      'campaign/9',
    ]);
    const ids = plan.steps.map(idOf);
    expect(plan.steps.map(({ behind }) => behind)).toEqual([
      [],
      [],
      [ids[1]],
      [ids[2], ids[1]],
      [ids[3], ids[2], ids[1]],
    ]);
  });

  it('ignores what was never applied', () => {
    const never = [
      applied(1, 'ad/1', 'ACTIVE', 'PAUSED', { status: 'FAILED' }),
      applied(2, 'ad/1', 'ACTIVE', 'PAUSED', { mode: 'shadow' }),
    ];
    expect(planOf(never, [object('ad/1', { status: 'PAUSED' })])).toMatchObject({
      steps: [],
      moved: [],
      undoes: [],
    });
  });
});

describe('what there is to take back', () => {
  it.each<[Partial<Change>, RegExp]>([
    [{ status: 'PENDING' }, /is PENDING: cancel it instead/],
    [{ status: 'HELD' }, /is HELD: cancel it instead/],
    [{ status: 'EXECUTING' }, /being applied right now/],
    [{ status: 'BLOCKED', statusReason: 'It moved.' }, /is BLOCKED \(It moved\.\): nothing was applied/],
    [{ mode: 'validate' }, /only checked \(validate\)/],
  ])('is nothing of %j', (more, sentence) => {
    expect(() => appliedOnly({ ...applied(1, 'ad/1', 'ACTIVE', 'PAUSED'), ...more })).toThrow(
      expect.objectContaining({ name: 'Conflict', message: expect.stringMatching(sentence) }),
    );
  });
});
