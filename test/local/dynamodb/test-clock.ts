// How do these suites own time?
import type { CloudClock, EngineContext, Json } from '../../../lib/local/types.ts';

interface Pending {
  timeMs: number;
  run: () => void;
  idle: boolean;
}

export interface TestClock extends CloudClock {
  /** Moves time, running what becomes due in order, each with its own turns of the event loop. */
  advance(ms: number): Promise<void>;
  /** Timers that would make a virtual clock jump by themselves. */
  busyTimers(): number;
  readonly working: Set<string>;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

export function createTestClock(startMs = Date.UTC(2026, 10, 20)): TestClock {
  let nowMs = startMs;
  const pending = new Set<Pending>();
  const working = new Set<string>();
  const at: CloudClock['at'] = (timeMs, run, options) => {
    const entry = { timeMs, run, idle: options?.idle === true };
    pending.add(entry);
    return { cancel: () => void pending.delete(entry) };
  };
  return {
    now: () => nowMs,
    at,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = at(nowMs + ms, resolve);
        signal?.addEventListener('abort', () => {
          timer.cancel();
          reject(signal.reason as Error);
        });
      }),
    work(what) {
      working.add(what);
      return () => void working.delete(what);
    },
    working,
    busyTimers: () => [...pending].filter(({ idle }) => !idle).length,
    async advance(ms) {
      const untilMs = nowMs + ms;
      await turns();
      for (;;) {
        const next = [...pending].toSorted((a, b) => a.timeMs - b.timeMs)[0];
        if (next === undefined || next.timeMs > untilMs) break;
        pending.delete(next);
        nowMs = Math.max(nowMs, next.timeMs);
        next.run();
        await turns();
      }
      nowMs = untilMs;
      await turns();
    },
  };
}

/** A context whose calls to other engines are recorded. */
export function createTestContext(clock: TestClock): EngineContext & { calls: Json[] } {
  const calls: Json[] = [];
  let state = 1;
  return {
    clock,
    calls,
    random: () => (state = (state * 48271) % 2147483647) / 2147483647,
    call: async (context, service, operation, input) => {
      calls.push({ context, service, operation, input });
      return {};
    },
  };
}
