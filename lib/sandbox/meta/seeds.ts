// How does a test fill a simulated ad account with what has been there for long?
import type { LearningStatus } from './learning.ts';
import type { State } from './state.ts';
import type { GraphObject, ObjectKind } from './store.ts';
import { graphTime } from './wire.ts';

interface SeedOptions {
  name?: string;
  /** ACTIVE when absent. */
  status?: 'ACTIVE' | 'PAUSED' | 'ARCHIVED';
  /** Epoch milliseconds; 30 days ago when absent. */
  createdAtMs?: number;
}

export interface CampaignSeed extends SeedOptions {
  /** Campaign budget in Meta's units; without it the ad sets have theirs. */
  dailyBudget?: number;
  objective?: string;
}

export interface AdSetSeed extends SeedOptions {
  /** In Meta's units; absent under a campaign budget. */
  dailyBudget?: number;
  /** A budget for its whole life instead. */
  lifetimeBudget?: number;
  /** A bid cap in Meta's units; without it the platform bids. */
  bid?: number;
  /** SUCCESS when absent; `null` leaves the field out. */
  learning?: LearningStatus | null;
}

export interface AdSeed extends SeedOptions {
  creativeId?: string;
}

export interface Seeds {
  /** Its id. What is added this way is no effect, no line of the history and no call. @throws Error for an unknown account. */
  addCampaign(accountId: string, seed?: CampaignSeed): string;
  /** Its id. @throws Error when the budget would be on the wrong level. */
  addAdSet(campaignId: string, seed?: AdSetSeed): string;
  /** Its id. */
  addAd(adSetId: string, seed?: AdSeed): string;
}

const AGE_MS = 30 * 24 * 3_600_000;
const WITHOUT_CAP = 'LOWEST_COST_WITHOUT_CAP';

export function createSeeds(state: State): Seeds {
  const { store } = state;
  const existing = (id: string, kind: ObjectKind): GraphObject => {
    const object = store.get(id);
    if (object?.kind !== kind) throw new Error(`The sandbox has no ${kind} ${id}.`);
    return object;
  };
  const add = (
    kind: ObjectKind,
    accountId: string,
    seed: SeedOptions,
    fields: Record<string, unknown>,
  ): GraphObject => {
    if (!state.accounts.has(accountId)) throw new Error(`The sandbox has no account ${accountId}.`);
    const id = store.nextId();
    const createdTime = graphTime(seed.createdAtMs ?? state.now() - AGE_MS);
    const shared = {
      name: seed.name ?? `${kind} ${id}`,
      account_id: accountId,
      status: seed.status ?? 'ACTIVE',
      created_time: createdTime,
      updated_time: createdTime,
    };
    return store.create(kind, accountId, { ...shared, ...fields }, id);
  };
  return {
    addCampaign(accountId, seed = {}) {
      const budget =
        seed.dailyBudget === undefined
          ? {}
          : { daily_budget: String(seed.dailyBudget), bid_strategy: WITHOUT_CAP };
      return add('campaign', accountId, seed, {
        objective: seed.objective ?? 'OUTCOME_TRAFFIC',
        special_ad_categories: [],
        buying_type: 'AUCTION',
        ...budget,
      }).id;
    },
    addAdSet(campaignId, seed = {}) {
      const campaign = existing(campaignId, 'campaign');
      const hasBudget = seed.dailyBudget !== undefined || seed.lifetimeBudget !== undefined;
      if (hasBudget === (campaign.fields['daily_budget'] !== undefined))
        throw new Error('A budget is either on the campaign or on its ad sets.');
      const adSet = add('adset', campaign.accountId, seed, {
        campaign_id: campaignId,
        optimization_goal: 'LINK_CLICKS',
        billing_event: 'IMPRESSIONS',
        bid_strategy: seed.bid === undefined ? WITHOUT_CAP : 'LOWEST_COST_WITH_BID_CAP',
        targeting: { geo_locations: { countries: ['US'] } },
        ...(seed.bid === undefined ? {} : { bid_amount: seed.bid }),
        ...(seed.dailyBudget === undefined ? {} : { daily_budget: String(seed.dailyBudget) }),
        ...(seed.lifetimeBudget === undefined ? {} : { lifetime_budget: String(seed.lifetimeBudget) }),
      });
      state.learning.set(adSet, seed.learning === undefined ? 'SUCCESS' : seed.learning);
      return adSet.id;
    },
    addAd(adSetId, seed = {}) {
      const adSet = existing(adSetId, 'adset');
      return add('ad', adSet.accountId, seed, {
        adset_id: adSetId,
        campaign_id: adSet.fields['campaign_id'],
        creative: { id: seed.creativeId ?? store.nextId() },
      }).id;
    },
  };
}
