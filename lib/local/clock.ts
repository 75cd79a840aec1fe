// What time is it inside the cloud, and when may it jump?
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
/** Real time an outside client gets to reach the cloud before "nothing can happen any more" is believed. */
const GRACE_MS = 1_000;
/** Event-loop turns without any activity that count as quiet. */
const QUIET_TURNS = 4;
const LONGEST_TIMEOUT_MS = 2_147_483_647;

// Captured at load: inside an invocation the global `Date` reads this clock.
const systemNow = Date.now.bind(Date);
const turn = setImmediate;
const startTimeout = setTimeout;
const stopTimeout = clearTimeout;

interface Waiter {
  done: () => boolean | Promise<boolean>;
  /** The clock may jump up to here for this waiter, idle timers included; undefined: settle, only while timers that count are left. */
  limitMs: number | undefined;
  /** Reaching the limit is success (advance), not failure (until). */
  limitIsGoal: boolean;
  stuckAfterMs: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error), { cause: error });

/** Makes a clock; `startAt` (epoch milliseconds) defaults to the machine's time. */
export function createClock(options: { mode: 'virtual' | 'real'; startAt?: number }): LocalClock {
  const virtual = options.mode === 'virtual';
  let offsetMs = options.startAt === undefined ? 0 : options.startAt - systemNow();
  let nowMs = options.startAt ?? systemNow();
  let order = 0;
  let activity = 0;
  let lastActivityAt = systemNow();
  let pumping = false;
  let waiters: Waiter[] = [];
  const heap = createTimerHeap();
  const atWork = new Set<{ what: string }>();
  const realTimers = new Set<{ timeMs: number; idle: boolean; arm: () => void; stop: () => void }>();
  let awakened: (() => void) | undefined;

  const now = () => (virtual ? nowMs : Math.floor(systemNow() + offsetMs));
  const busy = () => [...atWork].map((token) => token.what);

  function touched() {
    activity += 1;
    if (pumping && awakened !== undefined) {
      const wake = awakened;
      awakened = undefined;
      wake();
    }
  }

  function work(what: string): () => void {
    const token = { what };
    atWork.add(token);
    activity += 1;
    return () => {
      if (atWork.delete(token) && (atWork.size === 0 || !virtual)) touched();
      else activity += 1;
    };
  }

  function atVirtual(timeMs: number, run: () => void, idle: boolean): Timer {
    // Whole milliseconds, like every clock that functions read: jittered delays have fractions.
    const entry: TimerEntry = { timeMs: Math.ceil(timeMs), order: order++, idle, run };
    heap.add(entry);
    touched();
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

  /** Waits for activity, at most `ms` of real time. */
  const activityWithin = (ms: number) =>
    new Promise<void>((resolve) => {
      const timeout = startTimeout(resolve, ms);
      awakened = () => {
        stopTimeout(timeout);
        resolve();
      };
    });

  /** Several turns in a row with nothing at work and nothing new; false after a real-time wait that stays busy. */
  async function quiet(): Promise<boolean> {
    let seen = -1;
    for (let turns = 0; turns < QUIET_TURNS;) {
      if (atWork.size > 0) {
        const activityBefore = activity;
        await activityWithin(50);
        if (activity !== activityBefore) lastActivityAt = systemNow();
        if (atWork.size > 0) return false;
        turns = 0;
      }
      await new Promise<void>((resolve) => turn(resolve));
      turns = activity === seen && atWork.size === 0 ? turns + 1 : 0;
      seen = activity;
    }
    return true;
  }

  function finish(waiter: Waiter, error?: Error) {
    waiters = waiters.filter((other) => other !== waiter);
    if (error === undefined) waiter.resolve();
    else waiter.reject(error);
  }

  function whatIsNext(): string {
    const next = heap.next();
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
    const next = heap.next()?.timeMs;
    let target: number | undefined;
    for (const waiter of waiters) {
      let wanted: number | undefined;
      if (waiter.limitMs === undefined) wanted = heap.liveCount() > 0 ? next : undefined;
      else if (next !== undefined && next <= waiter.limitMs) wanted = next;
      else if (waiter.limitIsGoal) wanted = waiter.limitMs;
      if (wanted !== undefined && (target === undefined || wanted < target)) target = wanted;
    }
    return target;
  }

  function fireDue() {
    for (let next = heap.next(); next !== undefined && next.timeMs <= nowMs; next = heap.next()) {
      heap.take()!();
    }
  }

  function failStuck() {
    const forMs = systemNow() - lastActivityAt;
    for (const waiter of waiters) {
      if (forMs < waiter.stuckAfterMs) continue;
      const names = [...new Set(busy())].slice(0, 20).join(', ');
      finish(
        waiter,
        new Error(`Nothing started or ended for ${Math.round(forMs / 1000)} s; still at work: ${names}`),
      );
    }
  }

  async function pump() {
    let hopelessSince: number | undefined;
    lastActivityAt = systemNow();
    while (waiters.length > 0) {
      if (!(await quiet())) {
        failStuck();
        continue;
      }
      lastActivityAt = systemNow();
      await checkWaiters();
      if (waiters.length === 0) break;
      if (atWork.size > 0) continue;
      const target = virtual ? jumpTarget() : undefined;
      if (target !== undefined) {
        hopelessSince = undefined;
        nowMs = Math.max(nowMs, Math.ceil(target));
        fireDue();
        continue;
      }
      hopelessSince ??= systemNow();
      const activityBefore = activity;
      await activityWithin(virtual ? 5 : 20);
      if (activity !== activityBefore) hopelessSince = undefined;
      else if (virtual && systemNow() - hopelessSince > GRACE_MS) {
        for (const waiter of waiters) {
          finish(
            waiter,
            new Error(
              `What was waited for did not happen by ${new Date(nowMs).toISOString()} and cannot: ${whatIsNext()}`,
            ),
          );
        }
      }
      if (virtual) continue;
      for (const waiter of waiters) {
        if (waiter.limitMs === undefined || now() < waiter.limitMs || waiter.limitIsGoal) continue;
        finish(waiter, new Error('What was waited for did not happen in time'));
      }
    }
    // In the same turn as the last look at the waiters: one that comes a microtask later must start the pump again.
    pumping = false;
  }

  function wait(waiter: Omit<Waiter, 'resolve' | 'reject'>): Promise<void> {
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

  async function skip(ms: number): Promise<number> {
    if (virtual) throw new Error('Under virtual time the pump moves the clock: use advance.');
    if (atWork.size > 0 || !(await quiet())) return 0;
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
    work,
    busy,
    skip,
    settle: ({ stuckAfterMs = STUCK_AFTER_MS } = {}) =>
      wait({
        done: () => (virtual ? heap.liveCount() === 0 : [...realTimers].every((timer) => timer.idle)),
        limitMs: undefined,
        limitIsGoal: false,
        stuckAfterMs,
      }),
    until: (predicate, { stuckAfterMs = STUCK_AFTER_MS, withinMs = DEFAULT_WITHIN_MS } = {}) =>
      wait({ done: predicate, limitMs: now() + withinMs, limitIsGoal: false, stuckAfterMs }),
    advance(ms, { stuckAfterMs = STUCK_AFTER_MS } = {}) {
      const goalMs = now() + ms;
      return wait({
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
      for (const waiter of waiters) finish(waiter, new Error('The cloud was closed'));
      touched();
    },
  };
}
