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
  /** Ad sets and ads of a campaign, ads of an ad set; deleted ones left out. */
  below(parent: GraphObject): GraphObject[];
  /** Deletes it and, for campaigns and ad sets, what is below; all that this deleted, the object itself first. */
  remove(object: GraphObject): GraphObject[];
  nextId(): string;
  /** Deterministic JSON of everything in the account that is not deleted. */
  snapshot(accountId: string): string;
  clear(): void;
}

const FIRST_ID = 120_200_000_000_000_000n;

export function createObjectStore(): ObjectStore {
  const objects = new Map<string, GraphObject>();
  /** Oldest first, by account and kind. */
  const shelves = new Map<string, GraphObject[]>();
  let issued = 0n;
  const nextId = (): string => {
    issued += 1n;
    // Like the live ids: large, beyond 2^53, not consecutive.
    return String(FIRST_ID + issued * 10_007n);
  };
  const shelf = (accountId: string, kind: ObjectKind): GraphObject[] => {
    const key = `${accountId}/${kind}`;
    const found = shelves.get(key) ?? [];
    shelves.set(key, found);
    return found;
  };
  const below = (parent: GraphObject): GraphObject[] => {
    if (parent.kind !== 'campaign' && parent.kind !== 'adset') return [];
    const field = parent.kind === 'campaign' ? 'campaign_id' : 'adset_id';
    return [...shelf(parent.accountId, 'adset'), ...shelf(parent.accountId, 'ad')].filter(
      ({ fields }) => fields[field] === parent.id,
    );
  };
  return {
    nextId,
    create(kind, accountId, fields, id = nextId()) {
      const object: GraphObject = { id, kind, accountId, fields, deleted: false };
      objects.set(object.id, object);
      shelf(accountId, kind).push(object);
      return object;
    },
    get: (id) => objects.get(id),
    list: (accountId, kind) =>
      shelf(accountId, kind)
        .filter(({ deleted }) => !deleted)
        .toReversed(),
    below: (parent) => below(parent).filter(({ deleted }) => !deleted),
    remove(object) {
      const gone = [object, ...below(object)].filter(({ deleted }) => !deleted);
      for (const one of gone) {
        one.deleted = true;
        if ('status' in one.fields && one.kind !== 'advideo') one.fields['status'] = 'DELETED';
      }
      return gone;
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
      shelves.clear();
      issued = 0n;
    },
  };
}
