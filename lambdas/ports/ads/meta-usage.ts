// How much of which quota is used, by Meta's four usage headers?
import * as z from 'zod';
import type { Usage, UsageEntry } from './publisher.ts';

const Percent = z.number().default(0);
const AppUsage = z.object({ call_count: Percent, total_cputime: Percent, total_time: Percent });
const BusinessUsage = z.record(
  z.string(),
  z.array(
    AppUsage.extend({
      type: z.string().default('unknown'),
      estimated_time_to_regain_access: z.number().default(0),
    }),
  ),
);
const AccountUsage = z.object({ acc_id_util_pct: Percent, reset_time_duration: z.number().default(0) });
const InsightsUsage = z.object({ app_id_util_pct: Percent, acc_id_util_pct: Percent });

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
const FULL = 100;

/**
 * All entries of all headers: the business header lists up to 32 per id and the busiest need not be the first. Its time to
 * regain access is in minutes and is not a percentage. A header that cannot be read is left out.
 */
export function parseUsage(headers: Headers): Usage {
  const app = read(headers, 'x-app-usage', AppUsage);
  const business = read(headers, 'x-business-use-case-usage', BusinessUsage) ?? {};
  const account = read(headers, 'x-ad-account-usage', AccountUsage);
  const insights = read(headers, 'x-fb-ads-insights-throttle', InsightsUsage);
  const entries: UsageEntry[] = [
    ...(app === undefined ? [] : [{ quota: 'app', percent: highest(app), regainMs: 0 }]),
    ...Object.entries(business).flatMap(([id, uses]) =>
      uses.map((use) => ({
        quota: `${use.type} ${id}`,
        percent: highest(use),
        regainMs: use.estimated_time_to_regain_access * MINUTE_MS,
      })),
    ),
    ...(account === undefined
      ? []
      : [
          {
            quota: 'account',
            percent: account.acc_id_util_pct,
            // The window's length is reported always; it is a wait only when the quota is used up.
            regainMs: account.acc_id_util_pct >= FULL ? account.reset_time_duration * SECOND_MS : 0,
          },
        ]),
    ...(insights === undefined
      ? []
      : [
          {
            quota: 'insights',
            percent: Math.max(insights.app_id_util_pct, insights.acc_id_util_pct),
            regainMs: 0,
          },
        ]),
  ];
  return {
    entries,
    highestPercent: Math.max(0, ...entries.map(({ percent }) => percent)),
    regainMs: Math.max(0, ...entries.map(({ regainMs }) => regainMs)),
  };
}

function highest(use: { call_count: number; total_cputime: number; total_time: number }): number {
  return Math.max(use.call_count, use.total_cputime, use.total_time);
}

function read<T extends z.ZodType>(headers: Headers, name: string, schema: T): z.output<T> | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
