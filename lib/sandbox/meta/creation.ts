// May this campaign, ad set, creative or ad be created, and what does it look like then?
import type { SandboxAccount } from './accounts.ts';
import { GraphError, invalidParameter, unknownObject } from './errors.ts';
import type { GraphObject, ObjectKind, ObjectStore } from './store.ts';
import { budget, record, requiredText, text, type Params } from './wire.ts';

export interface CreationContext {
  account: SandboxAccount;
  store: ObjectStore;
  /** `v25.0` → 25. */
  version: number;
  /** As Graph writes times. */
  createdTime: string;
  /** Called when something that could spend money is created running. */
  onActive(kind: ObjectKind, name: string): void;
}

const AWARENESS = ['REACH', 'IMPRESSIONS', 'AD_RECALL_LIFT', 'THRUPLAY', 'TWO_SECOND_CONTINUOUS_VIDEO_VIEWS'];
const WEBSITE = ['LINK_CLICKS', 'LANDING_PAGE_VIEWS', 'REACH', 'IMPRESSIONS', 'CONVERSATIONS'];

/** Optimisation goals the live API accepts below each objective (Outcome-Driven Ad Experiences). */
export const GOALS: Readonly<Record<string, readonly string[]>> = {
  OUTCOME_AWARENESS: AWARENESS,
  OUTCOME_TRAFFIC: WEBSITE,
  OUTCOME_ENGAGEMENT: [
    ...WEBSITE,
    'POST_ENGAGEMENT',
    'THRUPLAY',
    'TWO_SECOND_CONTINUOUS_VIDEO_VIEWS',
    'OFFSITE_CONVERSIONS',
  ],
  OUTCOME_LEADS: [...WEBSITE, 'LEAD_GENERATION', 'QUALITY_LEAD', 'OFFSITE_CONVERSIONS'],
  OUTCOME_SALES: [...WEBSITE, 'OFFSITE_CONVERSIONS', 'VALUE'],
};

const BILLING = ['IMPRESSIONS', 'LINK_CLICKS', 'THRUPLAY'];
const SPECIAL_CATEGORIES = [
  'NONE',
  'EMPLOYMENT',
  'HOUSING',
  'CREDIT',
  'ISSUES_ELECTIONS_POLITICS',
  'ONLINE_GAMBLING_AND_GAMING',
  'FINANCIAL_PRODUCTS_SERVICES',
];

/** Fields of the new campaign. @throws GraphError as the live API refuses. */
export function newCampaign(context: CreationContext, params: Params): Record<string, unknown> {
  const objective = requiredText(params, 'objective');
  if (GOALS[objective] === undefined)
    throw invalidParameter(`objective must be one of ${Object.keys(GOALS).join(', ')}.`);
  const categories = params['special_ad_categories'];
  if (!Array.isArray(categories))
    throw invalidParameter('The parameter special_ad_categories is required.', 1_815_715);
  const unknown = categories.find((category) => !SPECIAL_CATEGORIES.includes(String(category)));
  if (unknown !== undefined)
    throw invalidParameter(`special_ad_categories does not know ${String(unknown)}.`);
  const daily = atLeastMinimum(context.account, budget(params, 'daily_budget'));
  if (
    daily === undefined &&
    context.version >= 24 &&
    text(params, 'is_adset_budget_sharing_enabled') === undefined
  ) {
    throw invalidParameter(
      'Must specify True or False in is_adset_budget_sharing_enabled field if you are not using campaign budget',
      4_834_011,
    );
  }
  return {
    ...common(context, 'campaign', params),
    objective,
    special_ad_categories: categories,
    buying_type: text(params, 'buying_type') ?? 'AUCTION',
    ...(daily === undefined
      ? {}
      : {
          daily_budget: String(daily),
          bid_strategy: text(params, 'bid_strategy') ?? 'LOWEST_COST_WITHOUT_CAP',
        }),
  };
}

/** Fields of the new ad set. @throws GraphError as the live API refuses. */
export function newAdSet(context: CreationContext, params: Params): Record<string, unknown> {
  const campaign = parent(context, requiredText(params, 'campaign_id'), 'campaign', 'campaign_id');
  const goal = requiredText(params, 'optimization_goal');
  const objective = String(campaign.fields['objective']);
  if (!(GOALS[objective] ?? []).includes(goal)) {
    throw invalidParameter(
      `The optimization goal ${goal} is not available for campaign objective ${objective}.`,
      2_490_408,
    );
  }
  const billing = requiredText(params, 'billing_event');
  if (!BILLING.includes(billing))
    throw invalidParameter(`billing_event must be one of ${BILLING.join(', ')}.`);
  if (billing !== 'IMPRESSIONS' && billing !== goal) {
    throw invalidParameter(`billing_event ${billing} cannot be used with optimization goal ${goal}.`);
  }
  const promoted = record(params['promoted_object']);
  if (goal === 'OFFSITE_CONVERSIONS' || goal === 'VALUE') {
    if (promoted?.['pixel_id'] === undefined)
      throw invalidParameter('promoted_object must name a pixel for this optimization goal.', 1_885_154);
    if (!context.account.pixelIds.includes(text(promoted, 'pixel_id') ?? ''))
      throw invalidParameter('The pixel is not shared with this ad account.');
  }
  const countries = record(record(params['targeting'])?.['geo_locations'])?.['countries'];
  if (!Array.isArray(countries) || countries.length === 0) {
    throw invalidParameter('Your ad set must include at least one location or a custom audience.', 1_885_364);
  }
  const daily = atLeastMinimum(context.account, budget(params, 'daily_budget'));
  const campaignHasBudget = campaign.fields['daily_budget'] !== undefined;
  if (campaignHasBudget && daily !== undefined)
    throw invalidParameter('The budget is set on the campaign; the ad set cannot have its own.', 1_885_621);
  if (!campaignHasBudget && daily === undefined)
    throw invalidParameter('You must set a daily or lifetime budget.', 1_885_024);
  const strategy = text(params, 'bid_strategy') ?? 'LOWEST_COST_WITHOUT_CAP';
  const bid = budget(params, 'bid_amount');
  checkBid(strategyOf(strategy, campaign), bid);
  return {
    ...common(context, 'adset', params),
    campaign_id: campaign.id,
    optimization_goal: goal,
    billing_event: billing,
    bid_strategy: strategy,
    ...(bid === undefined ? {} : { bid_amount: bid }),
    targeting: params['targeting'],
    ...(promoted === undefined ? {} : { promoted_object: promoted }),
    ...(daily === undefined ? {} : { daily_budget: String(daily) }),
  };
}

