// Which lines of the platform's log are not our own doing?
import type { Activity } from '../ports/ads/live-ads.ts';
import { slotOf, type Change, type Entity } from './change.ts';

/** The platform logs whole seconds by its own clock, after our call. */
const CLOCKS_APART_MS = 120_000;
/** The log cuts off what is below a second. */
const SECOND_MS = 1_000;
/** What somebody does to an object; learning and reviews happen to it. */
const EDITS: readonly Activity['what'][] = ['budget', 'status', 'bid'];

/**
 * Edits of the object that no change of ours explains, oldest first. A line is ours when one of the changes set the same value at
 * about that time, or may have (its reply was lost). Pure.
 */
export function byPeople(
  activities: readonly Activity[],
  entity: Entity,
  ours: readonly Pick<Change, 'kind' | 'result' | 'intent'>[],
): Activity[] {
  const writes = ours.flatMap(({ kind, result, intent }) => [
    ...(result === undefined ? [] : [{ slot: slotOf(kind), value: result.applied, at: result.executedAt }]),
    ...(intent === undefined ? [] : [{ slot: slotOf(kind), value: intent.applied, at: intent.at }]),
  ]);
  return activities.filter(
    (line) =>
      EDITS.includes(line.what) &&
      line.entity.kind === entity.kind &&
      line.entity.id === entity.id &&
      !writes.some(
        ({ slot, value, at }) =>
          slot === line.what && value === line.after && Math.abs(line.at - at) <= CLOCKS_APART_MS,
      ),
  );
}

/** Does the log show that a try whose answer was lost reached the object? The value may have been changed again since. Pure. */
export function hasReached(
  activities: readonly Activity[],
  { entity, kind, intent }: Pick<Change, 'entity' | 'kind' | 'intent'>,
): boolean {
  if (intent === undefined) return false;
  return activities.some(
    (line) =>
      line.what === slotOf(kind) &&
      line.entity.kind === entity.kind &&
      line.entity.id === entity.id &&
      line.after === intent.applied &&
      line.at >= intent.at - SECOND_MS &&
      line.at <= intent.at + CLOCKS_APART_MS,
  );
}
