// Does a day end at midnight where the account is, whatever the clocks there do?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf, localDay } from '../../lambdas/changes/limits.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';

const HOUR = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
const at = (text: string): number => Date.parse(`${text}Z`);

describe('a local day', () => {
  it.each([
    ['UTC', '2026-11-20T00:00', '2026-11-20', '2026-11-21T00:00'],
    ['UTC', '2026-11-20T23:59', '2026-11-20', '2026-11-21T00:00'],
    ['America/New_York', '2026-11-20T04:59', '2026-11-19', '2026-11-20T05:00'],
    ['America/New_York', '2026-11-20T05:00', '2026-11-20', '2026-11-21T05:00'],
    [
      'the clocks go forward: 23 hours, America/New_York',
      '2026-03-08T05:00',
      '2026-03-08',
      '2026-03-09T04:00',
    ],
    ['the clocks go back: 25 hours, America/New_York', '2026-11-01T04:00', '2026-11-01', '2026-11-02T05:00'],
    ['a quarter of an hour, Asia/Kathmandu', '2026-11-20T18:14', '2026-11-20', '2026-11-20T18:15'],
    [
      'they go forward at midnight: the day begins at one, America/Havana',
      '2026-03-07T12:00',
      '2026-03-07',
      '2026-03-08T05:00',
    ],
  ])('%s at %s is %s until %s', (where, now, day, until) => {
    const timeZone = where.split(', ').at(-1) ?? '';
    const found = localDay(at(now), timeZone);
    expect([found.day, iso(found.dayEndsAt)]).toEqual([day, until]);
  });

  it('lasts 23 to 25 hours, ends after now, and the next begins there', () => {
    const zones = fc.constantFrom(
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'Asia/Tokyo',
      'UTC',
    );
    const moments = fc.integer({ min: at('2026-01-01T00:00'), max: at('2027-12-31T00:00') });
    fc.assert(
      fc.property(zones, moments, (timeZone, nowMs) => {
        const today = localDay(nowMs, timeZone);
        expect(today.dayEndsAt).toBeGreaterThan(nowMs);
        expect(localDay(today.dayEndsAt - 1, timeZone)).toEqual(today);
        const tomorrow = localDay(today.dayEndsAt, timeZone);
        expect(tomorrow.day > today.day).toBe(true);
        const hours = (tomorrow.dayEndsAt - today.dayEndsAt) / HOUR;
        expect(hours >= 23 && hours <= 25).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

it('the usual limits are those of the requirements', () => {
  expect(limitsOf(Settings.parse({}).changes)).toMatchObject({
    changesPerHour: 15,
    budgetEditsPerAdSetPerHour: 4,
    windowMs: HOUR,
    velocityWindowMs: 6 * HOUR,
  });
});
