// When does a schedule expression fire next?
import { AwsError } from '../types.ts';
import { invalidExpression, nextCron, parseCron } from './cron.ts';
import { instantOf, zoneExists } from './zone.ts';

export interface Timetable {
  /** `at(…)` fires once. */
  once: boolean;
  /** The first firing after an instant; undefined when there is none. Both epoch milliseconds. */
  next(afterMs: number): number | undefined;
}

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Reads `at(2026-12-01T09:00:00)`, `rate(5 minutes)` or `cron(0 9 ? * MON-FRI *)`.
 * `anchorMs`: where a rate starts to count; `firstAtAnchor`: it fires there too (a schedule with a start date).
 * @throws AwsError ValidationException
 */
export function parseExpression(
  expression: string,
  zone: string,
  anchorMs: number,
  firstAtAnchor: boolean,
): Timetable {
  if (!zoneExists(zone)) throw new AwsError('ValidationException', `Invalid time zone ${zone}.`);
  const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression);
  if (at !== null) {
    const wallMs = Date.parse(`${at[1]}Z`);
    if (Number.isNaN(wallMs)) return invalidExpression(expression);
    const instantMs = instantOf(wallMs, zone);
    return {
      once: true,
      next: (afterMs) => (instantMs !== undefined && instantMs > afterMs ? instantMs : undefined),
    };
  }
  const rate = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    const periodMs = Number(rate[1]) * (UNIT_MS[rate[2] ?? ''] ?? Number.NaN);
    return {
      once: false,
      next(afterMs) {
        if (afterMs < anchorMs) return firstAtAnchor ? anchorMs : anchorMs + periodMs;
        return anchorMs + (Math.floor((afterMs - anchorMs) / periodMs) + 1) * periodMs;
      },
    };
  }
  const cron = parseCron(expression);
  return { once: false, next: (afterMs) => nextCron(cron, zone, afterMs) };
}
