// How is each attempt of a run announced, once?
import { busNeed, type Bus } from './bus.ts';
import type { Clock } from './clock.ts';
import { eventOf } from './events.ts';
import type { Need } from './need.ts';
import { retainedUntil, runKey } from './run-keys.ts';
import { tableNeed, type Table } from './table.ts';

/**
 * Tells the bus that an attempt has begun. Table runs: sk `announced#<attempt>` is written after the bus has taken the event, so
 * a retry of the step says nothing more; only one that died between the two says it again, for the same run id and attempt.
 * @throws Unavailable when the bus or the table cannot be reached.
 */
export type AnnounceStart = (
  workflow: string,
  run: { tenant: string; id: string; attempt: number },
) => Promise<void>;

const history = tableNeed('runs', ['GetItem', 'PutItem']);

export const announceStartNeed: Need<AnnounceStart> = {
  grants: [...busNeed.grants, ...history.grants],
  env: { ...busNeed.env, ...history.env },
  open: (env, context) =>
    openAnnounceStart(busNeed.open(env, context), history.open(env, context), context.clock),
};

export function openAnnounceStart(bus: Bus, table: Table, clock: Clock): AnnounceStart {
  return async (workflow, { tenant, id: runId, attempt }) => {
    const key = { pk: runKey(tenant, runId), sk: `announced#${attempt}` };
    if ((await table.get(key)) !== undefined) return;
    await bus.publish([{ name: eventOf(workflow, 'started'), detail: { tenant, runId, attempt } }]);
    await table.put({ Item: { ...key, expiresAt: retainedUntil(clock.now()) } });
  };
}
