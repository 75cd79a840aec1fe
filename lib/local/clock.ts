// What time is it inside the cloud, and when may it jump?
import { createActivity } from './activity.ts';
import { createPump } from './pump.ts';
import { createTimerHeap, type TimerEntry } from './timer-heap.ts';
import type { CloudClock, Timer } from './types.ts';

/** `stuckAfterMs`: real milliseconds without any work starting or ending before the pump gives up (default 60,000). */
export interface PumpOptions {
  stuckAfterMs?: number;
}

/**
 * The cloud's clock with its pump. Virtual: timers fire only inside `settle`, `until` and `advance`, one due moment at
 * a time, and never while something is at work. Real: timers fire by themselves and the three only wait.
 */
export interface LocalClock extends CloudClock {
  readonly mode: 'virtual' | 'real';
  /** Runs until nothing is at work and only idle timers are left. */
  settle(options?: PumpOptions): Promise<void>;
  /**
   * Runs until the predicate holds at a quiet moment. `withinMs` is cloud time, default 7 days.
   * @throws Error naming what is at work or which timer is next when it cannot come true.
   */
  until(
    predicate: () => boolean | Promise<boolean>,
    options?: PumpOptions & { withinMs?: number },
  ): Promise<void>;
  /** Lets `ms` of cloud time pass, firing on the way whatever becomes due, idle timers included. */
  advance(ms: number, options?: PumpOptions): Promise<void>;
  /**
   * Real mode: when nothing is at work, time passes at once up to the next timer that counts, if that is due within `ms`.
   * @returns the milliseconds that passed; 0 when something is at work or no such timer is left.
   */
  skip(ms: number): Promise<number>;
  /** What is at work right now, by name. */
  busy(): string[];
  /** Drops every timer and fails every waiting pump. */
  close(): void;
}

const DEFAULT_WITHIN_MS = 7 * 24 * 3_600_000;
const STUCK_AFTER_MS = 60_000;
const LONGEST_TIMEOUT_MS = 2_147_483_647;

// Captured at load: inside an invocation the global `Date` reads this clock.
const systemNow = Date.now.bind(Date);
const startTimeout = setTimeout;
const stopTimeout = clearTimeout;

/** Makes a clock; `startAt` (epoch milliseconds) defaults to the machine's time. */
export function createClock(options: { mode: 'virtual' | 'real'; startAt?: number }): LocalClock {
  const virtual = options.mode === 'virtual';
  let offsetMs = options.startAt === undefined ? 0 : options.startAt - systemNow();
  let nowMs = options.startAt ?? systemNow();
  let order = 0;
  const heap = createTimerHeap();
  const realTimers = new Set<{ timeMs: number; idle: boolean; arm: () => void; stop: () => void }>();
  const activity = createActivity(!virtual);

  const now = () => (virtual ? nowMs : Math.floor(systemNow() + offsetMs));

  const pump = createPump(
    {
      virtual,
      now,
      next: heap.next,
      timersCount: () => heap.liveCount() > 0,
      jump(timeMs) {
        nowMs = Math.max(nowMs, Math.ceil(timeMs));
        for (let next = heap.next(); next !== undefined && next.timeMs <= nowMs; next = heap.next()) {
          heap.take()!();
        }
      },
    },
    activity,
  );

  function atVirtual(timeMs: number, run: () => void, idle: boolean): Timer {
    // Whole milliseconds, like every clock that functions read: jittered delays have fractions.
    const entry: TimerEntry = { timeMs: Math.ceil(timeMs), order: order++, idle, run };
    heap.add(entry);
    activity.touch();
    return { cancel: () => heap.cancel(entry) };
  }

  function atReal(timeMs: number, run: () => void, idle: boolean): Timer {
    let handle: NodeJS.Timeout;
    const arm = () => {
      const leftMs = timeMs - now();
      handle = startTimeout(
        () => {
          if (timeMs - now() > 0) return arm();
          realTimers.delete(token);
          run();
        },
        Math.min(Math.max(leftMs, 0), LONGEST_TIMEOUT_MS),
      );
      if (idle) handle.unref();
    };
    const token = { timeMs, idle, arm, stop: () => stopTimeout(handle) };
    realTimers.add(token);
    arm();
    return {
      cancel: () => {
        token.stop();
        realTimers.delete(token);
      },
    };
  }

  const at: CloudClock['at'] = (timeMs, run, { idle = false } = {}) =>
    virtual ? atVirtual(timeMs, run, idle) : atReal(timeMs, run, idle);

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const aborted = () => {
        timer.cancel();
        reject(signal!.reason);
      };
      const timer = at(now() + Math.max(ms, 0), () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  async function skip(ms: number): Promise<number> {
    if (virtual) throw new Error('Under virtual time the pump moves the clock: use advance.');
    if (activity.busy().length > 0 || !(await activity.quiet())) return 0;
    const dueMs = Math.min(...[...realTimers].filter(({ idle }) => !idle).map(({ timeMs }) => timeMs));
    const skippedMs = dueMs - now();
    if (!(skippedMs > 0 && skippedMs <= ms)) return 0;
    offsetMs += skippedMs;
    for (const timer of realTimers) {
      timer.stop();
      timer.arm();
    }
    return skippedMs;
  }

  return {
    mode: options.mode,
    now,
    sleep,
    at,
    work: activity.work,
    busy: activity.busy,
    skip,
    settle: ({ stuckAfterMs = STUCK_AFTER_MS } = {}) =>
      pump.wait({
        done: () => (virtual ? heap.liveCount() === 0 : [...realTimers].every((timer) => timer.idle)),
        limitMs: undefined,
        limitIsGoal: false,
        stuckAfterMs,
      }),
    until: (predicate, { stuckAfterMs = STUCK_AFTER_MS, withinMs = DEFAULT_WITHIN_MS } = {}) =>
      pump.wait({ done: predicate, limitMs: now() + withinMs, limitIsGoal: false, stuckAfterMs }),
    advance(ms, { stuckAfterMs = STUCK_AFTER_MS } = {}) {
      const goalMs = now() + ms;
      return pump.wait({
        done: () => now() >= goalMs && (heap.next()?.timeMs ?? Infinity) > now(),
        limitMs: goalMs,
        limitIsGoal: true,
        stuckAfterMs,
      });
    },
    close() {
      heap.clear();
      for (const timer of realTimers) timer.stop();
      realTimers.clear();
      pump.fail(new Error('The cloud was closed'));
      activity.touch();
    },
  };
}
