// How much of its quota has a simulated ad account used, and how do the headers say it?
import type { SandboxAccount } from './accounts.ts';

const WINDOW_MS = 3_600_000;

export interface CallMeter {
  /** Counts a call, refused ones too. */
  count(account: SandboxAccount): void;
  isExhausted(account: SandboxAccount): boolean;
  /** The usage headers that most answers carry, errors included. `throttled` gives a time until access returns. */
  headers(account: SandboxAccount, throttled: boolean): Record<string, string>;
  clear(): void;
}

export function createCallMeter(now: () => number): CallMeter {
  const calls = new Map<string, number[]>();
  const recent = (account: SandboxAccount): number[] => {
    const within = (calls.get(account.id) ?? []).filter((at) => at > now() - WINDOW_MS);
    calls.set(account.id, within);
    return within;
  };
  return {
    count(account) {
      recent(account).push(now());
    },
    isExhausted: (account) => recent(account).length > account.callsPerHour,
    headers(account, throttled) {
      const within = recent(account);
      const percent = Math.min(100, Math.floor((100 * within.length) / account.callsPerHour));
      const regainMinutes = throttled
        ? Math.max(1, Math.ceil(((within[0] ?? now()) + WINDOW_MS - now()) / 60_000))
        : 0;
      const bucket = (type: string, callCount: number, minutes: number) => ({
        type,
        call_count: callCount,
        total_cputime: Math.floor(callCount / 2),
        total_time: Math.floor(callCount / 2),
        estimated_time_to_regain_access: minutes,
        ads_api_access_tier: 'development_access',
      });
      return {
        'x-app-usage': JSON.stringify({
          call_count: Math.floor(percent / 4),
          total_cputime: 0,
          total_time: 0,
        }),
        'x-business-use-case-usage': JSON.stringify({
          [account.id]: [
            bucket('ads_insights', 0, 0),
            bucket('ads_management', throttled ? 100 : percent, regainMinutes),
          ],
        }),
        'x-ad-account-usage': JSON.stringify({
          acc_id_util_pct: throttled ? 100 : percent,
          reset_time_duration: regainMinutes * 60,
          ads_api_access_tier: 'development_access',
        }),
      };
    },
    clear: () => calls.clear(),
  };
}
