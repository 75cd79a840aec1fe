import { describe, expect, it } from 'vitest';
import { instantOf, wallClock, zoneExists } from '../../../lib/local/scheduler/zone.ts';

describe('local times', () => {
  it.each<[string, string, string | undefined]>([
    ['Asia/Tokyo', '2026-12-01T09:00:00Z', '2026-12-01T00:00:00.000Z'],
    ['Europe/Paris', '2026-03-29T02:30:00Z', undefined],
    ['Europe/Paris', '2026-10-25T02:30:00Z', '2026-10-25T00:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45:00Z', '2026-04-04T14:45:00.000Z'],
    ['UTC', '2026-03-29T02:30:00Z', '2026-03-29T02:30:00.000Z'],
  ])('%s %s', (zone, wall, expected) => {
    const instantMs = instantOf(Date.parse(wall), zone);
    expect(instantMs === undefined ? undefined : new Date(instantMs).toISOString()).toBe(expected);
  });

  it('are what a wall clock shows', () => {
    expect(wallClock(Date.parse('2026-04-04T14:45:00Z'), 'Australia/Lord_Howe')).toBe(
      Date.parse('2026-04-05T01:45:00Z'),
    );
  });

  it('exist only in zones of the tz database', () => {
    expect([zoneExists('Europe/Paris'), zoneExists('Mars/Base')]).toEqual([true, false]);
  });
});
