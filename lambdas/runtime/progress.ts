// How often may a step say how far it is?
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** At most one write of the run's row in this time: by one step here, by all that run side by side in steps.ts. */
export const PROGRESS_INTERVAL_MS = 1_000;

export interface ProgressReporter {
  /** 0..100 of this step, and one line for a person. Returns at once. */
  report(percent: number, message?: string): void;
  /** Waits for a write that is under way, so that none outlives the step. */
  settle(): Promise<void>;
}

/** Progress is a courtesy: a write that fails is logged, and the next one says more anyway. */
export function progressReporter(
  clock: Clock,
  log: Log,
  write: (percent: number, message: string | undefined) => Promise<void>,
): ProgressReporter {
  let lastAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> = Promise.resolve();
  let busy = false;
  return {
    report(percent, message) {
      const now = clock.now();
      if (busy || now - lastAt < PROGRESS_INTERVAL_MS) return;
      lastAt = now;
      busy = true;
      pending = write(Math.min(100, Math.max(0, percent)), message)
        .catch((error: unknown) => log.warn('progress was not written', { error: String(error) }))
        .finally(() => {
          busy = false;
        });
    },
    settle: () => pending,
  };
}
