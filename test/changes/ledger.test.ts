// Does no bucket of an account ever hold more than it may, and is room given back exactly when it frees?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buckets, USAGE_TRUST_MS } from '../../lambdas/changes/buckets.ts';
import {
  EMPTY_LEDGER,
  MOST_ORIGINS,
  observe,
  prune,
  reserve,
  reserveCreations,
  room,
  settle,
  type Ledger,
  type Limits,
  type RoomRequest,
} from '../../lambdas/changes/ledger.ts';
import { originKey } from '../../lambdas/changes/ledger-money.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T = Date.UTC(2026, 10, 20, 12);
const LIMITS: Limits = {
  changesPerHour: 15,
  budgetEditsPerAdSetPerHour: 4,
  creationsPerHour: 300,
  usagePercent: 90,
  windowMs: HOUR,
  marginMs: MINUTE,
  velocityWindowMs: 6 * HOUR,
  perRunMinor: 10_000,
  perDayMinor: 50_000,
};

const dayOf = (nowMs: number) => ({
  day: new Date(nowMs).toISOString().slice(0, 10),
  dayEndsAt: (Math.floor(nowMs / DAY) + 1) * DAY,
});
let next = 0;
function request(nowMs: number, more: Partial<RoomRequest> = {}): RoomRequest {
  next += 1;
  return {
    changeId: `chg-${next}`,
    lease: 1,
    entity: `adset/${next}`,
    adSetId: `${next}`,
    campaignId: '9',
    budget: { beforeMinor: 5_000, afterMinor: 5_100 },
    movesMinor: 100,
    originId: `rules/${next}`,
    ...dayOf(nowMs),
    ...more,
  };
}
/** The ledger after these were granted, one every `everyMs`. */
function taken(count: number, more: Partial<RoomRequest> = {}, everyMs = 0, limits = LIMITS): Ledger {
  let ledger = EMPTY_LEDGER;
  for (let i = 0; i < count; i += 1) {
    const at = T + i * everyMs;
    const answer = reserve(ledger, request(at, more), limits, at);
    if (!answer.granted) throw new Error(answer.reason);
    ({ ledger } = answer);
  }
  return ledger;
}
const ask = (ledger: Ledger, nowMs: number, more: Partial<RoomRequest> = {}, limits = LIMITS) =>
  reserve(ledger, request(nowMs, more), limits, nowMs);

describe('refusals', () => {
  it.each([
    ['account-rate', taken(15, {}, 1_000), {}, T + HOUR + MINUTE],
    ['ad-set-rate', taken(4, { adSetId: '7' }, 1_000), { adSetId: '7' }, T + HOUR + MINUTE],
    ['blast-run', taken(1, { originId: 'x', movesMinor: 9_901 }), { originId: 'x' }, null],
    ['blast-day', taken(5, { movesMinor: 10_000 }), {}, T + 12 * HOUR],
    [
      'usage',
      observe(EMPTY_LEDGER, { highestPercent: 90, regainUntil: 0, readAt: T }),
      {},
      T + USAGE_TRUST_MS,
    ],
    ['usage', observe(EMPTY_LEDGER, { highestPercent: 3, regainUntil: T + HOUR, readAt: T }), {}, T + HOUR],
  ] as const)('%s: refused, until exactly when it frees', (code, ledger, more, retryAt) => {
    const now = T + 20_000;
    expect(ask(ledger, now, more)).toMatchObject({ granted: false, code, retryAt });
    const [just, then] = [(retryAt ?? T + 1_000 * DAY) - 1, retryAt ?? T + 1_000 * DAY];
    expect(ask(ledger, just, more).granted).toBe(false);
    expect(ask(ledger, then, more).granted).toBe(retryAt !== null);
  });

  it('nothing is refused at one less', () => {
    const ledgers = [taken(14), taken(3, { adSetId: '7' }), taken(1, { originId: 'x', movesMinor: 9_900 })];
    const answers = ledgers.map((ledger) => ask(ledger, T, { adSetId: '7', originId: 'x' }).granted);
    expect(answers).toEqual([true, true, true]);
  });

  it('the one that holds longest is named', () => {
    const edits = taken(4, { adSetId: '7' }, 10_000);
    const blocked = observe(edits, { highestPercent: 0, regainUntil: T + 3 * HOUR, readAt: T });
    expect(ask(blocked, T + MINUTE, { adSetId: '7' })).toMatchObject({
      code: 'usage',
      retryAt: T + 3 * HOUR,
    });
  });

  it('what alone is more than a limit never fits', () => {
    expect(ask(EMPTY_LEDGER, T, { movesMinor: 10_001 })).toMatchObject({ code: 'blast-run', retryAt: null });
    const limits = { ...LIMITS, perRunMinor: 1e9 };
    expect(ask(EMPTY_LEDGER, T, { movesMinor: 50_001 }, limits)).toMatchObject({
      code: 'blast-day',
      retryAt: null,
    });
  });

  it('what moves no money is not refused for money, and what is no budget edit takes no ad set’s slot', () => {
    const spent = taken(5, { movesMinor: 10_000, adSetId: '7' }, 0, {
      ...LIMITS,
      budgetEditsPerAdSetPerHour: 9,
    });
    const { budget: _, ...pause } = request(T, { movesMinor: 0, adSetId: '7' });
    expect(reserve(spent, pause, LIMITS, T)).toMatchObject({ granted: true });
  });

  it('a budget held by the campaign counts for the campaign', () => {
    const { adSetId: _, ...held } = request(T);
    let ledger = EMPTY_LEDGER;
    for (let i = 0; i < 4; i += 1) {
      const answer = reserve(ledger, { ...held, changeId: `c${i}` }, LIMITS, T);
      if (answer.granted) ({ ledger } = answer);
    }
    expect(reserve(ledger, { ...held, changeId: 'c5' }, LIMITS, T)).toMatchObject({ code: 'ad-set-rate' });
    expect(ask(ledger, T).granted).toBe(true);
  });
});

