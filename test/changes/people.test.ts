// Are people's edits told from our own, whatever the clocks say?
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { byPeople, hasReached } from '../../lambdas/changes/people.ts';
import type { Activity } from '../../lambdas/ports/ads/live-ads.ts';

const ENTITY = { kind: 'adset', id: '1' } as const;
const T = 1_000_000_000;
const MARGIN = 120_000;
const line = (given: Partial<Activity> = {}): Activity => ({
  id: 'a1',
  at: T,
  actorId: '77',
  actorName: 'Dana Rivera',
  applicationId: '1',
  entity: ENTITY,
  what: 'budget',
  before: 5_000,
  after: 5_500,
  eventType: 'update_ad_set_budget',
  ...given,
});
type Ours = Pick<Change, 'kind' | 'result' | 'intent'>;
const applied = (
  at: number,
  value: number | 'PAUSED' = 5_500,
  kind: Change['kind'] = 'BUDGET_SET',
): Ours => ({
  kind,
  result: { before: 5_000, applied: value, executedAt: at },
});
const tried = (at: number): Ours => ({
  kind: 'BUDGET_SET',
  intent: { lease: 1, at, before: 5_000, applied: 5_500, tries: 1 },
});
const people = (activity: Activity, ...ours: Ours[]) => byPeople([activity], ENTITY, ours).length === 1;

describe('a line of the log', () => {
  it.each([
    ['of nobody we know of', line(), [], true],
    ['that one of our changes explains', line(), [applied(T)], false],
    ['just as late as clocks may differ', line({ at: T + MARGIN }), [applied(T)], false],
    ['later than that', line({ at: T + MARGIN + 1 }), [applied(T)], true],
    ['just as early', line({ at: T - MARGIN }), [applied(T)], false],
    ['earlier than that', line({ at: T - MARGIN - 1 }), [applied(T)], true],
    ['that a try of ours explains whose reply was lost', line(), [tried(T)], false],
    ['of another value', line({ after: 5_501 }), [applied(T)], true],
    ['of another slot', line({ what: 'bid' }), [applied(T)], true],
    [
      'of a status of ours',
      line({ what: 'status', after: 'PAUSED' }),
      [applied(T, 'PAUSED', 'PAUSE')],
      false,
    ],
    ['about another object', line({ entity: { kind: 'adset', id: '2' } }), [], false],
    ['about another kind with the same id', line({ entity: { kind: 'ad', id: '1' } }), [], false],
    ['of learning', line({ what: 'learning' }), [], false],
    ['of a review', line({ what: 'review' }), [], false],
    ['of its creation', line({ what: 'created' }), [], false],
    ['of something else', line({ what: 'other' }), [], false],
  ] as [string, Activity, Ours[], boolean][])('%s', (_, activity, ours, expected) => {
    expect(people(activity, ...ours)).toBe(expected);
  });

  it('keeps its order', () => {
    const lines = [line({ id: 'a', after: 1 }), line({ id: 'b', after: 2 }), line({ id: 'c', after: 3 })];
    expect(byPeople(lines, ENTITY, [applied(T, 2)]).map(({ id }) => id)).toEqual(['a', 'c']);
  });
});

describe('a try whose answer was lost', () => {
  const change = { entity: ENTITY, ...tried(T) } as const;
  it.each([
    [
      'reached the object when the log says so, whatever came after',
      [line(), line({ at: T + 9_000, after: 7_000 })],
      true,
    ],
    ['reached it although the log cuts off what is below a second', [line({ at: T - 999 })], true],
    ['is not in a line from before it', [line({ at: T - 2_000 })], false],
    ['is not in a line of another value', [line({ after: 5_400 })], false],
    ['is not in a line of another object', [line({ entity: { kind: 'adset', id: '2' } })], false],
    ['is not in an empty log', [], false],
  ])('%s', (_, lines, expected) => {
    expect(hasReached(lines, change)).toBe(expected);
    expect(hasReached(lines, { entity: ENTITY, kind: 'BUDGET_SET' })).toBe(false);
  });
});
