// Which ad accounts exist in the simulated Graph API, and who may use them?

/** What a test registers; the vendor's documented figures stand in for what is left out. */
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
  /** Calls per rolling hour before 80004/2446079, the quota of the business use case; without limit when absent. */
  managementCallsPerHour?: number;
  /** Creations, updates and deletions per rolling second before 613/5044001; 100 when absent. */
  mutationsPerSecond?: number;
  /** Budget changes per ad set and rolling hour before 613/1487632; 4 when absent. */
  budgetChangesPerHour?: number;
  /** How long an ad set's budget is frozen after one change too many; an hour when absent. */
  budgetFreezeMs?: number;
  /** A budget or bid edit beyond this share starts learning anew; 20 when absent. Meta publishes no figure. */
  significantEditPercent?: number;
  /** How late a change shows in `activities`; 0 when absent. */
  activityLagMs?: number;
}

/** An account with every figure. */
export type KnownAccount = Required<SandboxAccount>;

export function withDefaults(account: SandboxAccount): KnownAccount {
  return {
    managementCallsPerHour: Number.POSITIVE_INFINITY,
    mutationsPerSecond: 100,
    budgetChangesPerHour: 4,
    budgetFreezeMs: 3_600_000,
    significantEditPercent: 20,
    activityLagMs: 0,
    ...account,
  };
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
