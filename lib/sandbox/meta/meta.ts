// How does Meta's Graph API answer on a laptop?
import type {
  CustomFailure,
  SandboxContext,
  SandboxReply,
  SandboxRequest,
  Vendor,
  VendorFailure,
} from '../vendor.ts';
import { createAccess } from './access.ts';
import { DEFAULT_ACCOUNT, withDefaults, type KnownAccount, type SandboxAccount } from './accounts.ts';
import { apiActor, createActivityLog } from './activities.ts';
import { createDoors, type Doors } from './doors.ts';
import { createEdges } from './edges.ts';
import { createEffectLog } from './effects.ts';
import { errorReply, failureOf, GraphError, shutsAccount } from './errors.ts';
import { createLearningStates } from './learning.ts';
import { createMutationLimits } from './limits.ts';
import { createNodes } from './nodes.ts';
import { LIVE_KINDS, liveView, recordCreation, type State } from './state.ts';
import { createObjectStore, type GraphObject, type ObjectKind } from './store.ts';
import { createUploads } from './uploads.ts';
import { appUsage, createCallMeter } from './usage.ts';
import { readParams } from './wire.ts';

/** Something a client must never do, seen by the simulator and refused by no live API. */
export interface Violation {
  kind: 'created-active' | 'token-in-url';
  detail: string;
}

export interface Meta extends Vendor, Doors {
  readonly violations: readonly Violation[];
  addAccount(account: SandboxAccount): void;
  /** Deterministic JSON of everything in the account: equal text, equal account. */
  snapshot(accountId: string): string;
  /** Objects of one kind, newest first, with their fields as a read shows them. */
  objects(
    accountId: string,
    kind: ObjectKind,
  ): readonly { id: string; fields: Readonly<Record<string, unknown>> }[];
}

const OLDEST_VERSION = 24;
const NEWEST_VERSION = 26;

export function createMeta(context: SandboxContext): Meta {
  const { now } = context;
  const violations: Violation[] = [];
  const state: State = {
    store: createObjectStore(),
    effects: createEffectLog(),
    activities: createActivityLog(now),
    learning: createLearningStates(now),
    reviews: new Map(),
    accounts: new Map([[DEFAULT_ACCOUNT.id, withDefaults(DEFAULT_ACCOUNT)]]),
    now,
  };
  const { store, accounts } = state;
  const uploads = createUploads(store, context, (video, { no }) =>
    recordCreation(state, video, apiActor(no)),
  );
  const meter = createCallMeter(now);
  const limits = createMutationLimits(now);
  const access = createAccess(accounts, (detail) => violations.push({ kind: 'token-in-url', detail }));
  const view = (object: GraphObject): Record<string, unknown> => {
    if (LIVE_KINDS.includes(object.kind)) return liveView(state, object);
    return object.kind === 'advideo' ? { ...object.fields, ...uploads.describe(object) } : object.fields;
  };
  const onActive = (kind: ObjectKind, name: string): void =>
    void violations.push({ kind: 'created-active', detail: `${kind} ${name}` });
  const edges = createEdges(state, access, limits, uploads, context.baseUrl, view, onActive);
  const nodes = createNodes(state, access, limits, view);

  const traceId = (): string =>
    `A${Math.floor(context.random() * 2 ** 48)
      .toString(36)
      .padStart(10, '0')}`;

  /** Every answer carries the headers of the account the request was about. */
  const withUsage = (request: SandboxRequest, reply: SandboxReply, throttled: boolean): SandboxReply => {
    const account = accountOf(request.path);
    const usage = account === undefined ? appUsage(0) : meter.headers(account, throttled);
    return { ...reply, headers: { ...usage, ...reply.headers } };
  };
  const accountOf = (path: string): KnownAccount | undefined => {
    const id = /^\/[^/]+\/(?:act_)?(\d+)/.exec(path)?.[1] ?? '';
    return accounts.get(id) ?? accounts.get(store.get(id)?.accountId ?? '');
  };
  const refuse = (request: SandboxRequest, error: GraphError): SandboxReply =>
    withUsage(request, errorReply(error, traceId()), shutsAccount(error));

  const respond = async (request: SandboxRequest): Promise<SandboxReply> => {
    const account = accountOf(request.path);
    if (account !== undefined) {
      meter.count(account);
      const refusal = meter.refusal(account);
      if (refusal !== undefined) throw refusal;
    }
    const [, versionText = '', head = '', ...rest] = request.path.split('/');
    const version = checkVersion(versionText, request.path);
    const params = await readParams(request);
    const accountId = /^act_(\d+)$/.exec(head)?.[1];
    if (accountId !== undefined && rest.length <= 1)
      return edges.answer({ request, accountId, name: rest[0] ?? '', params, version });
    if (/^\d+$/.test(head) && rest.length === 0) return nodes.answer(request, head, params);
    throw new GraphError({ message: `Unknown path components: /${[head, ...rest].join('/')}`, code: 2500 });
  };

  return {
    name: 'meta',
    violations,
    ...createDoors(state, access, limits, meter),
    async handle(request) {
      try {
        return withUsage(request, await respond(request), false);
      } catch (error) {
        if (error instanceof GraphError) return refuse(request, error);
        throw error;
      }
    },
    failure(kind: VendorFailure | CustomFailure, request) {
      const account = accountOf(request.path);
      if (account !== undefined) meter.count(account);
      const reply = refuse(request, failureOf(kind));
      return typeof kind === 'string' ? reply : { ...reply, headers: { ...reply.headers, ...kind.headers } };
    },
    addAccount: (account) => accounts.set(account.id, withDefaults(account)),
    snapshot: (accountId) => store.snapshot(accountId),
    objects: (accountId, kind) =>
      store.list(accountId, kind).map((object) => ({ id: object.id, fields: view(object) })),
    reset() {
      for (const part of [store, uploads, meter, limits, access]) part.clear();
      for (const log of [state.effects, state.activities, state.learning, state.reviews]) log.clear();
      violations.length = 0;
    },
  };
}

/** `v25.0` → 25. @throws GraphError 2635 for a retired version, 2500 for one that does not exist. */
function checkVersion(segment: string, path: string): number {
  const version = Number(/^v(\d+)\.0$/.exec(segment)?.[1]);
  if (version < OLDEST_VERSION) {
    throw new GraphError({
      message: `(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v${NEWEST_VERSION}.0.`,
      code: 2635,
    });
  }
  if (Number.isNaN(version) || version > NEWEST_VERSION) {
    throw new GraphError({ message: `Unknown path components: ${path}`, code: 2500 });
  }
  return version;
}
