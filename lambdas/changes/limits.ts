// Which limits did the tenant choose, in the ledger's terms?
import type { ChangeSettings } from '../runtime/settings-schema.ts';
import type { Limits } from './ledger.ts';
import { EFFECT_MARGIN_MS } from './policy.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A day on which the clocks are put back, and a bit. */
const LONGEST_DAY_MS = 26 * HOUR_MS;

export function limitsOf(chosen: ChangeSettings): Limits {
  return {
    changesPerHour: chosen.perHour,
    budgetEditsPerAdSetPerHour: chosen.budgetEditsPerAdSetPerHour,
    creationsPerHour: chosen.creationsPerHour,
    usagePercent: chosen.usagePercent,
    windowMs: HOUR_MS,
    marginMs: EFFECT_MARGIN_MS,
    velocityWindowMs: chosen.velocity.windowHours * HOUR_MS,
    perRunMinor: chosen.blastRadius.perRunMinor,
    perDayMinor: chosen.blastRadius.perDayMinor,
  };
}

/** The day where the account is, `2026-11-20`, and when it is over there: found to the minute, whatever the clocks do. */
export function localDay(nowMs: number, timeZone: string): { day: string; dayEndsAt: number } {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  const day = format.format(nowMs);
  let [low, high] = [nowMs, nowMs + LONGEST_DAY_MS];
  while (high - low > MINUTE_MS) {
    const middle = Math.floor((low + high) / 2);
    if (format.format(middle) === day) low = middle;
    else high = middle;
  }
  return { day, dayEndsAt: Math.floor(high / MINUTE_MS) * MINUTE_MS };
}
