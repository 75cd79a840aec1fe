// What would a `POST /{id}` change on a campaign, ad set or ad, and may it?
import type { SandboxAccount } from './accounts.ts';
import { atLeastMinimum, checkBid, GOALS, strategyOf } from './creation.ts';
import { parentsOf } from './delivery.ts';
import { invalidParameter } from './errors.ts';
import type { GraphObject, ObjectStore } from './store.ts';
import { budget, text, type Params } from './wire.ts';

export interface FieldChange {
  field: 'status' | 'daily_budget' | 'bid_amount' | 'name' | 'optimization_goal' | 'bid_strategy';
  before: string | number | null;
  after: string | number;
}

const STATUSES = ['ACTIVE', 'PAUSED', 'ARCHIVED', 'DELETED'];

/**
 * The changes that the request asks for; a value that it has already is none. Parameters that no update knows are ignored,
 * as the live API does. @throws GraphError 100 as the live API refuses.
 */
export function planUpdate(
  object: GraphObject,
  params: Params,
  account: SandboxAccount,
  store: ObjectStore,
): FieldChange[] {
  refuseWhenOver(object, params, store);
  return [
    ...nameChange(object, params),
    ...statusChange(object, params),
    ...budgetChange(object, params, account, store),
    ...bidChange(object, params, store),
    ...goalChange(object, params, store),
  ];
}

/** What is archived, or below something that is, may only be renamed or deleted; what is deleted is over. */
function refuseWhenOver(object: GraphObject, params: Params, store: ObjectStore): void {
  const { campaign, adSet } = parentsOf(object, store);
  const family = [object, campaign, adSet].map((one) => one?.fields['status']);
  const isDeleted = family.includes('DELETED');
  if (!isDeleted && !family.includes('ARCHIVED')) return;
  const edits = ['daily_budget', 'lifetime_budget', 'bid_amount', 'optimization_goal', 'bid_strategy'];
  const status = text(params, 'status');
  const isEdit = edits.some((name) => params[name] !== undefined);
  const own = object.fields['status'];
  const movesOn = status !== undefined && status !== 'DELETED' && status !== own;
  if (isDeleted ? status !== own || isEdit : isEdit || movesOn) {
    throw invalidParameter(
      `${object.kind} ${object.id} is ${isDeleted ? 'deleted' : 'archived'} or below something that is: ${
        isDeleted ? 'it cannot be changed' : 'only its name can be changed, and its status to DELETED'
      }.`,
      1_487_566,
    );
  }
}

function nameChange(object: GraphObject, params: Params): FieldChange[] {
  const name = text(params, 'name');
  if (name === undefined) return [];
  if (name.length > 400) throw invalidParameter('name is longer than 400 characters.');
  return changed(object, 'name', name);
}

function statusChange(object: GraphObject, params: Params): FieldChange[] {
  const status = text(params, 'status');
  if (status === undefined) return [];
  if (!STATUSES.includes(status)) throw invalidParameter(`status must be one of ${STATUSES.join(', ')}.`);
  return changed(object, 'status', status);
}

function budgetChange(
  object: GraphObject,
  params: Params,
  account: SandboxAccount,
  store: ObjectStore,
): FieldChange[] {
  if (params['lifetime_budget'] !== undefined)
    throw invalidParameter('A lifetime budget cannot be changed here.');
  if (params['daily_budget'] === undefined) return [];
  const amount = atLeastMinimum(account, budget(params, 'daily_budget'));
  if (amount === undefined) throw invalidParameter('daily_budget must be a positive integer.');
  if (object.kind === 'ad')
    throw invalidParameter('An ad has no budget: daily_budget belongs to its ad set.');
  if (object.fields['lifetime_budget'] !== undefined)
    throw invalidParameter('The type of a budget cannot be changed from lifetime to daily.');
  if (object.fields['daily_budget'] === undefined) {
    const { campaign } = parentsOf(object, store);
    const title = 'Only One Budget Type Is Allowed';
    const where =
      object.kind === 'campaign'
        ? 'The budgets of this campaign are set on its ad sets.'
        : campaign?.fields['daily_budget'] === undefined
          ? 'The budget is set elsewhere.'
          : 'The budget is set on the campaign; the ad set cannot have its own.';
    throw invalidParameter(where, 1_885_621, title);
  }
  const before = Number(object.fields['daily_budget']);
  return before === amount ? [] : [{ field: 'daily_budget', before, after: amount }];
}

function bidChange(object: GraphObject, params: Params, store: ObjectStore): FieldChange[] {
  if (params['bid_amount'] === undefined && params['bid_strategy'] === undefined) return [];
  const bid = budget(params, 'bid_amount');
  if (object.kind !== 'adset') {
    throw invalidParameter(`bid_amount and bid_strategy belong to ad sets, not to this ${object.kind}.`);
  }
  const { campaign } = parentsOf(object, store);
  const strategy = text(params, 'bid_strategy') ?? String(object.fields['bid_strategy']);
  const inForce = bid ?? (object.fields['bid_amount'] as number | undefined);
  checkBid(campaign === undefined ? strategy : strategyOf(strategy, campaign), inForce);
  return [
    ...changed(object, 'bid_strategy', strategy),
    ...(bid === undefined ? [] : changed(object, 'bid_amount', bid)),
  ];
}

function goalChange(object: GraphObject, params: Params, store: ObjectStore): FieldChange[] {
  const goal = text(params, 'optimization_goal');
  if (goal === undefined || object.kind !== 'adset') return [];
  const objective = String(parentsOf(object, store).campaign?.fields['objective']);
  if (!(GOALS[objective] ?? []).includes(goal)) {
    throw invalidParameter(
      `The optimization goal ${goal} is not available for campaign objective ${objective}.`,
      2_490_408,
    );
  }
  return changed(object, 'optimization_goal', goal);
}

function changed(object: GraphObject, field: FieldChange['field'], after: string | number): FieldChange[] {
  const before = (object.fields[field] as string | number | undefined) ?? null;
  return before === after ? [] : [{ field, before, after }];
}
