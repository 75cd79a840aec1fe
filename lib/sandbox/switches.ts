// Which request should fail, and how?
import type { CustomFailure, SandboxRequest, VendorFailure } from './vendor.ts';

/** Answers late: time passes before the work (a slow line; the default) or between the work and its answer (`first`). */
export interface SlowReply {
  delayMs: number;
  work?: 'first' | 'last';
}

export function isSlow(failure: Failure | undefined): failure is SlowReply {
  return typeof failure === 'object' && 'delayMs' in failure;
}

/**
 * `timeout` never answers; `disconnect` drops the connection before anything happened; `apply-and-lose-reply` does the
 * work and drops the connection; `apply-and-time-out` does it and never answers; `truncate` promises the whole body and
 * sends half; `fails-later` accepts the work, whose processing then fails.
 */
export type Failure =
  | VendorFailure
  | CustomFailure
  | SlowReply
  | 'timeout'
  | 'disconnect'
  | 'apply-and-lose-reply'
  | 'apply-and-time-out'
  | 'truncate'
  | 'fails-later';

export interface FailureRule {
  /** Everything when absent. `path` is matched below the vendor's prefix. */
  match?: { method?: string; path?: RegExp };
  with: Failure;
  /** How many matching requests fail; 1 when absent. */
  times?: number;
  /** How many matching requests pass first; 0 when absent. */
  after?: number;
}

export interface Switch {
  /** How many requests it has failed so far. */
  readonly hits: () => number;
  off(): void;
}

export interface Switches {
  /** The oldest matching rule that is not used up decides. */
  fail(rule: FailureRule): Switch;
  /** Turns every switch off. */
  heal(): void;
}

export interface SwitchBoard extends Switches {
  choose(request: Pick<SandboxRequest, 'method' | 'path'>): Failure | undefined;
}

export function createSwitchBoard(): SwitchBoard {
  let entries: { rule: FailureRule; seen: number; hits: number }[] = [];
  return {
    fail(rule) {
      const entry = { rule, seen: 0, hits: 0 };
      entries.push(entry);
      return {
        hits: () => entry.hits,
        off: () => {
          entries = entries.filter((other) => other !== entry);
        },
      };
    },
    heal() {
      entries = [];
    },
    choose(request) {
      for (const entry of entries) {
        const { match, times = 1, after = 0 } = entry.rule;
        if (match?.method !== undefined && match.method !== request.method) continue;
        if (match?.path !== undefined && !match.path.test(request.path)) continue;
        if (entry.hits >= times) continue;
        entry.seen += 1;
        if (entry.seen <= after) continue;
        entry.hits += 1;
        return entry.rule.with;
      }
      return undefined;
    },
  };
}
