// Aiming at what, and with how much money, does a launch begin?
import { InvalidInput } from '../runtime/errors.ts';
import type { AdAccount as AccountSettings, Settings } from '../runtime/settings.ts';
import type { AdAccount } from '../ports/ads/publisher.ts';
import type { CampaignAim } from '../ports/ads/aims.ts';

/** With a pixel we can ask for sales; without one, for people who open the page. */
export function launchAim(account: AccountSettings): CampaignAim {
  return account.pixelId === undefined
    ? { objective: 'traffic', goal: 'landing-page-views' }
    : { objective: 'sales', goal: 'conversions' };
}

/** @throws InvalidInput when the platform asks for more than the tenant allows, or bills in another currency. */
export function launchBudgetMinor(
  account: AccountSettings,
  settings: Pick<Settings, 'dailyBudgetMinor'>,
  live: AdAccount,
): number {
  if (live.currency !== account.currency) {
    throw new InvalidInput(
      `The ad account bills in ${live.currency}, the settings say ${account.currency}.`,
      { path: 'adAccounts.currency' },
    );
  }
  const wanted = account.dailyBudgetMinor ?? settings.dailyBudgetMinor;
  if (wanted < live.minDailyBudget.amountMinor) {
    throw new InvalidInput(
      `A daily budget of ${wanted} minor units is below the platform's minimum of ${live.minDailyBudget.amountMinor} (${live.currency}).`,
      { path: 'adAccounts.dailyBudgetMinor' },
    );
  }
  return wanted;
}
