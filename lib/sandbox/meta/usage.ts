// How much of its quota has a simulated ad account used, when is it too much, and how do the headers say it?
import type { KnownAccount } from './accounts.ts';
import { type GraphError, throttleError, type ThrottleCode } from './errors.ts';

const WINDOW_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface CallMeter {
  /** Counts a call, refused ones too. */
  count(account: KnownAccount): void;
  /** Why the account may not be called now; undefined when it may. */
  refusal(account: KnownAccount): GraphError | undefined;
  /** Refuses everything until `untilMs`, whatever was used. */
  close(accountId: string, untilMs: number, code: ThrottleCode): void;
  open(accountId: string): void;
  /** The usage headers of every answer, errors included. `throttled` gives a time until access returns. */
  headers(account: KnownAccount, throttled: boolean): Record<string, string>;
  clear(): void;
}

export function createCallMeter(now: () => number): CallMeter {
  const calls = new Map<string, number[]>();
  const closed = new Map<string, { untilMs: number; code: ThrottleCode }>();
  const recent = (account: KnownAccount): number[] => {
    const log = calls.get(account.id) ?? [];
    calls.set(account.id, log);
    let gone = 0;
    while (gone < log.length && (log[gone] as number) <= now() - WINDOW_MS) gone += 1;
    if (gone > 0) log.splice(0, gone);
    return log;
  };
  const closure = (account: KnownAccount) => {
    const found = closed.get(account.id);
    return found !== undefined && now() < found.untilMs ? found : undefined;
  };
  return {
    count(account) {
      recent(account).push(now());
    },
    refusal(account) {
      const shut = closure(account);
      if (shut !== undefined) return throttleError(shut.code);
      const used = recent(account).length;
      if (used > account.callsPerHour) return throttleError(17);
      return used > account.managementCallsPerHour ? throttleError(80_004) : undefined;
    },
    close: (accountId, untilMs, code) => closed.set(accountId, { untilMs, code }),
    open: (accountId) => closed.delete(accountId),
    headers(account, throttled) {
      const within = recent(account);
      const shut = closure(account);
      const percentOf = (quota: number): number => Math.min(100, Math.floor((100 * within.length) / quota));
      const percent = percentOf(account.callsPerHour);
      const freeAt = shut?.untilMs ?? (within[0] ?? now()) + WINDOW_MS;
      const regainMinutes = throttled ? Math.max(1, Math.ceil((freeAt - now()) / MINUTE_MS)) : 0;
      const bucket = (type: string, callCount: number, minutes: number) => ({
        type,
        call_count: callCount,
        total_cputime: Math.floor(callCount / 2),
        total_time: Math.floor(callCount / 2),
        estimated_time_to_regain_access: minutes,
        ads_api_access_tier: 'development_access',
      });
      const management = Math.max(percent, percentOf(account.managementCallsPerHour));
      return {
        ...appUsage(percent),
        'x-business-use-case-usage': JSON.stringify({
          [account.id]: [
            bucket('ads_insights', 0, 0),
            bucket('ads_management', throttled ? 100 : management, regainMinutes),
          ],
        }),
        'x-ad-account-usage': JSON.stringify({
          acc_id_util_pct: throttled ? 100 : percent,
          reset_time_duration: regainMinutes * 60,
          ads_api_access_tier: 'development_access',
        }),
      };
    },
    clear() {
      calls.clear();
      closed.clear();
    },
  };
}

/** The header of answers that are about no account. */
export function appUsage(percent: number): Record<string, string> {
  const usage = { call_count: Math.floor(percent / 4), total_cputime: 0, total_time: 0 };
  return { 'x-app-usage': JSON.stringify(usage) };
}
