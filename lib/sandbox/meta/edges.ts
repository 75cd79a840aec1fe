// How are the lists of a simulated ad account read and added to?
import type { SandboxReply, SandboxRequest } from '../vendor.ts';
import type { Access } from './access.ts';
import type { KnownAccount } from './accounts.ts';
import { apiActor } from './activities.ts';
import { newAd, newAdSet, newCampaign, newCreative, type CreationContext } from './creation.ts';
import { GraphError, unknownObject } from './errors.ts';
import type { MutationLimits } from './limits.ts';
import { pageOf } from './pages.ts';
import { passes, project } from './reads.ts';
import { LIVE_KINDS, recordCreation, type State } from './state.ts';
import type { GraphObject, ObjectKind } from './store.ts';
import type { Uploads } from './uploads.ts';
import { graphTime, isValidation, type Params } from './wire.ts';

const KINDS: Readonly<Record<string, ObjectKind>> = {
  campaigns: 'campaign',
  adsets: 'adset',
  ads: 'ad',
  adcreatives: 'adcreative',
  advideos: 'advideo',
};

export interface EdgeRequest {
  request: SandboxRequest;
  accountId: string;
  /** Below `act_<id>`; empty for the account itself. */
  name: string;
  params: Params;
  /** `v25.0` → 25. */
  version: number;
}

export interface Edges {
  answer(asked: EdgeRequest): SandboxReply;
}

export function createEdges(
  state: State,
  access: Access,
  limits: MutationLimits,
  uploads: Uploads,
  baseUrl: () => string,
  view: (object: GraphObject) => Record<string, unknown>,
  onActive: (kind: ObjectKind, name: string) => void,
): Edges {
  const create = (account: KnownAccount, kind: ObjectKind, asked: EdgeRequest): object => {
    const { request, params, version } = asked;
    if (kind === 'advideo') return uploads.post(account, params, request);
    const createdTime = graphTime(state.now());
    const creation: CreationContext = { account, store: state.store, version, createdTime, onActive };
    const fields =
      kind === 'campaign'
        ? newCampaign(creation, params)
        : kind === 'adset'
          ? newAdSet(creation, params)
          : kind === 'ad'
            ? newAd(creation, params)
            : newCreative(creation, params, uploads.isReady);
    if (LIVE_KINDS.includes(kind) && isValidation(params)) return { success: true };
    const object = state.store.create(kind, account.id, fields);
    recordCreation(state, object, apiActor(request.no));
    return { id: object.id };
  };

  return {
    answer(asked) {
      const { request, accountId, name, params } = asked;
      const { method } = request;
      const token = access.tokenOf(request);
      const account = access.accountFor(accountId, token, method);
      const url = `${baseUrl()}${request.path}`;
      if (name === '' && method === 'GET') return { status: 200, body: describeAccount(account) };
      if (name === 'activities' && method === 'GET')
        return state.activities.read(account, params, url, token);
      const kind = KINDS[name];
      if (kind === undefined)
        throw new GraphError({ message: `Unknown path components: /${name}`, code: 2500 });
      if (method === 'POST') {
        if (LIVE_KINDS.includes(kind)) limits.countMutation(account);
        return { status: 200, body: create(account, kind, asked) };
      }
      if (method !== 'GET') throw unknownObject(method, `act_${accountId}`);
      const found = state.store
        .list(accountId, kind)
        .map((object) => ({ id: object.id, object, fields: view(object) }))
        .filter(({ object, fields }) => passes(object, fields, params));
      return pageOf(found, params, url, token, ({ object, fields }) => project(object, fields, params));
    },
  };
}

function describeAccount(account: KnownAccount): object {
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