describe('what becomes of a reservation', () => {
  const full = taken(14, {}, 1_000);
  const mine = request(T, { changeId: 'mine', originId: 'run', movesMinor: 10_000 });
  const granted = reserve(full, mine, LIMITS, T + 20_000);
  const ledger = granted.granted ? granted.ledger : EMPTY_LEDGER;
  const more = { originId: 'run', movesMinor: 1 };
  const later = T + 2 * HOUR;

  it('the same change and lease gets its own again, though all is full', () => {
    const again = reserve(ledger, mine, LIMITS, T + 30_000);
    expect(again).toEqual({ ...granted, ledger });
    expect(reserve(ledger, { ...mine, lease: 2 }, LIMITS, T + 30_000)).toMatchObject({
      code: 'account-rate',
    });
  });

  it.each([
    ['applied', {}, false, 0],
    ['unknown', {}, false, 0],
    ['not-applied', {}, true, 0],
    ['not-applied', { neverAsked: true }, true, 1],
  ] as const)('%s %j: money back %s, room %d', (outcome, how, moneyBack, free) => {
    const settled = settle(ledger, 'mine', 1, outcome, how);
    expect(ask(settled, later, more).granted).toBe(moneyBack);
    expect(room(settled, LIMITS, T + 30_000).free).toBe(free);
    expect(settle(settled, 'mine', 1, outcome, how)).toEqual(settled);
  });

  it('another lease takes another slot but no more money, and the money stays until none may have been applied', () => {
    const second = reserve(ledger, { ...mine, lease: 2 }, LIMITS, later);
    if (!second.granted) throw new Error(second.reason);
    expect(second.ledger.moved.dayMinor).toBe(ledger.moved.dayMinor);
    const one = settle(second.ledger, 'mine', 2, 'not-applied');
    expect(one.moved.dayMinor).toBe(ledger.moved.dayMinor);
    expect(settle(one, 'mine', 1, 'not-applied').moved.dayMinor).toBe(ledger.moved.dayMinor - 10_000);
    const applied = settle(second.ledger, 'mine', 2, 'applied');
    expect(applied.moved).toEqual(ledger.moved);
    expect(applied.edits.filter(({ changeId }) => changeId === 'mine').map(({ outcome }) => outcome)).toEqual(
      ['not-applied', 'applied'],
    );
  });

  it('a lease without a reservation that finds the change applied settles the earlier one, and else nothing', () => {
    const found = settle(ledger, 'mine', 3, 'applied');
    expect(found.changes.find(({ changeId }) => changeId === 'mine')).toMatchObject({ outcome: 'applied' });
    expect(settle(ledger, 'mine', 3, 'not-applied')).toBe(ledger);
    expect(settle(ledger, 'other', 1, 'applied')).toBe(ledger);
  });

  it('a new day starts with no money moved, a run keeps what it moved, and a slow clock does not bring the old day back', () => {
    const spent = taken(5, { movesMinor: 10_000, originId: 'run' }, 0, { ...LIMITS, perRunMinor: 50_000 });
    const tomorrow = T + 13 * HOUR;
    const first = ask(spent, tomorrow, { movesMinor: 300 });
    if (!first.granted) throw new Error(first.reason);
    expect(first.ledger.moved).toMatchObject({ day: '2026-11-21', dayMinor: 300 });
    expect(ask(spent, tomorrow, more)).toMatchObject({ code: 'blast-run' });
    const slow = ask(first.ledger, T + 11.99 * HOUR, { movesMinor: 7 });
    expect(slow.granted && slow.ledger.moved).toMatchObject({ day: '2026-11-21', dayMinor: 307 });
  });
});

