// Where does an object's timeline come from?
import * as z from 'zod';
import type { AdsReaderPort } from '../ports/ads/ads-reader-port.ts';
import type { Activity } from '../ports/ads/live-ads.ts';
import { InvalidInput, isTaskError } from '../runtime/errors.ts';
import type { AdAccount } from '../runtime/settings.ts';
import type { Entity } from './change.ts';
import type { Changes } from './changes.ts';
import { mergedTimeline, type Timeline } from './entity-timeline.ts';
import type { History } from './history.ts';
import { Instant } from './new-change.ts';

const DAY_MS = 86_400_000;
/** The platform keeps its log for years; more than this is nobody's question at once. */
const LONGEST_DAYS = 31;
const USUAL_DAYS = 7;

export const TimelineQuery = z.object({
  accountId: z
    .string()
    .regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)')
    .optional()
    .describe('The first account of the settings when absent'),
  from: Instant.optional().describe('A week before `to` when absent'),
  to: Instant.optional().describe('Now when absent'),
});

/** @throws InvalidInput when the range is none, or too long. */
export function rangeOf(
  { from, to }: z.output<typeof TimelineQuery>,
  nowMs: number,
): { fromMs: number; toMs: number } {
  const toMs = to ?? nowMs + 1;
  const fromMs = from ?? toMs - USUAL_DAYS * DAY_MS;
  if (fromMs >= toMs || toMs - fromMs > LONGEST_DAYS * DAY_MS + 1)
    throw new InvalidInput(`The time must be at most ${LONGEST_DAYS} days long and end after it begins.`, {
      path: 'from',
    });
  return { fromMs, toMs };
}

export interface TimelineSources {
  history: Pick<History, 'timeline'>;
  changes: Pick<Changes, 'ofEntity'>;
  ads: AdsReaderPort;
}

/** Without the platform's log, and saying so, when the platform cannot or will not be asked. Times are epoch milliseconds. */
export async function readTimeline(
  {
    tenant,
    account,
    entity,
    fromMs,
    toMs,
  }: { tenant: string; account: AdAccount; entity: Entity; fromMs: number; toMs: number },
  { history, changes, ads }: TimelineSources,
): Promise<Timeline> {
  const [noted, ours] = await Promise.all([
    history.timeline(tenant, account.id, entity, { fromMs, toMs: toMs - 1 }),
    changes.ofEntity(tenant, account.id, entity),
  ]);
  let log: Activity[] = [];
  let platformLog: Timeline['platformLog'] = { read: true };
  try {
    const reader = await ads.for({ tenant, accountId: account.id, secret: account.secret });
    log = (await reader.activities(fromMs)).filter(({ at }) => at >= fromMs && at < toMs);
  } catch (error) {
    if (!isTaskError(error)) throw error;
    platformLog = { read: false, reason: error.message };
  }
  return { entries: mergedTimeline(noted, log, entity, ours), platformLog };
}
