// Which timer is due next, among many that come and go?

export interface TimerEntry {
  timeMs: number;
  order: number;
  idle: boolean;
  run: (() => void) | undefined;
}

const before = (a: TimerEntry, b: TimerEntry): boolean =>
  a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);

/** Binary heap of timers; cancelled ones stay until they surface or outnumber the live ones. */
export function createTimerHeap() {
  let items: TimerEntry[] = [];
  let dead = 0;
  let live = 0;

  const up = (start: number) => {
    let index = start;
    const entry = items[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, items[parent]!)) break;
      items[index] = items[parent]!;
      index = parent;
    }
    items[index] = entry;
  };
  const down = (start: number) => {
    let index = start;
    const entry = items[index]!;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child += 1;
      if (!before(items[child]!, entry)) break;
      items[index] = items[child]!;
      index = child;
    }
    items[index] = entry;
  };
  const removeFirst = () => {
    const last = items.pop()!;
    if (items.length === 0) return;
    items[0] = last;
    down(0);
  };

  return {
    /** Live timers that make `settle` go on. */
    liveCount: () => live,
    add(entry: TimerEntry) {
      items.push(entry);
      up(items.length - 1);
      if (!entry.idle) live += 1;
    },
    cancel(entry: TimerEntry) {
      if (entry.run === undefined) return;
      entry.run = undefined;
      if (!entry.idle) live -= 1;
      dead += 1;
      if (dead < 1_024 || dead * 2 < items.length) return;
      items = items.filter((item) => item.run !== undefined);
      dead = 0;
      for (let index = (items.length >> 1) - 1; index >= 0; index -= 1) down(index);
    },
    next(): TimerEntry | undefined {
      while (items.length > 0 && items[0]!.run === undefined) {
        removeFirst();
        dead -= 1;
      }
      return items[0];
    },
    /** Takes the first live timer out and answers what to run. */
    take(): (() => void) | undefined {
      const entry = this.next();
      if (entry === undefined) return undefined;
      removeFirst();
      if (!entry.idle) live -= 1;
      const run = entry.run;
      entry.run = undefined;
      return run;
    },
    clear() {
      for (const item of items) item.run = undefined;
      items = [];
      dead = 0;
      live = 0;
    },
  };
}
