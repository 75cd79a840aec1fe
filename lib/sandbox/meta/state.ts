// What does the simulated Graph API know, and how does a change become part of it?
import type { KnownAccount } from './accounts.ts';
import { PLATFORM, type ActivityLog, type Actor } from './activities.ts';
import { effectiveStatus, type Review } from './delivery.ts';
import type { EffectField, EffectLog } from './effects.ts';
import { bidExtra, budgetExtra, EVENT_TYPES, statusEvents } from './events.ts';
import { isSignificant, type LearningStates } from './learning.ts';
import type { GraphObject, ObjectKind, ObjectStore } from './store.ts';
import type { FieldChange } from './updates.ts';
import { graphTime } from './wire.ts';

export interface State {
  store: ObjectStore;
  effects: EffectLog;
  activities: ActivityLog;
  learning: LearningStates;
  /** By object; what is not in it has passed. */
  reviews: Map<string, Review>;
  accounts: Map<string, KnownAccount>;
  now: () => number;
}

/** Kinds that have a status, a history and children. */
export const LIVE_KINDS: readonly ObjectKind[] = ['campaign', 'adset', 'ad'];

/** The fields of a campaign, ad set or ad as a read shows them now. */
export function liveView(state: State, object: GraphObject): Record<string, unknown> {
  const review = state.reviews.get(object.id) ?? null;
  const status = effectiveStatus(object, state.store, review);
  const learning = object.kind === 'adset' ? state.learning.describe(object, status) : undefined;
  return {
    ...object.fields,
    configured_status: object.fields['status'],
    effective_status: status,
    ...(learning === undefined ? {} : { learning_stage_info: learning }),
    ...(status === 'WITH_ISSUES'
      ? { issues_info: [{ level: object.kind.toUpperCase(), error_summary: 'This object has issues.' }] }
      : {}),
  };
}

/** After it was put into the store: the effect, the history's line, and learning when it runs at once. */
export function recordCreation(state: State, object: GraphObject, actor: Actor): void {
  const isLive = LIVE_KINDS.includes(object.kind);
  noteEffect(state, object, 'created', null, isLive ? String(object.fields['status']) : object.id, actor);
  if (!isLive) return;
  state.activities.add(object, state.now(), actor, EVENT_TYPES.created[object.kind] ?? '', {});
  if (object.kind === 'adset' && object.fields['status'] === 'ACTIVE') state.learning.resume(object);
}

/** Deletes it with what is below. */
export function removeObject(state: State, object: GraphObject, actor: Actor): void {
  const before = new Map(
    [object, ...state.store.below(object)].map(({ id, fields }) => [
      id,
      fields['status'] as string | undefined,
    ]),
  );
  for (const gone of state.store.remove(object)) {
    const status = before.get(gone.id) ?? null;
    noteEffect(state, gone, 'deleted', status, null, actor);
    if (!LIVE_KINDS.includes(gone.kind)) continue;
    gone.fields['updated_time'] = graphTime(state.now());
    logStatus(state, gone, status, 'DELETED', actor);
  }
}

/** Makes the changes, all of them: what may be refused was refused before. */
export function applyChanges(
  state: State,
  object: GraphObject,
  changes: readonly FieldChange[],
  account: KnownAccount,
  actor: Actor,
): void {
  for (const change of changes) {
    if (change.field === 'status' && change.after === 'DELETED') {
      removeObject(state, object, actor);
      return;
    }
    const { field, before, after } = change;
    // Graph gives budgets as text and bids as numbers.
    object.fields[field] = field === 'daily_budget' ? String(after) : after;
    object.fields['updated_time'] = graphTime(state.now());
    noteEffect(state, object, field, before, after, actor);
    logChange(state, object, change, account, actor);
    learnFrom(state, object, change, account);
  }
}

function noteEffect(
  state: State,
  object: GraphObject,
  field: EffectField,
  before: string | number | null,
  after: string | number | null,
  actor: Actor,
): void {
  state.effects.add(object.accountId, {
    atMs: state.now(),
    objectId: object.id,
    kind: object.kind,
    field,
    before,
    after,
    by: actor.by === 'person' ? 'person' : 'api',
    requestNo: actor.requestNo,
  });
}

function logChange(
  state: State,
  object: GraphObject,
  { field, before, after }: FieldChange,
  account: KnownAccount,
  actor: Actor,
): void {
  if (field === 'status') {
    logStatus(state, object, before, String(after), actor);
    return;
  }
  const extra =
    field === 'daily_budget'
      ? budgetExtra(account.currency, before, after)
      : field === 'bid_amount'
        ? bidExtra(account.currency, before, after)
        : { old_value: before, new_value: after };
  state.activities.add(object, state.now(), actor, EVENT_TYPES[field][object.kind] ?? '', extra);
}

function logStatus(
  state: State,
  object: GraphObject,
  before: string | number | null,
  after: string,
  actor: Actor,
): void {
  for (const { eventType, extra } of statusEvents(object, before, after))
    state.activities.add(object, state.now(), actor, eventType, extra);
}

/** Activation and significant edits; a campaign's budget is an edit of all its ad sets. */
function learnFrom(
  state: State,
  object: GraphObject,
  { field, before, after }: FieldChange,
  account: KnownAccount,
): void {
  if (object.kind === 'ad' || field === 'name') return;
  if (field === 'status') {
    if (object.kind !== 'adset') return;
    if (after !== 'ACTIVE') state.learning.pause(object);
    else if (state.learning.resume(object)) logLearning(state, object);
    return;
  }
  const isAmount = typeof before === 'number' && typeof after === 'number';
  if (isAmount && !isSignificant(before, after, account.significantEditPercent)) return;
  const adSets =
    object.kind === 'adset' ? [object] : state.store.below(object).filter(({ kind }) => kind === 'adset');
  for (const adSet of adSets) if (state.learning.restart(adSet)) logLearning(state, adSet);
}

/** The platform's own line on an ad set's learning. */
export function logLearning(state: State, adSet: GraphObject): void {
  state.activities.add(adSet, state.now(), PLATFORM, 'update_ad_set_learning_stage_status', {
    new_value: state.learning.status(adSet),
  });
}
