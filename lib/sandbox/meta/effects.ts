// What really changed in the simulated ad accounts, one line per effect?
import type { ObjectKind } from './store.ts';

export type EffectField =
  | 'status'
  | 'daily_budget'
  | 'bid_amount'
  | 'name'
  | 'optimization_goal'
  | 'bid_strategy'
  | 'created'
  | 'deleted';

/** One effect that happened. What was refused, only validated, or already so is none. */
export interface Effect {
  atMs: number;
  objectId: string;
  kind: ObjectKind;
  field: EffectField;
  /** Configured statuses, words, or amounts in Meta's units; null before a creation and after a deletion. */
  before: string | number | null;
  after: string | number | null;
  by: 'api' | 'person';
  applied: true;
  /** Index of the request in the vendor's `requests`; null for what people did. */
  requestNo: number | null;
}

/** Append-only: what is in it stays until `clear`. */
export interface EffectLog {
  add(accountId: string, effect: Omit<Effect, 'applied'>): void;
  /** Oldest first. */
  of(accountId: string): readonly Effect[];
  clear(): void;
}

export function createEffectLog(): EffectLog {
  const logs = new Map<string, Effect[]>();
  return {
    add(accountId, effect) {
      const log = logs.get(accountId) ?? [];
      logs.set(accountId, log);
      log.push(Object.freeze({ ...effect, applied: true as const }));
    },
    of: (accountId) => [...(logs.get(accountId) ?? [])],
    clear: () => logs.clear(),
  };
}
