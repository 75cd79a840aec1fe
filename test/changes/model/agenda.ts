// In which order do the things happen that are under way at the same time?
//
// A discrete-event simulation: every call of every process is an entry with a time of its own, drawn from the sequence's seed, so
// that one seed is one interleaving. A killed process is never woken again; what it had sent goes on its way.
import type { Random } from './random.ts';

export interface Process {
  readonly name: string;
  dead: boolean;
}

export interface Agenda {
  now(): number;
  at(timeMs: number, run: () => void): void;
  /** Resolves `ms` later, unless the process is dead by then. */
  sleep(process: Process, ms: number): Promise<void>;
  /** Lets everything happen until `timeMs`. @throws Error when more happens than any sequence needs: something turns in circles. */
  runUntil(timeMs: number): Promise<void>;
}

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

/** Ordinary sequences have a few thousand. */
const MOST = 200_000;

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export function agenda(startAt: number, random: Random): Agenda {
  let nowMs = startAt;
  let count = 0;
  let done = 0;
  const heap: Entry[] = [];

  function push(entry: Entry): void {
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }
  function pop(): Entry | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!before(heap[child] as Entry, last)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
    return top;
  }

  const at: Agenda['at'] = (timeMs, run) => {
    count += 1;
    // Ties are broken by lot.
    push({ at: Math.max(nowMs, Math.ceil(timeMs)), order: random.next() + count * 1e-9, run });
  };
  return {
    now: () => nowMs,
    at,
    sleep: (process, ms) =>
      new Promise((resolve) => at(nowMs + ms, () => (process.dead ? undefined : resolve()))),
    async runUntil(timeMs) {
      for (;;) {
        // What the last entry woke goes on until it waits again.
        await new Promise(setImmediate);
        const next = heap[0];
        if (next === undefined || next.at > timeMs) break;
        done += 1;
        if (done > MOST)
          throw new Error(`More than ${MOST} things happened by ${new Date(nowMs).toISOString()}.`);
        nowMs = next.at;
        pop()?.run();
      }
      nowMs = Math.max(nowMs, timeMs);
    },
  };
}
