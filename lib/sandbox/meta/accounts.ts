// Which ad accounts exist in the simulated Graph API, and who may use them?

export interface SandboxAccount {
  /** Digits, without `act_`. */
  id: string;
  name: string;
  currency: string;
  timeZone: string;
  /** Tokens with ads_management on this account. */
  tokens: readonly string[];
  /** Facebook pages that ads of this account may speak for. */
  pageIds: readonly string[];
  pixelIds: readonly string[];
  /** Lowest daily budget in Meta's units of the currency. */
  minDailyBudget: number;
  /** Calls per rolling hour before 17/2446079; the vendor's own figure depends on tier and active ads. */
  callsPerHour: number;
}

/** The account a laptop starts with. */
export const DEFAULT_ACCOUNT: SandboxAccount = {
  id: '1010101010101010',
  name: 'Sandbox account',
  currency: 'USD',
  timeZone: 'America/New_York',
  tokens: ['sandbox-meta-token'],
  pageIds: ['2020202020202020'],
  pixelIds: ['3030303030303030'],
  minDailyBudget: 100,
  callsPerHour: 100_000,
};
