import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextCron, parseCron } from '../../../lib/local/scheduler/cron.ts';
import { wallClock } from '../../../lib/local/scheduler/zone.ts';

function firings(expression: string, from: string, zone: string, count: number): string[] {
  const cron = parseCron(expression);
  const found: string[] = [];
  let afterMs = Date.parse(from);
  while (found.length < count) {
    const next = nextCron(cron, zone, afterMs);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 16));
    afterMs = next;
  }
  return found;
}

describe('AWS cron', () => {
  it.each<[string, string, string, string[]]>([
    // The clocks of Paris jump over 02:30 on 29 March and pass it twice on 25 October.
    ['cron(30 2 * * ? *)', '2026-03-27T12:00:00Z', 'Europe/Paris', ['2026-03-28T01:30', '2026-03-30T00:30']],
    ['cron(30 2 * * ? *)', '2026-10-24T12:00:00Z', 'Europe/Paris', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['cron(30 2 29 2 ? *)', '2026-03-01T00:00:00Z', 'UTC', ['2028-02-29T02:30', '2032-02-29T02:30']],
    ['cron(0 0 29 2 ? *)', '2096-03-01T00:00:00Z', 'UTC', ['2104-02-29T00:00']],
    ['cron(0 9 ? * MON-FRI *)', '2026-03-06T15:00:00Z', 'America/New_York', ['2026-03-09T13:00']],
    ['cron(0 9 ? * 2-6 *)', '2026-03-06T15:00:00Z', 'America/New_York', ['2026-03-09T13:00']],
    ['cron(0 8 ? * 2#1 *)', '2026-03-01T00:00:00Z', 'UTC', ['2026-03-02T08:00', '2026-04-06T08:00']],
    ['cron(0 8 ? * 2#5 *)', '2026-03-01T00:00:00Z', 'UTC', ['2026-03-30T08:00', '2026-06-29T08:00']],
    ['cron(0 8 ? * 6L *)', '2026-03-01T00:00:00Z', 'UTC', ['2026-03-27T08:00', '2026-04-24T08:00']],
    ['cron(0 8 ? * FRIL *)', '2026-03-01T00:00:00Z', 'UTC', ['2026-03-27T08:00']],
    ['cron(0 0 L * ? *)', '2026-02-01T00:00:00Z', 'UTC', ['2026-02-28T00:00', '2026-03-31T00:00']],
    ['cron(0 12 15W * ? *)', '2026-03-01T00:00:00Z', 'UTC', ['2026-03-16T12:00', '2026-04-15T12:00']],
    ['cron(0 12 1W * ? *)', '2026-07-31T13:00:00Z', 'UTC', ['2026-08-03T12:00']],
    ['cron(0 12 31W * ? *)', '2026-01-31T13:00:00Z', 'UTC', ['2026-03-31T12:00']],
    ['cron(0 8 LW * ? *)', '2026-05-01T00:00:00Z', 'UTC', ['2026-05-29T08:00']],
    ['cron(0/20 8-9 * * ? *)', '2026-03-01T08:30:00Z', 'UTC', ['2026-03-01T08:40', '2026-03-01T09:00']],
    [
      'cron(5,10 0 1 JAN,jul ? 2030)',
      '2026-03-01T00:00:00Z',
      'UTC',
      ['2030-01-01T00:05', '2030-01-01T00:10'],
    ],
    ['cron(0 0 1 1 ? 2020)', '2026-03-01T00:00:00Z', 'UTC', []],
    // Samoa had no 30 December 2011.
    ['cron(0 12 30 12 ? 2011-2012)', '2011-12-01T00:00:00Z', 'Pacific/Apia', ['2012-12-29T22:00']],
  ])('%s after %s in %s', (expression, from, zone, expected) => {
    expect(firings(expression, from, zone, Math.max(expected.length, 1))).toEqual(expected);
  });

  it.each([
    'cron(0 9 * * * *)',
    'cron(0 9 ? * ? *)',
    'cron(60 9 * * ? *)',
    'cron(0 24 * * ? *)',
    'cron(0 9 0 * ? *)',
    'cron(0 9 * 13 ? *)',
    'cron(0 9 ? * 8 *)',
    'cron(0 9 ? * MON#6 *)',
    'cron(0 9 * * ? 2200)',
    'cron(0 9 * * ?)',
    'cron(0/0 9 * * ? *)',
    'cron(9-5 9 * * ? *)',
    'cron(? 9 * * ? *)',
    '0 9 * * ? *',
  ])('refuses %s', (expression) => {
    expect(() => parseCron(expression)).toThrow('Invalid Schedule Expression');
  });

  it('agrees with a minute-by-minute search through days on which clocks change', () => {
    const changes: [string, string][] = [
      ['Europe/Paris', '2026-03-28T20:00:00Z'],
      ['Europe/Paris', '2026-10-24T20:00:00Z'],
      ['America/New_York', '2026-03-08T00:00:00Z'],
      ['America/New_York', '2026-11-01T00:00:00Z'],
      ['Australia/Lord_Howe', '2026-04-04T06:00:00Z'],
      ['Australia/Lord_Howe', '2026-10-03T06:00:00Z'],
      ['Pacific/Chatham', '2026-04-04T06:00:00Z'],
      ['America/St_Johns', '2026-03-08T00:00:00Z'],
      ['Africa/Casablanca', '2026-02-14T18:00:00Z'],
      ['Asia/Kathmandu', '2026-03-08T00:00:00Z'],
      ['Pacific/Apia', '2011-12-29T20:00:00Z'],
      ['America/Havana', '2026-03-08T00:00:00Z'],
      ['Asia/Beirut', '2026-03-28T12:00:00Z'],
      ['America/Scoresbysund', '2026-03-28T06:00:00Z'],
      ['America/Scoresbysund', '2026-10-24T06:00:00Z'],
      ['America/Nuuk', '2026-10-24T06:00:00Z'],
      ['America/Asuncion', '2022-10-01T20:00:00Z'],
    ];
    const windowMs = 30 * 3_600_000;
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 3 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 8 }),
        ([zone, from], minutes, hours) => {
          const startMs = Date.parse(from);
          const seen = new Set<number>();
          const expected: number[] = [];
          // Wall times of the hours before the window have been passed already.
          for (let ms = startMs - 3 * 3_600_000; ms <= startMs + windowMs; ms += 60_000) {
            const wallMs = wallClock(ms, zone);
            const wall = new Date(wallMs);
            const first = !seen.has(wallMs);
            seen.add(wallMs);
            if (!first || ms <= startMs) continue;
            if (minutes.includes(wall.getUTCMinutes()) && hours.includes(wall.getUTCHours()))
              expected.push(ms);
          }
          const cron = parseCron(`cron(${minutes.join(',')} ${hours.join(',')} * * ? *)`);
          const found: number[] = [];
          for (let ms = nextCron(cron, zone, startMs); ms !== undefined && ms <= startMs + windowMs;) {
            found.push(ms);
            ms = nextCron(cron, zone, ms);
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 90 },
    );
  });

  it('always moves forward and fires on a wall clock that the expression names', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2040, 0) }),
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 0, max: 23 }),
        (zone, afterMs, minute, hour) => {
          const next = nextCron(parseCron(`cron(${minute} ${hour} * * ? *)`), zone, afterMs);
          expect(next).toBeGreaterThan(afterMs);
          const wall = new Date(wallClock(next!, zone));
          expect([wall.getUTCHours(), wall.getUTCMinutes(), wall.getUTCSeconds()]).toEqual([hour, minute, 0]);
          expect(next! - afterMs).toBeLessThan(3 * 86_400_000);
        },
      ),
      { numRuns: 200 },
    );
  });
});
