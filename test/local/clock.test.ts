import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClock } from '../../lib/local/clock.ts';

const START = Date.UTC(2026, 0, 1);
const virtual = () => createClock({ mode: 'virtual', startAt: START });

describe('virtual clock', () => {
  it('fires timers in due order, and in order of creation at the same moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }), async (delays) => {
        const clock = virtual();
        const fired: [number, number][] = [];
        delays.forEach((delayMs, index) =>
          clock.at(START + delayMs, () => fired.push([clock.now() - START, index])),
        );
        await clock.settle();
        const expected = delays
          .map((delayMs, index): [number, number] => [delayMs, index])
          .toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(fired).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it('reads whole milliseconds, whatever the delays', async () => {
    const clock = virtual();
    const read: number[] = [];
    clock.at(START + 0.4, () => read.push(clock.now()));
    clock.at(START + 1.7, () => read.push(clock.now()));
    await clock.settle();
    await clock.advance(0.5);
    expect([...read, clock.now()]).toEqual([START + 1, START + 2, START + 3]);
  });

  it('never fires by itself', async () => {
    const clock = virtual();
    let fired = false;
    clock.at(START, () => (fired = true));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(fired).toBe(false);
    expect(clock.now()).toBe(START);
  });

  it('survives a storm of cancelled timers', async () => {
    const clock = virtual();
    const fired: number[] = [];
    for (let index = 0; index < 5_000; index += 1) {
      const timer = clock.at(START + ((index * 7919) % 5_000), () => fired.push(clock.now() - START));
      if (index % 50 !== 0) timer.cancel();
    }
    await clock.settle();
    expect(fired).toHaveLength(100);
    expect(fired).toEqual(fired.toSorted((a, b) => a - b));
  });

  it('does not jump while something is at work', async () => {
    const clock = virtual();
    const seen: string[] = [];
    const done = clock.work('a render');
    clock.at(START + 60_000, () => seen.push('timer'));
    setTimeout(() => {
      seen.push(`worked until ${clock.now() - START}`);
      done();
    }, 80);
    await clock.settle();
    expect(seen).toEqual(['worked until 0', 'timer']);
  });

  it('settles without firing idle timers, unless they lie on the way', async () => {
    const clock = virtual();
    const seen: string[] = [];
    clock.at(START + 10, () => seen.push('idle 10'), { idle: true });
    clock.at(START + 20, () => seen.push('real 20'));
    clock.at(START + 30, () => seen.push('idle 30'), { idle: true });
    await clock.settle();
    expect(seen).toEqual(['idle 10', 'real 20']);
    expect(clock.now()).toBe(START + 20);
    await clock.advance(100);
    expect(seen).toEqual(['idle 10', 'real 20', 'idle 30']);
    expect(clock.now()).toBe(START + 120);
  });

  it('until lets idle timers fire and stops at the first quiet moment that satisfies it', async () => {
    const clock = virtual();
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      clock.at(clock.now() + 60_000, tick, { idle: true });
    };
    clock.at(START + 60_000, tick, { idle: true });
    await clock.until(() => ticks === 3);
    expect(clock.now()).toBe(START + 180_000);
  });

  it('until says what stood in the way', async () => {
    const clock = virtual();
    clock.at(START + 3_600_000, () => undefined);
    await expect(clock.until(() => false, { withinMs: 60_000 })).rejects.toThrow('2026-01-01T01:00:00.000Z');
    clock.work('invocation of PublishCampaign');
    await expect(clock.until(() => false, { stuckAfterMs: 100 })).rejects.toThrow(
      'invocation of PublishCampaign',
    );
  });

  it('serves several pumps at once', async () => {
    const clock = virtual();
    const seen: number[] = [];
    const sleeper = async (ms: number) => {
      await clock.sleep(ms);
      seen.push(ms);
    };
    void sleeper(30);
    void sleeper(10);
    await Promise.all([clock.settle(), clock.until(() => seen.length === 1), clock.advance(20)]);
    expect(seen).toEqual([10, 30]);
  });

  it('a sleep ends early when its signal aborts', async () => {
    const clock = virtual();
    const abort = new AbortController();
    const sleeping = clock.sleep(1_000, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(sleeping).rejects.toThrow('stopped');
    await clock.settle();
    expect(clock.now()).toBe(START);
  });
});

describe('real clock', () => {
  it('fires by itself and until waits for it', async () => {
    const clock = createClock({ mode: 'real' });
    let fired = false;
    clock.at(clock.now() + 15, () => (fired = true));
    await clock.until(() => fired);
    await clock.settle();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
    clock.close();
  });
});
