// Which ads run in the sandbox's account before anybody starts anything?
import { DEFAULT_ACCOUNT } from '../sandbox/meta/accounts.ts';
import type { Meta } from '../sandbox/meta/meta.ts';

export interface RunningCampaign {
  campaignId: string;
  adSetIds: readonly string[];
  adIds: readonly string[];
}

/** Of each ad set and day, cents. */
export const RUNNING_BUDGET = 5_000;
const AD_SETS = ['Commuters', 'Home office', 'Students', 'Gift buyers', 'Returning visitors'];

/** A month-old campaign with five ad sets that have learned, each with a budget of 50.00 a day and one ad: something to change. */
export function seedRunningCampaign(meta: Pick<Meta, 'addCampaign' | 'addAdSet' | 'addAd'>): RunningCampaign {
  const campaignId = meta.addCampaign(DEFAULT_ACCOUNT.id, { name: 'Evergreen' });
  const adSetIds = AD_SETS.map((name) => meta.addAdSet(campaignId, { name, dailyBudget: RUNNING_BUDGET }));
  const adIds = adSetIds.map((adSetId, index) =>
    meta.addAd(adSetId, { name: `${AD_SETS[index]}, first ad` }),
  );
  return { campaignId, adSetIds, adIds };
}
