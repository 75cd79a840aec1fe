// Until when is it quiet now, where the account is?

/** `from` later than `to` goes over midnight; the same time twice is the whole day. Times as `22:00`. */
export interface QuietHours {
  from: string;
  to: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Nobody wants it quiet for longer: where the hours leave no gap, one asks again then. */
const LONGEST_MS = 2 * DAY_MS;

/**
 * Epoch milliseconds of the first moment that is not quiet, undefined when it is not quiet now. What counts is what the clocks show:
 * hours that they skip or repeat are skipped or repeated.
 */
export function quietUntil(
  nowMs: number,
  timeZone: string,
  quietHours: readonly QuietHours[],
): number | undefined {
  if (quietHours.length === 0) return undefined;
  const offsetAt = offsetsOf(timeZone);
  let at = nowMs;
  while (at < nowMs + LONGEST_MS) {
    const leftMs = Math.max(0, ...quietHours.map((hours) => leftOf(hours, timeOfDay(at + offsetAt(at)))));
    if (leftMs === 0) return at === nowMs ? undefined : at;
    at = nextTurn(offsetAt, at, at + leftMs) ?? at + leftMs;
  }
  return nowMs + LONGEST_MS;
}

/** Milliseconds that these hours still last at this time of the day; 0 outside. */
function leftOf({ from, to }: QuietHours, timeMs: number): number {
  const [start, end] = [minutesOf(from) * MINUTE_MS, minutesOf(to) * MINUTE_MS];
  const lengthMs = (end - start + DAY_MS) % DAY_MS || DAY_MS;
  const sinceMs = (timeMs - start + DAY_MS) % DAY_MS;
  return Math.max(0, lengthMs - sinceMs);
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

function timeOfDay(localMs: number): number {
  return ((localMs % DAY_MS) + DAY_MS) % DAY_MS;
}

/** First moment in (from, until] at which the clocks have been changed, if they are. */
function nextTurn(offsetAt: (at: number) => number, from: number, until: number): number | undefined {
  const before = offsetAt(from);
  for (let low = from; low < until; low += HOUR_MS) {
    let high = Math.min(low + HOUR_MS, until);
    if (offsetAt(high) === before) continue;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }
  return undefined;
}

/** How far the clocks there are ahead of UTC, in milliseconds. */
function offsetsOf(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };
}
