// After an undo, is everything of ours as it was before, and everything of others as they left it?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeRequest, entityName, slotOf, type Change } from '../../lambdas/changes/change.ts';
import { conflictOf } from '../../lambdas/changes/conflicts.ts';
import type { LiveObject } from '../../lambdas/ports/ads/live-ads.ts';
import { applied, idOf, object, planOf, RULE, T, type Value } from './applied-change.ts';

/** One thing that happened to one object's budget, bid or status: by us or by a person. */
const Happening = fc.record({
  name: fc.constantFrom('adset/1', 'adset/2', 'campaign/3', 'ad/4'),
  status: fc.boolean(),
  by: fc.constantFrom('us', 'us', 'person'),
  // Never the same amount twice, so that a value tells who set it.
  factor: fc.integer({ min: 40, max: 250 }),
  origin: fc.constantFrom('a', 'b'),
});

describe('against an account that is really there', () => {
  it('everything of ours is back, everything of others stays, and no step is too large or too early', () => {
    const seen = { steps: 0, stairs: 0, moved: 0 };
    fc.assert(
      fc.property(
        fc.array(Happening, { minLength: 4, maxLength: 14 }),
        fc.constantFrom(5, 20, 33.333),
        (happenings, percent) => {
          const rule = { ...RULE, percent };
          const values = new Map<string, Value>();
          const history = new Map<string, { by: string; before: Value }[]>();
          const changes: Change[] = [];
          const key = (name: string, slot: string) => `${name}#${slot}`;
          happenings.forEach(({ name, status, by, factor, origin }, no) => {
            const slot = status || name.startsWith('ad/') ? 'status' : 'budget';
            const slotKey = key(name, slot);
            const before = values.get(slotKey) ?? (slot === 'status' ? 'ACTIVE' : 100_000);
            const flipped = before === 'ACTIVE' ? 'PAUSED' : 'ACTIVE';
            const after =
              typeof before === 'number' ? Math.round((before * factor) / 10_000) * 100 + no + 1 : flipped;
            if (typeof after === 'number' && (after < 30_000 || after > 300_000)) return;
            values.set(slotKey, after);
            history.set(slotKey, [...(history.get(slotKey) ?? []), { by, before }]);
            if (by === 'us')
              changes.push(
                applied(no, name, before, after, { origin: { area: 'rules', id: origin, actor: 'x' } }),
              );
          });
          const names = [...new Set(happenings.map(({ name }) => name))];
          const live = names.map((name) =>
            object(name, {
              budget: name.startsWith('ad/') ? null : Number(values.get(key(name, 'budget')) ?? 100_000),
              status: (values.get(key(name, 'status')) ?? 'ACTIVE') as LiveObject['status'],
            }),
          );
          const plan = planOf(changes, live, { velocity: rule });
          expect(planOf(changes.toReversed(), live, { velocity: rule })).toEqual(plan);

          const places = plan.steps.map(idOf);
          const lastAt = new Map<string, number>();
          const account = new Map(values);
          const wrong: string[] = [];
          plan.steps.forEach((step, index) => {
            const slotKey = key(entityName(step.entity), slotOf(step.kind));
            if (step.from !== account.get(slotKey)) wrong.push(`${slotKey} was not ${step.from}`);
            if (typeof step.from === 'number' && typeof step.to === 'number') {
              if (Math.abs(step.to - step.from) * 100 > step.from * percent + 1e-6)
                wrong.push(`${step.from} → ${step.to}`);
              const due = step.notBefore ?? 0;
              const earlier = lastAt.get(slotKey);
              if (earlier !== undefined && due - earlier !== rule.windowMs + rule.marginMs)
                wrong.push(`${slotKey} at ${due}`);
              seen.stairs += earlier === undefined ? 0 : 1;
              lastAt.set(slotKey, due);
            }
            for (const id of step.behind ?? [])
              if (!places.slice(0, index).includes(id))
                wrong.push(`${slotKey} waits for ${id}, which does not come before`);
            account.set(slotKey, step.to);
            seen.steps += 1;
          });
          expect(wrong).toEqual([]);

          for (const [slotKey, events] of history) {
            const start = values.get(slotKey);
            const mine = events.length - events.findLastIndex(({ by }) => by === 'person') - 1;
            const wanted = mine === 0 ? start : events[events.length - mine]?.before;
            // A status that a person turned and turned back tells nobody.
            if (slotKey.endsWith('#status') && events.some(({ by }) => by === 'person')) continue;
            expect([slotKey, account.get(slotKey)]).toEqual([slotKey, wanted]);
          }
          const named = [
            ...plan.undoes,
            ...plan.moved.flatMap((one) => one.changes),
            ...plan.needless.flatMap((one) => one.changes),
            ...plan.impossible.map(({ change }) => change),
          ];
          expect(named.toSorted()).toEqual(changes.map(({ id }) => id).toSorted());
          seen.moved += plan.moved.length;

          // Queued together, none of them gives way to another.
          const waiting = plan.steps.map((step): Change => ({
            ...applied(0, 'ad/0', 'ACTIVE', 'PAUSED'),
            ...ChangeRequest.parse(step),
            notBefore: T,
            id: idOf(step),
            status: 'PENDING',
            createdAt: T,
          }));
          for (const change of waiting) {
            const rivals = waiting.filter((other) => entityName(other.entity) === entityName(change.entity));
            expect(conflictOf(change, rivals)).toBeUndefined();
          }
        },
      ),
      { numRuns: 500 },
    );
    // Accounts in which nothing happens would prove nothing.
    expect(Math.min(seen.steps, seen.stairs, seen.moved)).toBeGreaterThan(80);
  });
});
