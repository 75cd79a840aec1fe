// Does no budget, and no sum of budgets, ever move faster than it may, and is nothing refused that would have been fine?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeVelocity, velocityBand } from '../../lambdas/changes/velocity.ts';
import { changed, cleanly, fitsTruth, messily, seenBy, WorldSteps, type World } from './budget-world.ts';

const HOUR = 3_600_000;
const RULE = { percent: 20, windowMs: 6 * HOUR, marginMs: 60_000 };

describe('against an account that is really there', () => {
  it('whatever people do, however late the log and the effects: what is allowed never breaks a window', () => {
    let applied = 0;
    fc.assert(
      fc.property(WorldSteps, fc.constantFrom(5, 20, 33.3), (steps, percent) => {
        const rule = { ...RULE, percent };
        const broken: string[] = [];
        messily(steps, (world, target, toMinor, effectAt) => {
          const judged = judgeVelocity(target, toMinor, seenBy(world), rule, world.now);
          if (!judged.allowed) return false;
          applied += 1;
          const after: World = changed(world, target.entity, toMinor, effectAt);
          broken.push(...fitsTruth(after, target, effectAt, rule.percent, rule.windowMs));
          return true;
        });
        expect(broken).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(applied).toBeGreaterThan(500);
  });

  it('where everything is known, what is refused would have broken one, and fits exactly when it says', () => {
    const counts = { refused: 0, allowed: 0, later: 0, never: 0 };
    fc.assert(
      fc.property(WorldSteps, (steps) => {
        const rule = { ...RULE, marginMs: 0 };
        cleanly(steps, (world, target, toMinor) => {
          const judged = judgeVelocity(target, toMinor, seenBy(world), rule, world.now);
          const truth = (at: number) =>
            fitsTruth(changed(world, target.entity, toMinor, at), target, at, rule.percent, rule.windowMs);
          expect(truth(world.now).length === 0, truth(world.now).join(' ')).toBe(judged.allowed);
          counts[judged.allowed ? 'allowed' : 'refused'] += 1;
          if (judged.allowed) return true;
          const { retryAt } = judged;
          counts[retryAt === null ? 'never' : 'later'] += 1;
          // Never: not even when everything was long ago.
          const at = retryAt ?? world.now + 100 * HOUR;
          const again = judgeVelocity(target, toMinor, seenBy(world), rule, at);
          expect([truth(at - 1).length > 0, truth(at).length > 0, again.allowed]).toEqual([
            true,
            retryAt === null,
            retryAt !== null,
          ]);
          return false;
        });
      }),
      { numRuns: 300 },
    );
    // A walk that never refuses, or never waits, would prove nothing.
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(100);
  });

  it('the band and the judgement agree', () => {
    fc.assert(
      fc.property(WorldSteps, (steps) => {
        messily(steps, (world, target, toMinor) => {
          const past = seenBy(world);
          const { minMinor, maxMinor } = velocityBand(target, past, RULE, world.now);
          const fits = (minor: number) => judgeVelocity(target, minor, past, RULE, world.now).allowed;
          expect(fits(toMinor)).toBe(toMinor >= minMinor && toMinor <= maxMinor);
          const edges = minMinor > maxMinor ? [] : [minMinor - 1, minMinor, maxMinor, maxMinor + 1];
          expect(edges.map(fits)).toEqual([false, true, true, false].slice(0, edges.length));
          return false;
        });
      }),
      { numRuns: 100 },
    );
  });
});
