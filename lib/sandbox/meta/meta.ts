// How does Meta's Graph API answer on a laptop?
import type {
  CustomFailure,
  SandboxContext,
  SandboxReply,
  SandboxRequest,
  Vendor,
  VendorFailure,
} from '../vendor.ts';
import { DEFAULT_ACCOUNT, type SandboxAccount } from './accounts.ts';
import { newAd, newAdSet, newCampaign, newCreative, type CreationContext } from './creation.ts';
import {
  errorReply,
  failureOf,
  GraphError,
  invalidParameter,
  invalidToken,
  tooManyCalls,
  unknownObject,
} from './errors.ts';
import { page, passes, project } from './reads.ts';
import { createObjectStore, type GraphObject, type ObjectKind } from './store.ts';
import { createUploads } from './uploads.ts';
import { createCallMeter } from './usage.ts';
import { readParams, type Params } from './wire.ts';

/** Something a client must never do, seen by the simulator and refused by no live API. */
export interface Violation {
  kind: 'created-active' | 'token-in-url';
  detail: string;
}

export interface Meta extends Vendor {
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

const EDGES: Readonly<Record<string, ObjectKind>> = {
  campaigns: 'campaign',
  adsets: 'adset',
  ads: 'ad',
  adcreatives: 'adcreative',
  advideos: 'advideo',
};

/** Kinds whose creation understands `execution_options`. */
const VALIDATABLE: readonly ObjectKind[] = ['campaign', 'adset', 'ad'];

export function createMeta(context: SandboxContext): Meta {
  const store = createObjectStore();
  const uploads = createUploads(store, context);
  const meter = createCallMeter(context.now);
  const accounts = new Map<string, SandboxAccount>([[DEFAULT_ACCOUNT.id, DEFAULT_ACCOUNT]]);
  const violations: Violation[] = [];

  const traceId = (): string =>
    `A${Math.floor(context.random() * 2 ** 48)
      .toString(36)
      .padStart(10, '0')}`;
  const view = (object: GraphObject): Record<string, unknown> =>
    object.kind === 'advideo' ? { ...object.fields, ...uploads.describe(object) } : object.fields;

  const tokenOf = (request: SandboxRequest): string => {
    const inUrl = request.query.get('access_token');
    if (inUrl !== null)
      violations.push({ kind: 'token-in-url', detail: `${request.method} ${request.path}` });
    const token = /^(?:Bearer|OAuth) (.+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? inUrl;
    if (token === null || ![...accounts.values()].some(({ tokens }) => tokens.includes(token)))
      throw invalidToken();
    return token;
  };

  const create = (
    account: SandboxAccount,
    kind: ObjectKind,
    params: Params,
    version: number,
    failsLater: boolean,
  ): object => {
    if (kind === 'advideo') return uploads.post(account, params, failsLater);
    const creation: CreationContext = {
      account,
      store,
      version,
      nowIso: new Date(context.now()).toISOString(),
      onActive: (active, name) => violations.push({ kind: 'created-active', detail: `${active} ${name}` }),
    };
    const fields =
      kind === 'campaign'
        ? newCampaign(creation, params)
        : kind === 'adset'
          ? newAdSet(creation, params)
          : kind === 'ad'
            ? newAd(creation, params)
            : newCreative(creation, params, uploads.isReady);
    const options = params['execution_options'];
    if (VALIDATABLE.includes(kind) && Array.isArray(options) && options.includes('validate_only'))
      return { success: true };
    return { id: store.create(kind, account.id, fields).id };
  };

  const edge = (
    request: SandboxRequest,
    accountId: string,
    name: string,
    params: Params,
    version: number,
  ): SandboxReply => {
    const token = tokenOf(request);
    const account = accountFor(accountId, token, request.method);
    if (name === '' && request.method === 'GET') return { status: 200, body: describeAccount(account) };
    const kind = EDGES[name];
    if (kind === undefined)
      throw new GraphError({ message: `Unknown path components: /${name}`, code: 2500 });
    if (request.method === 'POST')
      return { status: 200, body: create(account, kind, params, version, request.failsLater) };
    if (request.method !== 'GET') throw unknownObject(request.method, `act_${accountId}`);
    const found = store.list(accountId, kind).filter((object) => passes(object, params));
    return page(found, params, `${context.baseUrl()}${request.path}`, token, (object) =>
      project(object, view(object), params),
    );
  };

  const node = (request: SandboxRequest, id: string, params: Params): SandboxReply => {
    const token = tokenOf(request);
    const object = store.get(id);
    // Deleted campaigns, ad sets and ads can still be read; videos and creatives are gone.
    const gone = object === undefined || (object.deleted && !VALIDATABLE.includes(object.kind));
    if (gone || !accounts.get(object.accountId)?.tokens.includes(token))
      throw unknownObject(request.method, id);
    if (request.method === 'GET') return { status: 200, body: project(object, view(object), params) };
    if (request.method !== 'DELETE') throw unknownObject(request.method, id);
    const user = usedBy(object);
    if (user !== undefined)
      throw invalidParameter(
        `${object.kind} ${id} is used by ${user.kind} ${user.id} and cannot be deleted.`,
      );
    store.remove(object);
    return { status: 200, body: { success: true } };
  };

  const usedBy = (object: GraphObject): GraphObject | undefined => {
    if (object.kind === 'advideo')
      return store
        .list(object.accountId, 'adcreative')
        .find(({ fields }) => fields['video_id'] === object.id);
    if (object.kind !== 'adcreative') return undefined;
    return store
      .list(object.accountId, 'ad')
      .find(({ fields }) => (fields['creative'] as { id: string }).id === object.id);
  };

  const accountFor = (id: string, token: string, method: string): SandboxAccount => {
    const account = accounts.get(id);
    if (account === undefined) throw unknownObject(method, `act_${id}`);
    if (!account.tokens.includes(token)) throw failureOf('permission');
    return account;
  };

  /** Every answer carries the headers of the account the request was about. */
  const withUsage = (request: SandboxRequest, reply: SandboxReply, throttled: boolean): SandboxReply => {
    const account = accountOf(request.path);
    if (account === undefined) return reply;
    return { ...reply, headers: { ...meter.headers(account, throttled), ...reply.headers } };
  };
  const accountOf = (path: string): SandboxAccount | undefined => {
    const id = /^\/[^/]+\/(?:act_)?(\d+)/.exec(path)?.[1] ?? '';
    return accounts.get(id) ?? accounts.get(store.get(id)?.accountId ?? '');
  };
  const refuse = (request: SandboxRequest, error: GraphError): SandboxReply =>
    withUsage(request, errorReply(error, traceId()), error.body.code === 17);

  const respond = async (request: SandboxRequest): Promise<SandboxReply> => {
    const account = accountOf(request.path);
    if (account !== undefined) {
      meter.count(account);
      if (meter.isExhausted(account)) throw tooManyCalls();
    }
    const [, versionText = '', head = '', ...rest] = request.path.split('/');
    const version = checkVersion(versionText, request.path);
    const params = await readParams(request);
    const accountId = /^act_(\d+)$/.exec(head)?.[1];
    if (accountId !== undefined && rest.length <= 1)
      return edge(request, accountId, rest[0] ?? '', params, version);
    if (/^\d+$/.test(head) && rest.length === 0) return node(request, head, params);
    throw new GraphError({ message: `Unknown path components: /${[head, ...rest].join('/')}`, code: 2500 });
  };

  return {
    name: 'meta',
    violations,
    async handle(request) {
      try {
        return withUsage(request, await respond(request), false);
      } catch (error) {
        if (error instanceof GraphError) return refuse(request, error);
        throw error;
      }
    },
    failure(kind: VendorFailure | CustomFailure, request) {
      const reply = refuse(request, failureOf(kind));
      return typeof kind === 'string' ? reply : { ...reply, headers: { ...reply.headers, ...kind.headers } };
    },
    addAccount: (account) => accounts.set(account.id, account),
    snapshot: (accountId) => store.snapshot(accountId),
    objects: (accountId, kind) =>
      store.list(accountId, kind).map((object) => ({ id: object.id, fields: view(object) })),
    reset() {
      store.clear();
      uploads.clear();
      meter.clear();
      violations.length = 0;
    },
  };

  function describeAccount(account: SandboxAccount): object {
    return {
      id: `act_${account.id}`,
      account_id: account.id,
      name: account.name,
      currency: account.currency,
      timezone_name: account.timeZone,
      account_status: 1,
      min_daily_budget: account.minDailyBudget,
    };
  }
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