describe('usage', () => {
  it('the newest answer counts; a block holds until its end', () => {
    const high = observe(EMPTY_LEDGER, { highestPercent: 95, regainUntil: T + HOUR, readAt: T });
    const low = observe(high, { highestPercent: 5, regainUntil: 0, readAt: T + 1 });
    expect(low.usage).toEqual({ highestPercent: 5, regainUntil: T + HOUR, readAt: T + 1 });
    expect(observe(low, { highestPercent: 99, regainUntil: 0, readAt: T }).usage).toEqual(low.usage);
    expect(room(low, LIMITS, T + 2)).toEqual({ free: 0, freesAt: T + HOUR });
    expect(room(low, LIMITS, T + HOUR)).toEqual({ free: 15, freesAt: null });
  });
});

describe('creations', () => {
  it('a run keeps its room when it asks again, and others wait for the rest', () => {
    const first = reserveCreations(EMPTY_LEDGER, { runId: 'a', count: 200 }, LIMITS, T);
    if (!first.granted) throw new Error(first.reason);
    const no = reserveCreations(first.ledger, { runId: 'b', count: 101 }, LIMITS, T + 1);
    expect(no).toMatchObject({ code: 'creation-rate', retryAt: T + HOUR + MINUTE, used: 200, limit: 300 });
    const again = reserveCreations(first.ledger, { runId: 'a', count: 200 }, LIMITS, T + 5);
    if (!again.granted) throw new Error(again.reason);
    expect(again.ledger.creations).toEqual([{ runId: 'a', count: 200, at: T + 5 }]);
    expect(reserveCreations(again.ledger, { runId: 'b', count: 301 }, LIMITS, T)).toMatchObject({
      retryAt: null,
    });
  });
});

describe('for people', () => {
  it('shows each bucket, how full it is and when it frees', () => {
    const ledger = observe(taken(3, { adSetId: '7' }, 1_000), {
      highestPercent: 91.5,
      regainUntil: 0,
      readAt: T,
    });
    const shown = buckets(ledger, LIMITS, T + MINUTE);
    expect(shown).toEqual([
      { name: 'changes-per-hour', used: 3, limit: 15, freesAt: T + HOUR + MINUTE },
      { name: 'budget-edits-per-hour/7', used: 3, limit: 4, freesAt: T + HOUR + MINUTE },
      { name: 'creations-per-hour', used: 0, limit: 300, freesAt: null },
      { name: 'usage', used: 91.5, limit: 90, freesAt: T + USAGE_TRUST_MS },
      { name: 'money-per-day', used: 300, limit: 50_000, freesAt: T + 12 * HOUR },
    ]);
    const tomorrow = buckets(ledger, LIMITS, T + DAY);
    expect(tomorrow.map(({ freesAt }) => freesAt)).toEqual([null, null, null, null]);
  });
});

