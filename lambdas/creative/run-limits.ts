// May a tenant start one more run now?
import { isOpen, type Run } from '../runtime/runs.ts';
import type { Settings } from '../runtime/settings-schema.ts';

const DAY_MS = 86_400_000;
/** How far back an open run can have begun: the state machine's own limit of two days. */
export const RECENT_MS = 2 * DAY_MS;

/**
 * A sentence when a limit is reached, otherwise undefined.
 * @param recent the tenant's runs of the last `RECENT_MS`. Requests of the same moment do not see each other, so a burst may
 * pass the limit by its own size: it guards the bill, not correctness.
 */
export function limitReached(
  recent: readonly Pick<Run, 'status' | 'startedAt'>[],
  limits: Settings['limits'],
  nowMs: number,
): string | undefined {
  const today = recent.filter(({ startedAt }) => Date.parse(startedAt) > nowMs - DAY_MS).length;
  if (today >= limits.runsPerDay)
    return `${today} runs began in the last 24 hours; the settings allow ${limits.runsPerDay} (limits.runsPerDay).`;
  const open = recent.filter(({ status }) => isOpen(status)).length;
  if (open >= limits.openRuns)
    return `${open} runs have not ended yet; the settings allow ${limits.openRuns} at a time (limits.openRuns).`;
  return undefined;
}
