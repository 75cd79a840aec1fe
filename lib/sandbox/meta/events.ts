// How does the simulated account's history word a change?
import type { GraphObject, ObjectKind } from './store.ts';
import type { FieldChange } from './updates.ts';

type Names = Readonly<Partial<Record<ObjectKind, string>>>;

/** `event_type` by what changed and on what. */
export const EVENT_TYPES: Readonly<Record<Exclude<FieldChange['field'], 'status'> | 'created', Names>> = {
  created: { campaign: 'create_campaign_group', adset: 'create_ad_set', ad: 'create_ad' },
  daily_budget: { campaign: 'update_campaign_budget', adset: 'update_ad_set_budget' },
  bid_amount: { adset: 'update_ad_set_bidding' },
  bid_strategy: { adset: 'update_ad_set_bid_strategy' },
  optimization_goal: { adset: 'update_ad_set_optimization_goal' },
  name: { campaign: 'update_campaign_name', adset: 'update_ad_set_name', ad: 'update_ad_friendly_name' },
};

const STATUS_EVENTS: Names = {
  campaign: 'update_campaign_run_status',
  adset: 'update_ad_set_run_status',
  ad: 'update_ad_run_status',
};

const STATUS_WORDS: Readonly<Record<string, string>> = {
  ACTIVE: 'Active',
  PAUSED: 'Inactive',
  ARCHIVED: 'Archived',
  DELETED: 'Deleted',
};
const IN_BETWEEN = 'Pending Process';

/** Amounts are nested and only the new one says that it is per day. */
export function budgetExtra(
  currency: string,
  before: string | number | null,
  after: string | number,
): object {
  return {
    old_value: { type: 'payment_amount', currency, old_value: before },
    new_value: { type: 'payment_amount', currency, new_value: after, additional_value: 'Per day' },
    type: 'composite_data',
  };
}

/** Worded like a budget; no public sample of the live shape is known. */
export function bidExtra(currency: string, before: string | number | null, after: string | number): object {
  return {
    old_value: { type: 'payment_amount', currency, old_value: before },
    new_value: { type: 'payment_amount', currency, new_value: after },
    type: 'composite_data',
  };
}

/** One line for a campaign or ad set; an ad goes through `Pending Process` and a note on its review, three lines in all. */
export function statusEvents(
  object: GraphObject,
  before: string | number | null,
  after: string,
): { eventType: string; extra: object }[] {
  const eventType = STATUS_EVENTS[object.kind] ?? '';
  const old = before === null ? null : STATUS_WORDS[String(before)];
  const word = STATUS_WORDS[after] ?? after;
  if (object.kind !== 'ad')
    return [{ eventType, extra: { old_value: old, new_value: word, type: 'run_status' } }];
  // Inside, the old names hold too: the campaign of an ad is its ad set.
  const parent = { campaign_id: object.fields['adset_id'], type: 'run_status' };
  return [
    { eventType, extra: { old_value: old, new_value: IN_BETWEEN, ...parent } },
    {
      eventType: 'update_ad_run_status_to_be_set_after_review',
      extra: { old_value: old, new_value: word, ...parent },
    },
    { eventType, extra: { old_value: IN_BETWEEN, new_value: word, ...parent } },
  ];
}
