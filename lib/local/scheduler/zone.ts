// When is a local time, in a zone of the tz database?

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
    formats.set(zone, format);
  }
  return format;
}

/** Does the tz database know the name? */
export function zoneExists(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    // Intl throws a RangeError for a name it does not know.
    return false;
  }
}

/** The wall clock at an instant, written as if it were UTC milliseconds. */
export function wallClock(instantMs: number, zone: string): number {
  if (zone === 'UTC') return instantMs;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instantMs)) parts[type] = Number(value);
  const wholeSecondsMs = Date.UTC(
    parts.year ?? 0,
    (parts.month ?? 1) - 1,
    parts.day,
    parts.hour,
    parts.minute,
    parts.second,
  );
  return wholeSecondsMs + (((instantMs % 1000) + 1000) % 1000);
}

const DAY_MS = 86_400_000;

/** The offsets from UTC in force around a local day; two of them when the clocks change. */
export function offsetsAround(wallMs: number, zone: string): number[] {
  if (zone === 'UTC') return [0];
  const offsets = [wallMs - DAY_MS, wallMs + DAY_MS].map(
    (instantMs) => wallClock(instantMs, zone) - instantMs,
  );
  return [...new Set(offsets)].toSorted((a, b) => b - a);
}

/** The first instant that shows this wall clock; undefined when the clocks jump over it. */
export function instantOf(
  wallMs: number,
  zone: string,
  offsets: readonly number[] = offsetsAround(wallMs, zone),
): number | undefined {
  if (offsets.length === 1) return wallMs - offsets[0]!;
  // The larger offset is the earlier instant.
  return offsets
    .map((offsetMs) => wallMs - offsetMs)
    .find((instantMs) => wallClock(instantMs, zone) === wallMs);
}