/** Fields of the new creative. @throws GraphError as the live API refuses. */
export function newCreative(
  context: CreationContext,
  params: Params,
  isReady: (video: GraphObject) => boolean,
): Record<string, unknown> {
  const story = record(params['object_story_spec']);
  if (story === undefined) throw invalidParameter('The parameter object_story_spec is required.');
  if (!context.account.pageIds.includes(String(story['page_id']))) {
    throw new GraphError(
      { message: '(#200) The page is missing or this token may not advertise for it', code: 200 },
      403,
    );
  }
  const video = record(story['video_data']);
  if (video === undefined) throw invalidParameter('object_story_spec must contain video_data.');
  const source = parent(context, String(video['video_id']), 'advideo', 'video_id');
  if (!isReady(source))
    throw invalidParameter(
      'The video is not ready for use in an ad: it is still being processed.',
      1_885_252,
    );
  if (video['image_url'] === undefined && video['image_hash'] === undefined) {
    throw invalidParameter(
      'Please specify one of image_hash or image_url in the video_data field of object_story_spec.',
      1_443_226,
    );
  }
  if (record(record(video['call_to_action'])?.['value'])?.['link'] === undefined) {
    throw invalidParameter('call_to_action of video_data must have a link.');
  }
  return {
    name: requiredText(params, 'name'),
    account_id: context.account.id,
    status: 'ACTIVE',
    object_story_spec: story,
    video_id: source.id,
  };
}

/** Fields of the new ad. @throws GraphError as the live API refuses. */
export function newAd(context: CreationContext, params: Params): Record<string, unknown> {
  const adSet = parent(context, requiredText(params, 'adset_id'), 'adset', 'adset_id');
  const creativeId = requiredText(record(params['creative']) ?? {}, 'creative_id');
  const creative = parent(context, creativeId, 'adcreative', 'creative');
  return {
    ...common(context, 'ad', params),
    adset_id: adSet.id,
    campaign_id: adSet.fields['campaign_id'],
    creative: { id: creative.id },
  };
}

/** The bid strategy in force: under a campaign budget the campaign's. */
export function strategyOf(own: string, campaign: GraphObject): string {
  return campaign.fields['daily_budget'] === undefined ? own : String(campaign.fields['bid_strategy']);
}

const WITHOUT_BID = 'LOWEST_COST_WITHOUT_CAP';
const NEEDS_BID = ['LOWEST_COST_WITH_BID_CAP', 'COST_CAP'];

/** @throws GraphError when the strategy and a bid do not go together. */
export function checkBid(strategy: string, bid: number | undefined): void {
  if (strategy === WITHOUT_BID && bid !== undefined)
    throw invalidParameter(`bid_amount cannot be used with the bid strategy ${strategy}.`, 2_446_149);
  if (NEEDS_BID.includes(strategy) && bid === undefined)
    throw invalidParameter(`The bid strategy ${strategy} needs a bid_amount.`, 1_815_857);
}

function common(context: CreationContext, kind: ObjectKind, params: Params): Record<string, unknown> {
  const name = requiredText(params, 'name');
  if (name.length > 400) throw invalidParameter('name is longer than 400 characters.');
  const status = text(params, 'status') ?? 'ACTIVE';
  if (status !== 'ACTIVE' && status !== 'PAUSED') throw invalidParameter('status must be ACTIVE or PAUSED.');
  // The live API runs what does not say PAUSED; here that is a violation a test can see.
  if (status === 'ACTIVE') context.onActive(kind, name);
  return {
    name,
    account_id: context.account.id,
    status,
    created_time: context.createdTime,
    updated_time: context.createdTime,
  };
}

function parent(context: CreationContext, id: string, kind: ObjectKind, parameter: string): GraphObject {
  const object = context.store.get(id);
  if (object === undefined || object.accountId !== context.account.id) throw unknownObject('POST', id);
  if (object.kind !== kind || object.deleted)
    throw invalidParameter(`${parameter} ${id} is not a usable ${kind}.`, 1_487_566);
  return object;
}

/** @throws GraphError 100/1885272 for a daily budget below the account's minimum. */
export function atLeastMinimum(account: SandboxAccount, amount: number | undefined): number | undefined {
  if (amount !== undefined && amount < account.minDailyBudget) {
    throw invalidParameter(
      `Your budget is too low: the minimum is ${account.minDailyBudget}.`,
      1_885_272,
      'Budget Is Too Low',
    );
  }
  return amount;
}
