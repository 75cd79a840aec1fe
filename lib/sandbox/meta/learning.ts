// Is a simulated ad set still learning, and what makes it start anew?
import type { GraphObject } from './store.ts';

export type LearningStatus = 'LEARNING' | 'SUCCESS' | 'FAIL';

interface Learning {
  status: LearningStatus;
  /** Epoch milliseconds of the last significant edit. */
  editedAtMs: number;
}

export interface LearningStates {
  /** `null` leaves the field out: not every account and ad set has it. */
  set(object: GraphObject, status: LearningStatus | null): void;
  status(object: GraphObject): LearningStatus | null;
  /** Starts anew; true when that is a change. */
  restart(object: GraphObject): boolean;
  /** Switched on: learns when it never did or has rested for a week; true when that is a change. */
  resume(object: GraphObject): boolean;
  pause(object: GraphObject): void;
  /** `learning_stage_info` of an ad set that runs; undefined otherwise. */
  describe(object: GraphObject, effectiveStatus: string): Record<string, unknown> | undefined;
  clear(): void;
}

const REST_RESETS_MS = 7 * 24 * 3_600_000;
/** Conversions that a test's ad set has gathered while learning; the live API gives zero once it is done. */
const CONVERSIONS_WHILE_LEARNING = 12;

export function createLearningStates(now: () => number): LearningStates {
  const states = new Map<string, Learning | null>();
  const pausedAt = new Map<string, number>();
  const start = (object: GraphObject): boolean => {
    const known = states.get(object.id);
    // A test said that this ad set has no such field.
    if (known === null) return false;
    states.set(object.id, { status: 'LEARNING', editedAtMs: now() });
    return known?.status !== 'LEARNING';
  };
  return {
    set(object, status) {
      states.set(object.id, status === null ? null : { status, editedAtMs: now() });
    },
    status: (object) => states.get(object.id)?.status ?? null,
    restart: (object) => (states.has(object.id) ? start(object) : false),
    resume(object) {
      const rested = now() - (pausedAt.get(object.id) ?? now()) >= REST_RESETS_MS;
      pausedAt.delete(object.id);
      return states.has(object.id) && !rested ? false : start(object);
    },
    pause(object) {
      pausedAt.set(object.id, now());
    },
    describe(object, effectiveStatus) {
      const known = states.get(object.id) ?? null;
      if (known === null || effectiveStatus !== 'ACTIVE') return undefined;
      return {
        status: known.status,
        conversions: known.status === 'LEARNING' ? CONVERSIONS_WHILE_LEARNING : 0,
        last_sig_edit_ts: Math.floor(known.editedAtMs / 1_000),
        attribution_windows: ['1d_view', '7d_click'],
      };
    },
    clear() {
      states.clear();
      pausedAt.clear();
    },
  };
}

/** Does an edit of an amount go beyond `percent` of what it was? */
export function isSignificant(before: number, after: number, percent: number): boolean {
  return Math.abs(after - before) * 100 > before * percent;
}
