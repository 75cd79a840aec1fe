// How are single objects of the simulated Graph API read, updated and deleted?
import type { SandboxReply, SandboxRequest } from '../vendor.ts';
import type { Access } from './access.ts';
import type { KnownAccount } from './accounts.ts';
import { apiActor } from './activities.ts';
import { invalidParameter, unknownObject } from './errors.ts';
import type { MutationLimits } from './limits.ts';
import { project } from './reads.ts';
import { applyChanges, LIVE_KINDS, removeObject, type State } from './state.ts';
import type { GraphObject } from './store.ts';
import { planUpdate } from './updates.ts';
import { isValidation, type Params } from './wire.ts';

export interface Nodes {
  /** `GET`, `POST` and `DELETE` of `/<id>`. */
  answer(request: SandboxRequest, id: string, params: Params): SandboxReply;
}

const SUCCESS: SandboxReply = { status: 200, body: { success: true } };

export function createNodes(
  state: State,
  access: Access,
  limits: MutationLimits,
  view: (object: GraphObject) => Record<string, unknown>,
): Nodes {
  const { store, accounts } = state;

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

  const update = (
    request: SandboxRequest,
    object: GraphObject,
    account: KnownAccount,
    params: Params,
  ): SandboxReply => {
    const changes = planUpdate(object, params, account, store);
    const isBudget = object.kind === 'adset' && changes.some(({ field }) => field === 'daily_budget');
    const validates = isValidation(params);
    if (isBudget) limits.checkBudgetChange(object, account, validates);
    if (validates) return SUCCESS;
    if (isBudget) limits.countBudgetChange(object);
    applyChanges(state, object, changes, account, apiActor(request.no));
    return SUCCESS;
  };

  return {
    answer(request, id, params) {
      const { method } = request;
      const token = access.tokenOf(request);
      const object = store.get(id);
      const account = accounts.get(object?.accountId ?? '');
      // Deleted campaigns, ad sets and ads can still be read; videos and creatives are gone.
      const gone = object === undefined || (object.deleted && !LIVE_KINDS.includes(object.kind));
      if (gone || account === undefined || !account.tokens.includes(token)) throw unknownObject(method, id);
      access.check(account, method, id);
      if (method === 'GET') return { status: 200, body: project(object, view(object), params) };
      if (LIVE_KINDS.includes(object.kind)) limits.countMutation(account);
      if (method === 'POST' && LIVE_KINDS.includes(object.kind))
        return update(request, object, account, params);
      if (method !== 'DELETE') throw unknownObject(method, id);
      const user = usedBy(object);
      if (user !== undefined)
        throw invalidParameter(
          `${object.kind} ${id} is used by ${user.kind} ${user.id} and cannot be deleted.`,
        );
      removeObject(state, object, apiActor(request.no));
      return SUCCESS;
    },
  };
}
