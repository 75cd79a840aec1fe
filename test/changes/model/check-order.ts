// Did anything begin under a switch that was on, overtake what it waited for, or write over somebody's edit?
import { OVER, ownEffects, same, type Facts, type Queued } from './facts.ts';

/** The vendor's timeout, and the time until somebody answers. */
const CALL_MS = 21_000;
const iso = (ms: number): string => new Date(ms).toISOString();

/** No write begins after a switch was on; what was under way may end. */
export function switchFaults({
  accountId,
  changes,
  effects,
  things,
  switchPeriods,
  intents,
  causes,
}: Facts): string[] {
  const faults: string[] = [];
  const reached = (change: Queued): string[] => {
    const campaignId = things.find(({ id }) => id === change.entity.id)?.campaignId ?? '';
    const { rule } = change.origin;
    return [
      'tenant',
      `account#${accountId}`,
      `campaign#${campaignId}`,
      ...(rule === undefined ? [] : [`rule#${rule}`]),
    ];
  };
  for (const { changeId, committedAt } of intents ?? []) {
    const change = changes.find(({ id }) => id === changeId);
    if (change === undefined) continue;
    const keys = reached(change);
    const stopped = switchPeriods.find(
      (one) => keys.includes(one.key) && one.onAt < committedAt && committedAt < one.offAt,
    );
    if (stopped !== undefined)
      faults.push(`${changeId} began at ${iso(committedAt)}, when the switch ${stopped.key} was on`);
  }
  for (const effect of ownEffects({ effects })) {
    const cause = causes?.get(effect.requestNo ?? -1);
    const change = changes.find(({ id, entity }) =>
      cause === undefined ? entity.id === effect.objectId : id === cause,
    );
    if (change === undefined) continue;
    const keys = cause === undefined ? ['tenant', `account#${accountId}`] : reached(change);
    const stopped = switchPeriods.find(
      (one) => keys.includes(one.key) && one.onAt + CALL_MS < effect.atMs && effect.atMs < one.offAt,
    );
    if (stopped !== undefined)
      faults.push(`${effect.objectId} was changed at ${iso(effect.atMs)} under the switch ${stopped.key}`);
  }
  return faults;
}

/** Nothing overtakes what it waits for, and nobody's edit is written over. */
export function orderFaults({ changes, effects, causes }: Facts): string[] {
  const faults: string[] = [];
  for (const effect of ownEffects({ effects })) {
    const change = changes.find(({ id }) => id === causes?.get(effect.requestNo ?? -1));
    if (change === undefined) continue;
    const { id, after, behind, intent, result } = change;
    for (const other of changes.filter((one) => after.includes(one.id) || behind.includes(one.id))) {
      const isMet =
        other.status === 'COMPLETED' || (behind.includes(other.id) && OVER.includes(other.status));
      if (!isMet || (other.result?.executedAt ?? 0) > effect.atMs)
        faults.push(`${id} was applied before ${other.id} (${other.status}), for which it waits`);
    }
    const based = result?.before ?? intent?.before;
    const edits = effects.filter(
      ({ by, objectId, field, atMs }) =>
        by === 'person' && objectId === effect.objectId && field === effect.field && atMs <= effect.atMs,
    );
    const late = edits.some(({ atMs }) => atMs > effect.atMs - CALL_MS);
    if (based !== undefined && !same(based, effect.before) && !late)
      faults.push(`${id} was based on ${based} and wrote over ${effect.before} of ${effect.objectId}`);
  }
  return faults;
}
