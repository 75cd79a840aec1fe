// May this ad set's budget change again, and is the account changed too fast?
import type { KnownAccount } from './accounts.ts';
import { GraphError } from './errors.ts';
import type { GraphObject } from './store.ts';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;

export interface MutationLimits {
  /** Counts a creation, update or deletion of a campaign, ad set or ad, refused ones too. @throws GraphError 613/5044001 above the rate. */
  countMutation(account: KnownAccount): void;
  /**
   * @throws GraphError 613/1487632 after the hour's last change of this ad set's budget; one that was no mere validation
   * freezes the budget for a while, counted from that refusal.
   */
  checkBudgetChange(adSet: GraphObject, account: KnownAccount, isValidation: boolean): void;
  /** Counts a change that happened, a person's too: the limit belongs to the ad set. */
  countBudgetChange(adSet: GraphObject): void;
  clear(): void;
}

export function createMutationLimits(now: () => number): MutationLimits {
  const mutations = new Map<string, number[]>();
  const budgetChanges = new Map<string, number[]>();
  const frozenUntil = new Map<string, number>();
  const within = (log: Map<string, number[]>, id: string, windowMs: number): number[] => {
    const recent = (log.get(id) ?? []).filter((at) => at > now() - windowMs);
    log.set(id, recent);
    return recent;
  };
  return {
    countMutation(account) {
      const recent = within(mutations, account.id, SECOND_MS);
      recent.push(now());
      if (recent.length > account.mutationsPerSecond) throw tooFast();
    },
    checkBudgetChange(adSet, account, isValidation) {
      if (now() < (frozenUntil.get(adSet.id) ?? 0)) throw budgetFrozen();
      if (within(budgetChanges, adSet.id, HOUR_MS).length < account.budgetChangesPerHour) return;
      if (!isValidation) frozenUntil.set(adSet.id, now() + account.budgetFreezeMs);
      throw budgetFrozen();
    },
    countBudgetChange(adSet) {
      within(budgetChanges, adSet.id, HOUR_MS).push(now());
    },
    clear() {
      mutations.clear();
      budgetChanges.clear();
      frozenUntil.clear();
    },
  };
}

function tooFast(): GraphError {
  return new GraphError({
    message: '(#613) Calls to this api have exceeded the rate limit.',
    code: 613,
    error_subcode: 5_044_001,
    is_transient: false,
    error_user_msg:
      'There have been too many changes of this ad account in a short time. Try again in a moment.',
  });
}

function budgetFrozen(): GraphError {
  return new GraphError({
    message: '(#613) Calls to this api have exceeded the rate limit.',
    code: 613,
    error_subcode: 1_487_632,
    is_transient: false,
    error_user_title: 'Ad Set Budget Changed Too Often',
    error_user_msg: 'The budget of this ad set was changed too many times in the last hour. Try again later.',
  });
}
