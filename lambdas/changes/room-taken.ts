// How much of a sum's room do its other budgets take at worst?
import type { Course } from './budget-course.ts';

/** One minor unit in the parts that percents to a thousandth need. */
export const SCALE = 100_000n;

interface Side {
  /** In parts of a minor unit; below zero: what is left to others. */
  excess: bigint;
  /** The baseline in that case. */
  pastMinor: number;
}

/** Of the way up from the baseline, and of the way down. */
export interface Taken {
  above: Side;
  below: Side;
}

const NONE: Side = { excess: 0n, pastMinor: 0 };
export const NOTHING: Taken = { above: NONE, below: NONE };

/**
 * At each of these ascending moments, which hold every later turn of these courses. `factor`: the percent in parts. Most budgets
 * turn at no moment or at few: only those that turn are looked at again.
 */
export function takenAt(courses: readonly Course[], factor: bigint, moments: readonly number[]): Taken[] {
  const turning = new Map<number, Course[]>();
  for (const course of courses) {
    for (const at of new Set(course.turnedAt)) {
      const there = turning.get(at);
      if (there === undefined) turning.set(at, [course]);
      else there.push(course);
    }
  }
  const each = new Map<Course, Taken>();
  let sum = NOTHING;
  return moments.map((moment, i) => {
    for (const course of i === 0 ? courses : (turning.get(moment) ?? [])) {
      const now = {
        above: worst(course, 'above', factor, moment),
        below: worst(course, 'below', factor, moment),
      };
      const before = each.get(course) ?? NOTHING;
      each.set(course, now);
      sum = {
        above: replaced(sum.above, before.above, now.above),
        below: replaced(sum.below, before.below, now.below),
      };
    }
    return sum;
  });
}

/** Both amounts of every open edit that may have been applied by then. */
export function openAt({ open }: Course, moment: number): number[] {
  return open
    .filter((edit) => edit.at <= moment)
    .flatMap(({ beforeMinor, afterMinor }) => [beforeMinor, afterMinor]);
}

function worst(course: Course, side: 'above' | 'below', factor: bigint, moment: number): Side {
  const active = course.activeAt(moment);
  if (active === 'no') return NONE;
  const sides = pairsAt(course, moment).map(([now, past]): Side => {
    const [nowParts, pastMinor] = [SCALE * BigInt(now), BigInt(past)];
    const above = nowParts - (SCALE + factor) * pastMinor;
    const below = (SCALE - factor) * pastMinor - nowParts;
    return { excess: side === 'above' ? above : below, pastMinor: past };
  });
  const [first = NONE, ...rest] = sides;
  const most = rest.reduce((a, b) => (b.excess > a.excess ? b : a), first);
  return active === 'maybe' && most.excess < 0n ? NONE : most;
}

/** Every pair of what it may have now and may have had then. */
function pairsAt(course: Course, moment: number): [number, number][] {
  const pasts = course.amountsAt(moment);
  if (pasts.length === 0) return [];
  const open = openAt(course, moment);
  const pair = (now: number, then: readonly number[]) => then.map((past): [number, number] => [now, past]);
  return [
    ...course.presentMinor.flatMap((now) => pair(now, pasts)),
    ...course.open
      .flatMap(({ beforeMinor, afterMinor }) => [beforeMinor, afterMinor])
      .flatMap((now) => pair(now, [...pasts, ...open])),
  ];
}

function replaced(sum: Side, before: Side, now: Side): Side {
  return {
    excess: sum.excess - before.excess + now.excess,
    pastMinor: sum.pastMinor - before.pastMinor + now.pastMinor,
  };
}
