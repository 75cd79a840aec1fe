// Is anything at work in the cloud, and has it been quiet for a moment?

/** Event-loop turns without any activity that count as quiet. */
const QUIET_TURNS = 4;
/** Real time after which somebody who waits for quiet hears that it is not. */
const LOOK_AGAIN_MS = 50;

// Captured at load: inside an invocation the global `Date` reads the cloud's clock.
const systemNow = Date.now.bind(Date);
const turn = setImmediate;
const startTimeout = setTimeout;
const stopTimeout = clearTimeout;

export interface Activity {
  /** Something is at work until the answer is called. */
  work(what: string): () => void;
  /** What is at work right now, by name. */
  busy(): string[];
  /** Something happened that a waiting pump should look at. */
  touch(): void;
  /** Until something happens, at most `ms` of real time. @returns whether something did. */
  within(ms: number): Promise<boolean>;
  /** Several turns in a row with nothing at work and nothing new; false after a real-time wait that stays busy. */
  quiet(): Promise<boolean>;
  /** Real milliseconds without anything starting or ending, as `quiet` saw it. */
  stillMs(): number;
  /** Stillness counts from now on. */
  seen(): void;
}

/** @param everyEnd wakes who waits whenever some work ends, not only the last. */
export function createActivity(everyEnd: boolean): Activity {
  const atWork = new Set<{ what: string }>();
  let count = 0;
  let lastAt = systemNow();
  let awakened: (() => void) | undefined;

  function touch(): void {
    count += 1;
    const wake = awakened;
    awakened = undefined;
    wake?.();
  }

  async function within(ms: number): Promise<boolean> {
    const before = count;
    await new Promise<void>((resolve) => {
      const timeout = startTimeout(resolve, ms);
      awakened = () => {
        stopTimeout(timeout);
        resolve();
      };
    });
    return count !== before;
  }

  return {
    touch,
    within,
    busy: () => [...atWork].map((token) => token.what),
    stillMs: () => systemNow() - lastAt,
    seen: () => void (lastAt = systemNow()),
    work(what) {
      const token = { what };
      atWork.add(token);
      count += 1;
      return () => {
        if (atWork.delete(token) && (atWork.size === 0 || everyEnd)) touch();
        else count += 1;
      };
    },
    async quiet() {
      let seen = -1;
      for (let turns = 0; turns < QUIET_TURNS;) {
        if (atWork.size > 0) {
          if (await within(LOOK_AGAIN_MS)) lastAt = systemNow();
          if (atWork.size > 0) return false;
          turns = 0;
        }
        await new Promise<void>((resolve) => turn(resolve));
        turns = count === seen && atWork.size === 0 ? turns + 1 : 0;
        seen = count;
      }
      return true;
    },
  };
}
