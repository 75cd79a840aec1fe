// Is it quiet exactly when the clocks on the wall say so, everywhere and on every day?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quietUntil } from '../../lambdas/changes/quiet-hours.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const ZONES = Intl.supportedValuesOf('timeZone');
const NIGHT = [{ from: '22:00', to: '06:30' }];
const at = (iso: string) => Date.parse(iso);

describe('quiet hours', () => {
  it.each([
    ['over midnight, before it', '2026-11-20T22:30:00Z', 'UTC', NIGHT, '2026-11-21T06:30:00Z'],
    ['over midnight, after it', '2026-11-20T03:00:00Z', 'UTC', NIGHT, '2026-11-20T06:30:00Z'],
    ['the first moment', '2026-11-20T22:00:00Z', 'UTC', NIGHT, '2026-11-21T06:30:00Z'],
    ['the last millisecond', '2026-11-20T06:29:59.999Z', 'UTC', NIGHT, '2026-11-20T06:30:00Z'],
    ['the end', '2026-11-20T06:30:00Z', 'UTC', NIGHT, undefined],
    ['by day', '2026-11-20T12:00:00Z', 'UTC', NIGHT, undefined],
    ['none', '2026-11-20T23:00:00Z', 'UTC', [], undefined],
    [
      'where the account is',
      '2026-11-20T12:00:00Z',
      'Asia/Kolkata',
      [{ from: '17:00', to: '18:00' }],
      '2026-11-20T12:30:00Z',
    ],
    [
      'the clocks go forward in the night',
      '2026-03-29T00:00:00Z',
      'Europe/Berlin',
      NIGHT,
      '2026-03-29T04:30:00Z',
    ],
    [
      'the clocks go back in the night',
      '2026-10-24T23:00:00Z',
      'Europe/Berlin',
      NIGHT,
      '2026-10-25T05:30:00Z',
    ],
    [
      'the end is skipped',
      '2026-03-29T00:30:00Z',
      'Europe/Berlin',
      [{ from: '01:00', to: '02:30' }],
      '2026-03-29T01:00:00Z',
    ],
    [
      'the beginning is skipped',
      '2026-03-29T01:00:00Z',
      'Europe/Berlin',
      [{ from: '02:30', to: '04:00' }],
      '2026-03-29T02:00:00Z',
    ],
    [
      'an hour is repeated',
      '2026-10-25T01:10:00Z',
      'Europe/Berlin',
      [{ from: '02:00', to: '02:30' }],
      '2026-10-25T01:30:00Z',
    ],
    [
      'one after the other',
      '2026-11-20T01:00:00Z',
      'UTC',
      [
        { from: '03:00', to: '05:00' },
        { from: '00:00', to: '03:00' },
      ],
      '2026-11-20T05:00:00Z',
    ],
    [
      'no gap at all',
      '2026-11-20T01:00:00Z',
      'UTC',
      [{ from: '00:00', to: '00:00' }],
      '2026-11-22T01:00:00Z',
    ],
  ])('%s', (_, now, zone, hours, until) => {
    expect(quietUntil(at(now), zone, hours)).toBe(until === undefined ? undefined : at(until));
  });

  // Whole minutes: since 1972 every clock has been a whole number of minutes from UTC.
  const someTime = fc.integer({ min: at('1973-01-01'), max: at('2037-12-31') });
  const time = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map((parts) => parts.map((n) => String(n).padStart(2, '0')).join(':'));
  const hours = fc.array(fc.record({ from: time, to: time }), { minLength: 1, maxLength: 3 });
  /** Local date and `hh:mm` as a person would read it. */
  const clock = (zone: string) => {
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'short',
    });
    return (ms: number) => format.format(ms);
  };
  const isQuiet = (reading: string, some: readonly { from: string; to: string }[]) => {
    const now = reading.slice(-5);
    return some.some(({ from, to }) => (from < to ? now >= from && now < to : now >= from || now < to));
  };
  /** Around the moments at which clocks change; most random days have none. */
  const turns = ZONES.map((zone) => {
    const read = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    const name = (ms: number) => read.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value;
    const days = Array.from({ length: 365 }, (_, i) => at('2026-01-01') + i * DAY);
    return days.filter((day) => name(day) !== name(day + DAY)).map((day) => ({ zone, day }));
  }).flat();
  const moment = fc.oneof(
    fc.record({ zone: fc.constantFrom(...ZONES), now: someTime }),
    fc
      .tuple(fc.constantFrom(...turns), fc.integer({ min: -DAY / 2, max: DAY }))
      .map(([{ zone, day }, away]) => ({ zone, now: day + away })),
  );

  it('in every zone, on every day, ends at the first minute that the clocks show as not quiet', () => {
    expect(turns.length).toBeGreaterThan(100);
    fc.assert(
      fc.property(moment, hours, ({ zone, now }, some) => {
        const read = clock(zone);
        let expected: number | undefined;
        if (isQuiet(read(now), some)) {
          expected = Math.floor(now / MINUTE) * MINUTE + MINUTE;
          while (isQuiet(read(expected), some) && expected < now + 2 * DAY) expected += MINUTE;
        }
        const until = quietUntil(now, zone, some);
        // Where there is no gap one asks again in two days.
        const latest = expected === undefined ? undefined : Math.min(expected, now + 2 * DAY);
        expect(until).toBe(latest);
      }),
      { numRuns: 600 },
    );
  });
});
