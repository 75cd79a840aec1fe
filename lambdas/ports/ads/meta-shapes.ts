// How do our words for ads become Meta's parameters?
import { InvalidInput } from '../../runtime/errors.ts';
import { agree, needsPixel, type CampaignAim, type Goal, type Objective } from './aims.ts';
import type { Params } from './meta-graph.ts';
import { toMeta } from './meta-money.ts';
import type { AdObjectKind, NewAd, NewAdSet, NewCampaign, NewCreative } from './publisher.ts';

const OBJECTIVES: Readonly<Record<Objective, string>> = {
  awareness: 'OUTCOME_AWARENESS',
  engagement: 'OUTCOME_ENGAGEMENT',
  traffic: 'OUTCOME_TRAFFIC',
  leads: 'OUTCOME_LEADS',
  sales: 'OUTCOME_SALES',
};

const GOALS: Readonly<Record<Goal, string>> = {
  reach: 'REACH',
  impressions: 'IMPRESSIONS',
  'video-views': 'THRUPLAY',
  'post-engagement': 'POST_ENGAGEMENT',
  'link-clicks': 'LINK_CLICKS',
  'landing-page-views': 'LANDING_PAGE_VIEWS',
  'lead-forms': 'LEAD_GENERATION',
  conversions: 'OFFSITE_CONVERSIONS',
  'conversion-value': 'VALUE',
};

const CALLS_TO_ACTION: Readonly<Record<NewCreative['callToAction'], string>> = {
  book_call: 'BOOK_NOW',
  download: 'DOWNLOAD',
  buy_now: 'SHOP_NOW',
  learn_more: 'LEARN_MORE',
};

/** Edge of the ad account, and the fields that a read-back needs. */
export const EDGES: Readonly<Record<AdObjectKind, { edge: string; nameField: string; fields: string }>> = {
  campaign: { edge: 'campaigns', nameField: 'name', fields: 'id,name,status' },
  'ad-set': { edge: 'adsets', nameField: 'name', fields: 'id,name,status' },
  video: { edge: 'advideos', nameField: 'title', fields: 'id,title' },
  creative: { edge: 'adcreatives', nameField: 'name', fields: 'id,name,status' },
  ad: { edge: 'ads', nameField: 'name', fields: 'id,name,status' },
};

/** `status` is always PAUSED: nothing that this port creates can spend. */
export function campaignParams(campaign: NewCampaign): Params {
  return {
    name: campaign.name,
    objective: OBJECTIVES[campaign.objective],
    special_ad_categories: campaign.specialAdCategories,
    buying_type: 'AUCTION',
    status: 'PAUSED',
    // Versions from v24 want this said when ad sets have their own budgets.
    ...(campaign.dailyBudget === undefined
      ? { is_adset_budget_sharing_enabled: false }
      : { daily_budget: toMeta(campaign.dailyBudget), bid_strategy: 'LOWEST_COST_WITHOUT_CAP' }),
  };
}

/** @throws InvalidInput when objective and goal disagree or a conversion goal has no pixel. */
export function adSetParams(adSet: NewAdSet): Params {
  const { objective, goal }: CampaignAim = adSet.aim;
  if (!agree(objective, goal))
    throw new InvalidInput(`The goal ${goal} contradicts the objective ${objective}.`, { path: 'aim.goal' });
  if (needsPixel(goal) && adSet.pixelId === undefined) {
    throw new InvalidInput(`The goal ${goal} needs a pixel that counts it.`, { path: 'pixelId' });
  }
  return {
    name: adSet.name,
    campaign_id: adSet.campaignId,
    optimization_goal: GOALS[goal],
    billing_event: 'IMPRESSIONS',
    bid_strategy: 'LOWEST_COST_WITHOUT_CAP',
    status: 'PAUSED',
    targeting: {
      geo_locations: { countries: adSet.countries },
      age_min: adSet.ageMin,
      age_max: adSet.ageMax,
      // Explicit since v23: the audience is the advertiser's, not widened.
      targeting_automation: { advantage_audience: 0 },
    },
    ...(adSet.dailyBudget === undefined ? {} : { daily_budget: toMeta(adSet.dailyBudget) }),
    ...(needsPixel(goal)
      ? {
          promoted_object: {
            pixel_id: adSet.pixelId,
            custom_event_type: adSet.conversionEvent ?? 'PURCHASE',
          },
        }
      : {}),
    ...(adSet.beneficiary === undefined ? {} : { dsa_beneficiary: adSet.beneficiary }),
    ...(adSet.payer === undefined ? {} : { dsa_payor: adSet.payer }),
  };
}

export function creativeParams(creative: NewCreative): Params {
  return {
    name: creative.name,
    object_story_spec: {
      page_id: creative.pageId,
      video_data: {
        video_id: creative.videoId,
        image_url: creative.thumbnailUrl,
        title: creative.headline,
        message: creative.primaryText,
        call_to_action: {
          type: CALLS_TO_ACTION[creative.callToAction],
          value: { link: creative.landingUrl },
        },
      },
    },
  };
}

export function adParams(ad: NewAd): Params {
  return { name: ad.name, adset_id: ad.adSetId, creative: { creative_id: ad.creativeId }, status: 'PAUSED' };
}
