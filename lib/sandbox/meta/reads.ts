// How are objects of the simulated Graph API read: fields, filters, pages?
import { invalidParameter } from './errors.ts';
import type { GraphObject, ObjectKind } from './store.ts';
import { record, text, type Params } from './wire.ts';

const READABLE: Readonly<Record<ObjectKind, readonly string[]>> = {
  campaign: [
    'id',
    'name',
    'account_id',
    'objective',
    'status',
    'configured_status',
    'effective_status',
    'special_ad_categories',
    'buying_type',
    'daily_budget',
    'lifetime_budget',
    'bid_strategy',
    'issues_info',
    'created_time',
    'updated_time',
  ],
  adset: [
    'id',
    'name',
    'account_id',
    'campaign_id',
    'status',
    'configured_status',
    'effective_status',
    'optimization_goal',
    'billing_event',
    'bid_strategy',
    'targeting',
    'promoted_object',
    'daily_budget',
    'lifetime_budget',
    'bid_amount',
    'learning_stage_info',
    'issues_info',
    'created_time',
    'updated_time',
  ],
  ad: [
    'id',
    'name',
    'account_id',
    'campaign_id',
    'adset_id',
    'creative',
    'status',
    'configured_status',
    'effective_status',
    'issues_info',
    'created_time',
    'updated_time',
  ],
  adcreative: ['id', 'name', 'account_id', 'status', 'object_story_spec', 'video_id'],
  advideo: ['id', 'title', 'account_id', 'status', 'picture', 'created_time'],
};

/** `fields=id,name`: what was asked for and is there; `id` always. @throws GraphError for a field the kind does not have. */
export function project(
  object: GraphObject,
  view: Record<string, unknown>,
  params: Params,
): Record<string, unknown> {
  const asked = (text(params, 'fields') ?? 'id').split(',').map((field) => field.trim());
  for (const field of asked) {
    if (!READABLE[object.kind].includes(field)) {
      throw invalidParameter(`Tried accessing nonexisting field (${field}) on node type (${object.kind})`);
    }
  }
  const readable: Record<string, unknown> = { id: object.id };
  for (const field of asked) if (view[field] !== undefined) readable[field] = view[field];
  return readable;
}

/** Edges whose reads understand `filtering`; the others ignore it, as the live API does. */
const FILTERABLE: readonly ObjectKind[] = ['campaign', 'adset', 'ad'];

/**
 * Does the object pass every filter of the request? Videos are matched by the `title` parameter; what is archived is listed
 * only when the request asks for a status.
 */
export function passes(object: GraphObject, view: Record<string, unknown>, params: Params): boolean {
  if (object.kind === 'advideo') {
    const title = text(params, 'title');
    return title === undefined || String(object.fields['title']).includes(title);
  }
  if (!FILTERABLE.includes(object.kind)) return true;
  const filters = filtersOf(params);
  const asksForStatus = filters.some(({ field }) => field.endsWith('status'));
  if (view['effective_status'] === 'ARCHIVED' && !asksForStatus) return false;
  return filters.every(({ field, operator, value }) => {
    const actual = view[field];
    switch (operator) {
      case 'EQUAL':
        return actual === value;
      case 'CONTAIN':
        return String(actual).toLowerCase().includes(String(value).toLowerCase());
      case 'IN':
        return Array.isArray(value) && value.includes(actual);
      default:
        throw invalidParameter(`filtering does not know the operator ${operator}.`);
    }
  });
}

interface Filter {
  field: string;
  operator: string;
  value: unknown;
}

function filtersOf(params: Params): Filter[] {
  const filters = params['filtering'] ?? [];
  if (!Array.isArray(filters)) throw invalidParameter('filtering must be a list of filters.');
  const statuses = params['effective_status'];
  return [
    ...(Array.isArray(statuses) ? [{ field: 'effective_status', operator: 'IN', value: statuses }] : []),
    ...filters.map((filter) => {
      const { field, operator, value } = record(filter) ?? {};
      return { field: String(field).split('.').at(-1) ?? '', operator: String(operator), value };
    }),
  ];
}
