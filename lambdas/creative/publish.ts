// How does each object of a launch come to exist exactly once, and how is it taken back?
import type { Effects, Intent } from '../runtime/intents.ts';
import { Conflict } from '../runtime/errors.ts';
import type { AdObjectKind, Publisher } from '../ports/ads/publisher.ts';
import type { Entity } from '../changes/change.ts';
import { adObjectName, ownedMark } from '../ports/ads/names.ts';

/** Names of the effects of publishing, in the order of creation. Each is undone by UndoPublish. */
export const PUBLISH_EFFECTS = [
  'campaign',
  'ad-set',
  'video',
  'creative',
  'ad',
] as const satisfies readonly AdObjectKind[];

/** What an intent remembers, so that an undo needs nothing else. */
export interface PublishDetails {
  name: string;
  accountId: string;
  secret: string;
}

export interface Creation {
  kind: AdObjectKind;
  /** A domain id: the variation, or `launch` for what there is one of. */
  subject: string;
  /** What people read in front of the key. */
  label: string;
  create(name: string): Promise<{ id: string }>;
}

/**
 * Creates one object, or returns the one that an earlier try made. The intent is recorded before the call; when a try's
 * outcome is unknown the account is read before anything is created again.
 */
export async function ensure(
  context: {
    effects: Effects;
    publisher: Publisher;
    runId: string;
    account: { accountId: string; secret: string };
  },
  { kind, subject, label, create }: Creation,
): Promise<string> {
  const { effects, publisher, runId, account } = context;
  const name = adObjectName({ runId, effect: kind, subject }, label);
  const details: PublishDetails = { name, accountId: account.accountId, secret: account.secret };
  const begun = await effects.begin(kind, subject, details);
  if (begun.status === 'applied') return (begun.result as { id: string }).id;
  const found =
    begun.status === 'begun'
      ? await publisher.findByName(kind, (begun.details as PublishDetails).name)
      : null;
  const { id } = found ?? (await create(name));
  try {
    await effects.applied(kind, subject, { id });
  } catch (error) {
    // Undone meanwhile: this call is a straggler, and what it made must not stay.
    if (error instanceof Conflict) await publisher.remove(kind, id);
    throw error;
  }
  return id;
}

/** What has a timeline of its own, by account: objects that stand open, known by their ids. */
export async function createdObjects(effects: Effects): Promise<Map<string, Entity[]>> {
  const created = new Map<string, Entity[]>();
  for (const [effect, kind] of [
    ['ad', 'ad'],
    ['ad-set', 'adset'],
    ['campaign', 'campaign'],
  ] as const) {
    for (const { details, result } of await effects.open(effect)) {
      const { accountId } = details as PublishDetails;
      const id = (result as { id: string } | undefined)?.id;
      if (id !== undefined) created.set(accountId, [...(created.get(accountId) ?? []), { kind, id }]);
    }
  }
  return created;
}

/**
 * Deletes everything the run created, children first, but not what an earlier attempt of it published with success. Succeeds on
 * what never happened, and finds by name what was created when its reply was lost.
 */
export async function takeBack(
  effects: Effects,
  publisherOf: (details: PublishDetails) => Promise<Publisher>,
  runId: string,
): Promise<number> {
  let removed = 0;
  const open: Intent[] = [];
  for (const kind of PUBLISH_EFFECTS.toReversed()) open.push(...(await effects.open(kind)));
  const accounts = new Map<string, PublishDetails>();
  for (const { effect, details, result } of open) {
    const intended = details as PublishDetails;
    const kind = effect as AdObjectKind;
    accounts.set(intended.accountId, intended);
    const publisher = await publisherOf(intended);
    const id =
      (result as { id: string } | undefined)?.id ?? (await publisher.findByName(kind, intended.name))?.id;
    if (id !== undefined && (await publisher.remove(kind, id))) removed += 1;
  }
  const kept = new Set<unknown>();
  for (const kind of PUBLISH_EFFECTS) {
    for (const { result } of await effects.kept(kind)) kept.add((result as { id: string }).id);
  }
  for (const details of accounts.values()) {
    // A call whose reply was lost may have landed after the look-up by name.
    const publisher = await publisherOf(details);
    for (const { kind, id } of await publisher.listOwned(ownedMark(runId))) {
      if (!kept.has(id) && (await publisher.remove(kind, id))) removed += 1;
    }
  }
  for (const { effect, subject } of open) await effects.undone(effect, subject);
  return removed;
}
