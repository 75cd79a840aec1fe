// Who waits for something in the cloud, and how far may time go for them?
import type { Activity } from './activity.ts';

export interface Waiter {
  done: () => boolean | Promise<boolean>;
  /** The clock may jump up to here for this waiter, idle timers included; undefined: settle, only while timers that count are left. */
  limitMs: number | undefined;
  /** Reaching the limit is success (advance), not failure (until). */
  limitIsGoal: boolean;
  stuckAfterMs: number;
}

/** The clock as its pump moves it; a real one is only looked at. */
export interface Pumped {
  readonly virtual: boolean;
  now(): number;
  /** The timer that is due first, idle ones included. */
  next(): { timeMs: number; idle: boolean } | undefined;
  /** Is any timer left that counts? */
  timersCount(): boolean;
  /** Moves time and fires what is due by then. */
  jump(timeMs: number): void;
}

export interface Pump {
  wait(waiter: Waiter): Promise<void>;
  /** Fails everyone who waits. */
  fail(error: Error): void;
}

interface Waiting extends Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Real time an outside client gets to reach the cloud before "nothing can happen any more" is believed. */
const GRACE_MS = 1_000;

// Captured at load: inside an invocation the global `Date` reads the cloud's clock.
const systemNow = Date.now.bind(Date);

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error), { cause: error });

/** One loop for all who wait, alive only while somebody does. Each waits for its own condition, looked at in quiet moments only. */
export function createPump(clock: Pumped, activity: Activity): Pump {
  const { virtual } = clock;
  let pumping = false;
  let waiters: Waiting[] = [];

  function finish(waiter: Waiting, error?: Error) {
    waiters = waiters.filter((other) => other !== waiter);
    if (error === undefined) waiter.resolve();
    else waiter.reject(error);
  }

  function whatIsNext(): string {
    const next = clock.next();
    return next === undefined
      ? 'no timer is left'
      : `the next ${next.idle ? 'idle ' : ''}timer is at ${new Date(next.timeMs).toISOString()}`;
  }

  async function checkWaiters() {
    for (const waiter of waiters) {
      try {
        if (await waiter.done()) finish(waiter);
      } catch (error) {
        finish(waiter, asError(error));
      }
    }
  }

  /** How far the clock may move now; undefined when no waiter gains by a jump. */
  function jumpTarget(): number | undefined {
    const next = clock.next()?.timeMs;
    let target: number | undefined;
    for (const waiter of waiters) {
      let wanted: number | undefined;
      if (waiter.limitMs === undefined) wanted = clock.timersCount() ? next : undefined;
      else if (next !== undefined && next <= waiter.limitMs) wanted = next;
      else if (waiter.limitIsGoal) wanted = waiter.limitMs;
      if (wanted !== undefined && (target === undefined || wanted < target)) target = wanted;
    }
    return target;
  }

  function failStuck() {
    const forMs = activity.stillMs();
    for (const waiter of waiters) {
      if (forMs < waiter.stuckAfterMs) continue;
      const names = [...new Set(activity.busy())].slice(0, 20).join(', ');
      finish(
        waiter,
        new Error(`Nothing started or ended for ${Math.round(forMs / 1000)} s; still at work: ${names}`),
      );
    }
  }

  async function pump() {
    let hopelessSince: number | undefined;
    activity.seen();
    while (waiters.length > 0) {
      if (!(await activity.quiet())) {
        failStuck();
        continue;
      }
      activity.seen();
      await checkWaiters();
      if (waiters.length === 0) break;
      if (activity.busy().length > 0) continue;
      const target = virtual ? jumpTarget() : undefined;
      if (target !== undefined) {
        hopelessSince = undefined;
        clock.jump(target);
        continue;
      }
      hopelessSince ??= systemNow();
      if (await activity.within(virtual ? 5 : 20)) hopelessSince = undefined;
      else if (virtual && systemNow() - hopelessSince > GRACE_MS) {
        for (const waiter of waiters) {
          finish(
            waiter,
            new Error(
              `What was waited for did not happen by ${new Date(clock.now()).toISOString()} and cannot: ${whatIsNext()}`,
            ),
          );
        }
      }
      if (virtual) continue;
      for (const waiter of waiters) {
        if (waiter.limitMs === undefined || clock.now() < waiter.limitMs || waiter.limitIsGoal) continue;
        finish(waiter, new Error('What was waited for did not happen in time'));
      }
    }
    // In the same turn as the last look at the waiters: one that comes a microtask later must start the pump again.
    pumping = false;
  }

  function wait(waiter: Waiter): Promise<void> {
    return new Promise((resolve, reject) => {
      waiters.push({ ...waiter, resolve, reject });
      if (pumping) return;
      pumping = true;
      pump().then(
        () => {
          pumping = false;
        },
        (error: unknown) => {
          pumping = false;
          for (const other of waiters) finish(other, asError(error));
        },
      );
    });
  }

  return {
    wait,
    fail(error) {
      for (const waiter of waiters) finish(waiter, error);
    },
  };
}
