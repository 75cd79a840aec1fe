// What was done to an object in the ad account, by us, by people and by the platform?
import * as z from 'zod';
import type { Activity } from '../ports/ads/live-ads.ts';
import { CONFIGURED_STATUSES, type Change, type Entity } from './change.ts';
import type { TimelineEntry } from './history.ts';
import { byPeople } from './people.ts';

const Value = z.union([z.enum([...CONFIGURED_STATUSES, 'DELETED']), z.number().int()]);

export const Timeline = z.object({
  entries: z
    .array(
      z.object({
        at: z.string(),
        by: z.enum(['us', 'person', 'platform']),
        actor: z.string(),
        what: z.string().describe('budget, status, bid, learning, review, created, other'),
        before: Value.optional().describe('Amounts in minor units'),
        after: Value.optional(),
        sourceId: z.string().describe("The change's id, or our name of the line in the platform's log"),
        details: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .describe('Oldest first'),
  platformLog: z
    .object({ read: z.boolean(), reason: z.string().optional() })
    .describe('When it could not be read, what people did lately may be missing'),
});
export type Timeline = z.infer<typeof Timeline>;

/**
 * What we noted, and what the platform logged and we have no note of, oldest first. A line that tells of a change of ours is left
 * out: our own entry says more. `ours`: changes of this object. Pure.
 */
export function mergedTimeline(
  noted: readonly TimelineEntry[],
  log: readonly Activity[],
  entity: Entity,
  ours: readonly Change[],
): Timeline['entries'] {
  const ofIt = log.filter((line) => line.entity.kind === entity.kind && line.entity.id === entity.id);
  const people = new Set(byPeople(ofIt, entity, ours).map(({ id }) => id));
  const known = new Set(noted.map(({ sourceId }) => sourceId));
  const isEdit = ({ what }: Activity): boolean => what === 'budget' || what === 'status' || what === 'bid';
  const fresh = ofIt.filter((line) => !known.has(line.id) && (!isEdit(line) || people.has(line.id)));
  return [...noted.map(notedLine), ...fresh.map(loggedLine)]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, ...entry }) => ({ at: new Date(atMs).toISOString(), ...entry }));
}

type Line = Omit<Timeline['entries'][number], 'at'> & { atMs: number };

function notedLine({ at, by, actor, what, before, after, sourceId, details }: TimelineEntry): Line {
  return {
    atMs: at,
    by,
    actor,
    what,
    sourceId,
    ...(before === undefined ? {} : { before: before as Change['to'] }),
    ...(after === undefined ? {} : { after: after as Change['to'] }),
    ...(details === undefined ? {} : { details }),
  };
}

function loggedLine({ id, at, actorId, actorName, what, before, after, eventType }: Activity): Line {
  const happened = what === 'learning' || what === 'review' || actorId === '';
  return {
    atMs: at,
    by: happened ? 'platform' : 'person',
    actor: actorName,
    what,
    sourceId: id,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    details: { eventType },
  };
}
