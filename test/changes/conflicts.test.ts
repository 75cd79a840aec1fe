// Which of two changes of one object gives way, and does exactly one of them?
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHANGE_KINDS, slotOf, type Change } from '../../lambdas/changes/change.ts';
import { conflictOf } from '../../lambdas/changes/conflicts.ts';

type Contender = Pick<
  Change,
  'id' | 'kind' | 'status' | 'createdAt' | 'intent' | 'after' | 'behind' | 'notBefore'
>;
const one = (given: Partial<Contender> = {}): Contender => ({
  id: 'b',
  kind: 'BUDGET_INCREASE',
  status: 'PENDING',
  createdAt: 5,
  after: [],
  behind: [],
  notBefore: 0,
  ...given,
});
const winner = (change: Contender, ...others: Contender[]) => conflictOf(change, others)?.id;
const intent = { lease: 1, at: 0, before: 1, applied: 2, tries: 1 };

it.each([
  ['the newer budget', one({ createdAt: 6, id: 'a' }), 'a'],
  ['an older budget does not', one({ createdAt: 4, id: 'a' }), undefined],
  ['of the same moment, the later name', one({ id: 'c' }), 'c'],
  ['another kind of the same slot', one({ id: 'c', kind: 'BUDGET_SET' }), 'c'],
  ['another slot does not', one({ id: 'c', kind: 'BID_ADJUST' }), undefined],
  ['nor a status', one({ id: 'c', kind: 'PAUSE' }), undefined],
  ['a held one too', one({ id: 'c', status: 'HELD' }), 'c'],
  ['what is being applied does not', one({ id: 'c', status: 'CLAIMED' }), undefined],
  ['nor what is executing', one({ id: 'c', status: 'EXECUTING' }), undefined],
  ['nor what is over', one({ id: 'c', status: 'COMPLETED' }), undefined],
  ['itself does not', one({ createdAt: 9 }), undefined],
  ['what follows it on purpose does not', one({ id: 'c', behind: ['b'] }), undefined],
  ['nor what waits for it to be applied', one({ id: 'c', after: ['b'] }), undefined],
])('%s displaces it', (_, other, expected) => {
  expect(winner(one(), other)).toBe(expected);
});

it.each([
  ['PAUSE', 'RESUME', 'older', undefined],
  ['PAUSE', 'RESUME', 'newer', undefined],
  ['RESUME', 'PAUSE', 'older', 'other'],
  ['RESUME', 'PAUSE', 'newer', 'other'],
  ['ARCHIVE', 'ACTIVATE', 'newer', undefined],
  ['ACTIVATE', 'ARCHIVE', 'older', 'other'],
  ['PAUSE', 'ARCHIVE', 'newer', 'other'],
  ['PAUSE', 'ARCHIVE', 'older', undefined],
  ['ACTIVATE', 'RESUME', 'newer', 'other'],
] as const)(
  '%s against %s that is %s: stopping beats starting, else the newer wins',
  (kind, against, age, expected) => {
    const other = one({ id: 'other', kind: against, createdAt: age === 'older' ? 1 : 9 });
    expect(winner(one({ kind }), other)).toBe(expected);
  },
);

it('what may have reached the platform gives way to nobody', () => {
  expect(winner(one({ intent }), one({ id: 'c', createdAt: 9 }))).toBeUndefined();
});

it('what stands behind another on purpose is not displaced by it', () => {
  expect(winner(one({ behind: ['c'] }), one({ id: 'c', createdAt: 9 }))).toBeUndefined();
  expect(winner(one({ after: ['c'] }), one({ id: 'c', createdAt: 9 }))).toBeUndefined();
});

it('of any that wait for one value of one object, exactly one is left in the end, whoever is asked first', () => {
  const kinds = fc.constantFrom(...CHANGE_KINDS.filter((kind) => slotOf(kind) === 'status'));
  const waiting = fc
    .array(fc.record({ kind: kinds, createdAt: fc.integer({ min: 0, max: 3 }) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((all) => all.map((given, index) => one({ ...given, id: `c${index}` })));
  fc.assert(
    fc.property(waiting, fc.infiniteStream(fc.nat()), (all, order) => {
      let left = [...all];
      for (;;) {
        const losers = left.filter((change) => conflictOf(change, left) !== undefined);
        if (losers.length === 0) break;
        const gone = losers[order.next().value % losers.length];
        left = left.filter((change) => change !== gone);
      }
      expect(left).toHaveLength(1);
      const stops = all.filter(({ kind }) => kind === 'PAUSE' || kind === 'ARCHIVE');
      const best = (stops.length > 0 ? stops : all).toSorted(
        (a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1),
      )[0];
      expect(left[0]?.id).toBe(best?.id);
    }),
  );
});
