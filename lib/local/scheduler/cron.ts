// When does an AWS cron expression fire next?
import { AwsError } from '../types.ts';
import { instantOf, offsetsAround, wallClock } from './zone.ts';

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based */
export interface Cron {
  minutes: number[];
  hours: number[];
  /** 1 to 12. */
  months: Set<number>;
  years: Set<number>;
  /** Days of a month, ascending. */
  days: (year: number, month: number) => number[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const DAY_MS = 86_400_000;

export function invalidExpression(expression: string): never {
  throw new AwsError('ValidationException', `Invalid Schedule Expression ${expression}.`);
}

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

function parseNumber(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** `1,5-9/2,20/10,*` as ascending numbers; undefined when it is not that. */
function parseSet(text: string, field: Field): number[] | undefined {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    const [first = '', last, ...rest] = range.split('-');
    if (more.length > 0 || rest.length > 0) return undefined;
    const every = step === undefined ? 1 : /^\d+$/.test(step) ? Number(step) : 0;
    if (every < 1) return undefined;
    const from = range === '*' ? field.min : parseNumber(first, field);
    let to: number | undefined = field.max;
    if (range !== '*' && last !== undefined) to = parseNumber(last, field);
    else if (range !== '*' && step === undefined) to = from;
    if (from === undefined || to === undefined || to < from) return undefined;
    for (let value = from; value <= to; value += every) found.add(value);
  }
  return [...found].toSorted((a, b) => a - b);
}

const lastDay = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
/** 1 is Sunday. */
const weekday = (year: number, month: number, day: number): number =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;

/** The weekday of the same month nearest to the day. */
function nearestWeekday(year: number, month: number, day: number): number {
  const last = lastDay(year, month);
  const on = weekday(year, month, day);
  if (on === 7) return day === 1 ? 3 : day - 1;
  if (on === 1) return day === last ? day - 2 : day + 1;
  return day;
}

type Days = Cron['days'];

function parseDayOfMonth(text: string): Days | undefined {
  const upper = text.toUpperCase();
  if (upper === 'L') return (year, month) => [lastDay(year, month)];
  if (upper === 'LW') return (year, month) => [nearestWeekday(year, month, lastDay(year, month))];
  const field = { min: 1, max: 31 };
  if (upper.endsWith('W')) {
    const day = parseNumber(upper.slice(0, -1), field);
    if (day === undefined) return undefined;
    return (year, month) => (day > lastDay(year, month) ? [] : [nearestWeekday(year, month, day)]);
  }
  const days = parseSet(upper, field);
  return days && ((year, month) => days.filter((day) => day <= lastDay(year, month)));
}

function parseDayOfWeek(text: string): Days | undefined {
  const upper = text.toUpperCase();
  const field = { min: 1, max: 7, names: WEEKDAYS };
  if (upper === 'L') return weekdays([7]);
  if (upper.endsWith('L')) {
    const on = parseNumber(upper.slice(0, -1), field);
    if (on === undefined) return undefined;
    return (year, month) => {
      const last = lastDay(year, month);
      return [last - ((weekday(year, month, last) - on + 7) % 7)];
    };
  }
  if (upper.includes('#')) {
    const [name = '', nth = ''] = upper.split('#');
    const on = parseNumber(name, field);
    const which = parseNumber(nth, { min: 1, max: 5 });
    if (on === undefined || which === undefined) return undefined;
    return (year, month) => {
      const day = 1 + ((on - weekday(year, month, 1) + 7) % 7) + 7 * (which - 1);
      return day > lastDay(year, month) ? [] : [day];
    };
  }
  const found = parseSet(upper, field);
  return found && weekdays(found);
}

function weekdays(wanted: readonly number[]): Days {
  return (year, month) =>
    Array.from({ length: lastDay(year, month) }, (_, index) => index + 1).filter((day) =>
      wanted.includes(weekday(year, month, day)),
    );
}

/** The six fields of `cron(…)`. @throws AwsError ValidationException */
export function parseCron(expression: string): Cron {
  const fields = /^cron\(\s*(.*?)\s*\)$/.exec(expression)?.[1]?.split(/\s+/) ?? [];
  if (fields.length !== 6) return invalidExpression(expression);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  // Exactly one of the two day fields says nothing.
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) return invalidExpression(expression);
  const minutes = parseSet(minute, { min: 0, max: 59 });
  const hours = parseSet(hour, { min: 0, max: 23 });
  const months = parseSet(month, { min: 1, max: 12, names: MONTHS });
  const years = parseSet(year, { min: 1970, max: 2199 });
  const days = dayOfWeek === '?' ? parseDayOfMonth(dayOfMonth) : parseDayOfWeek(dayOfWeek);
  if (!minutes || !hours || !months || !years || !days) return invalidExpression(expression);
  return { minutes, hours, months: new Set(months), years: new Set(years), days };
}

/** The first firing of one local day after `afterMs`. */
function nextOnDay(cron: Cron, dayMs: number, zone: string, afterMs: number): number | undefined {
  const offsets = offsetsAround(dayMs, zone);
  // A change late on the day shows only in the offset of the day after.
  const later = offsetsAround(dayMs + DAY_MS, zone);
  const all = [...new Set([...offsets, ...later])].toSorted((a, b) => b - a);
  const smallest = all.at(-1) ?? 0;
  let best: number | undefined;
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const wallMs = dayMs + (hour * 60 + minute) * 60_000;
      if (wallMs - smallest <= afterMs) continue;
      const instantMs = instantOf(wallMs, zone, all);
      if (instantMs === undefined || instantMs <= afterMs) continue;
      if (all.length === 1) return instantMs;
      if (best === undefined || instantMs < best) best = instantMs;
    }
  }
  return best;
}

/**
 * The first firing after an instant, epoch milliseconds; undefined when there is none any more. A local time that
 * does not exist is skipped, one that exists twice fires once, at its first passing.
 */
export function nextCron(cron: Cron, zone: string, afterMs: number): number | undefined {
  const startWall = new Date(wallClock(afterMs, zone));
  const lastYear = Math.max(...cron.years);
  let month = startWall.getUTCMonth() + 1;
  let firstDay = startWall.getUTCDate();
  for (let year = startWall.getUTCFullYear(); year <= lastYear; year += 1) {
    for (; cron.years.has(year) && month <= 12; month += 1) {
      for (const day of cron.months.has(month) ? cron.days(year, month) : []) {
        if (day < firstDay) continue;
        const found = nextOnDay(cron, Date.UTC(year, month - 1, day), zone, afterMs);
        if (found !== undefined) return found;
      }
      firstDay = 1;
    }
    month = 1;
    firstDay = 1;
  }
  return undefined;
}