describe('whatever comes', () => {
  const Step = fc.record({
    afterMs: fc.oneof(fc.constantFrom(0, 1, 61 * MINUTE), fc.integer({ min: 0, max: 20 * MINUTE })),
    adSet: fc.integer({ min: 1, max: 3 }),
    isBudget: fc.boolean(),
    delayMs: fc.oneof(fc.constantFrom(0, MINUTE), fc.integer({ min: 0, max: MINUTE })),
    movesMinor: fc.integer({ min: 0, max: 900 }),
    run: fc.integer({ min: 1, max: 4 }),
    outcome: fc.constantFrom('applied' as const, 'not-applied' as const, 'unknown' as const),
    neverAsked: fc.boolean(),
  });
  const small: Limits = {
    ...LIMITS,
    changesPerHour: 5,
    budgetEditsPerAdSetPerHour: 2,
    perRunMinor: 2_000,
    perDayMinor: 4_000,
  };

  it('no hour of effects holds too many, no run or day moves too much, and a refusal ends exactly when it says', () => {
    const counts: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(Step, { maxLength: 40, size: 'max' }), (steps) => {
        const wrong: string[] = [];
        let ledger = EMPTY_LEDGER;
        let now = T;
        const effects: {
          at: number;
          adSet: string;
          isBudget: boolean;
          run: number;
          day: string;
          money: number;
        }[] = [];
        for (const step of steps) {
          now += step.afterMs;
          const { budget, ...status } = request(now, {
            adSetId: `${step.adSet}`,
            movesMinor: step.movesMinor,
            originId: `run/${step.run}`,
          });
          const wish: RoomRequest = step.isBudget && budget !== undefined ? { ...status, budget } : status;
          const answer = reserve(ledger, wish, small, now);
          counts[answer.granted ? 'granted' : answer.code] =
            (counts[answer.granted ? 'granted' : answer.code] ?? 0) + 1;
          if (!answer.granted) {
            const at = answer.retryAt ?? now + 5 * DAY;
            const then = [at - 1, at].map(
              (when) => reserve(ledger, { ...wish, ...dayOf(when) }, small, when).granted,
            );
            if (then[0] !== false || then[1] !== (answer.retryAt !== null)) wrong.push(answer.reason);
            continue;
          }
          expect(room(ledger, small, now).free).toBeGreaterThan(0);
          const asked = step.outcome !== 'not-applied' || !step.neverAsked;
          const money = step.outcome === 'not-applied' ? 0 : step.movesMinor;
          const { isBudget, run } = step;
          if (asked)
            effects.push({
              at: now + step.delayMs,
              adSet: `${step.adSet}`,
              isBudget,
              run,
              day: wish.day,
              money,
            });
          ledger = settle(answer.ledger, wish.changeId, 1, step.outcome, { neverAsked: step.neverAsked });
        }
        expect(wrong, 'refusals that do not end when they say').toEqual([]);
        for (const { at, adSet, run, day } of effects) {
          const hour = effects.filter((one) => one.at > at - HOUR && one.at <= at);
          expect(hour.length).toBeLessThanOrEqual(small.changesPerHour);
          expect(hour.filter((one) => one.isBudget && one.adSet === adSet).length).toBeLessThanOrEqual(2);
          const sum = (some: typeof effects) => some.reduce((total, one) => total + one.money, 0);
          expect(sum(effects.filter((one) => one.run === run))).toBeLessThanOrEqual(small.perRunMinor);
          expect(sum(effects.filter((one) => one.day === day))).toBeLessThanOrEqual(small.perDayMinor);
        }
      }),
      { numRuns: 200 },
    );
    const seen = ['granted', 'account-rate', 'ad-set-rate', 'blast-run', 'blast-day'].map(
      (code) => counts[code] ?? 0,
    );
    expect(Math.min(...seen), JSON.stringify(counts)).toBeGreaterThan(20);
  });

  it('200 changes an hour, each of a run of its own, stay below 350 KB however long it goes on', () => {
    const busy = { ...LIMITS, changesPerHour: 200, perDayMinor: 1e12, velocityWindowMs: DAY };
    // As many runs as are remembered, and then hours of new ones.
    const known = Array.from({ length: MOST_ORIGINS }, (_, i) => [originKey(`${i}`), 100]);
    let ledger: Ledger = {
      ...EMPTY_LEDGER,
      moved: { ...EMPTY_LEDGER.moved, byOrigin: Object.fromEntries(known) },
    };
    let largest = 0;
    for (let i = 0; i < 200 * 3.5; i += 1) {
      const now = T + Math.ceil(i * 18_310);
      const id = `12021${String(i).padStart(13, '0')}`;
      const ids = {
        changeId: `chg-${id.padStart(26, '0')}`,
        entity: `adset/${id}`,
        adSetId: id,
        campaignId: id,
      };
      const answer = reserve(ledger, request(now, { ...ids, originId: `budget/${id.repeat(9)}` }), busy, now);
      if (!answer.granted) throw new Error(answer.reason);
      ledger = settle(answer.ledger, ids.changeId, 1, 'applied');
      if (i % 20 === 0) largest = Math.max(largest, JSON.stringify(ledger).length);
    }
    expect(largest).toBeLessThan(350_000);
    expect(largest).toBeGreaterThan(200_000);
    expect(ledger.edits.length).toBeGreaterThan(590);
    expect(prune(ledger, busy, T + 10 * DAY)).toMatchObject({ changes: [], edits: [], creations: [] });
  });
});
