// Which lines of the platform's log are not our own doing?
import type { Activity } from '../ports/ads/live-ads.ts';
import { slotOf, type Change, type Entity } from './change.ts';

/** The platform logs whole seconds by its own clock, after our call. */
const CLOCKS_APART_MS = 120_000;
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
