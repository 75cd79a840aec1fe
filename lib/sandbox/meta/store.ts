// Which objects are in the simulated ad accounts?

export type ObjectKind = 'campaign' | 'adset' | 'ad' | 'adcreative' | 'advideo';

export interface GraphObject {
  id: string;
  kind: ObjectKind;
  accountId: string;
  /** As a reader of the live API sees them: ids and budgets are strings. */
  fields: Record<string, unknown>;
  deleted: boolean;
}

export interface ObjectStore {
  /** `id` was issued before (`nextId`) or is issued now. */
  create(kind: ObjectKind, accountId: string, fields: Record<string, unknown>, id?: string): GraphObject;
  get(id: string): GraphObject | undefined;
  /** Newest first, deleted ones left out. */
  list(accountId: string, kind: ObjectKind): GraphObject[];
  /** Deletes it and, for campaigns and ad sets, what is below. */
  remove(object: GraphObject): void;
  nextId(): string;
  /** Deterministic JSON of everything in the account that is not deleted. */
  snapshot(accountId: string): string;
  clear(): void;
}

const FIRST_ID = 120_200_000_000_000_000n;

export function createObjectStore(): ObjectStore {
  const objects = new Map<string, GraphObject>();
  let issued = 0n;
  const nextId = (): string => {
    issued += 1n;
    // Like the live ids: large, beyond 2^53, not consecutive.
    return String(FIRST_ID + issued * 10_007n);
  };
  const below = (parent: GraphObject): GraphObject[] =>
    [...objects.values()].filter(
      ({ kind, fields }) =>
        (kind === 'adset' && fields['campaign_id'] === parent.id) ||
        (kind === 'ad' && (fields['adset_id'] === parent.id || fields['campaign_id'] === parent.id)),
    );
  return {
    nextId,
    create(kind, accountId, fields, id = nextId()) {
      const object: GraphObject = { id, kind, accountId, fields, deleted: false };
      objects.set(object.id, object);
      return object;
    },
    get: (id) => objects.get(id),
    list: (accountId, kind) =>
      [...objects.values()]
        .filter((object) => object.accountId === accountId && object.kind === kind && !object.deleted)
        .toReversed(),
    remove(object) {
      for (const gone of [object, ...below(object)]) {
        gone.deleted = true;
        if ('status' in gone.fields && gone.kind !== 'advideo') {
          gone.fields['status'] = 'DELETED';
          gone.fields['effective_status'] = 'DELETED';
        }
      }
    },
    snapshot(accountId) {
      const present = [...objects.values()]
        .filter((object) => object.accountId === accountId && !object.deleted)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map(({ id, kind, fields }) => ({
          id,
          kind,
          ...Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))),
        }));
      return JSON.stringify(present, null, 2);
    },
    clear() {
      objects.clear();
      issued = 0n;
    },
  };
}
