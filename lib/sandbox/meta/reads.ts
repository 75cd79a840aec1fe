// How are objects of the simulated Graph API read: fields, filters, pages?
import type { SandboxReply } from '../vendor.ts';
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
    'bid_strategy',
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

/** Does the object pass every filter of the request? Videos are matched by the `title` parameter. */
export function passes(object: GraphObject, params: Params): boolean {
  if (object.kind === 'advideo') {
    const title = text(params, 'title');
    return title === undefined || String(object.fields['title']).includes(title);
  }
  const filters = params['filtering'];
  if (filters === undefined || !FILTERABLE.includes(object.kind)) return true;
  if (!Array.isArray(filters)) throw invalidParameter('filtering must be a list of filters.');
  return filters.every((filter) => {
    const { field, operator, value } = record(filter) ?? {};
    const actual = object.fields[String(field).split('.').at(-1) ?? ''];
    switch (operator) {
      case 'EQUAL':
        return actual === value;
      case 'CONTAIN':
        return String(actual).toLowerCase().includes(String(value).toLowerCase());
      case 'IN':
        return Array.isArray(value) && value.includes(actual);
      default:
        throw invalidParameter(`filtering does not know the operator ${String(operator)}.`);
    }
  });
}

const DEFAULT_PAGE = 25;
const LARGEST_PAGE = 500;

/** One page of an edge. `next` is a whole URL with the token in it, as the live API gives it. */
export function page(
  objects: readonly GraphObject[],
  params: Params,
  edgeUrl: string,
  token: string,
  read: (object: GraphObject) => Record<string, unknown>,
): SandboxReply {
  const limit = Number(text(params, 'limit') ?? DEFAULT_PAGE);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LARGEST_PAGE)
    throw invalidParameter(`limit must be between 1 and ${LARGEST_PAGE}.`);
  const after = text(params, 'after');
  const afterId = after === undefined ? undefined : Buffer.from(after, 'base64url').toString();
  // Newest first, and ids only grow: a page starts below the last id of the one before, whatever was deleted meanwhile.
  const rest = afterId === undefined ? objects : objects.filter(({ id }) => BigInt(id) < BigInt(afterId));
  const shown = rest.slice(0, limit);
  const cursor = (object: GraphObject | undefined): string =>
    Buffer.from(object?.id ?? '').toString('base64url');
  const next = `${edgeUrl}?access_token=${encodeURIComponent(token)}&limit=${limit}&after=${cursor(shown.at(-1))}`;
  return {
    status: 200,
    body: {
      data: shown.map(read),
      ...(shown.length === 0
        ? {}
        : {
            paging: {
              cursors: { before: cursor(shown[0]), after: cursor(shown.at(-1)) },
              ...(rest.length > limit ? { next } : {}),
            },
          }),
    },
  };
}
