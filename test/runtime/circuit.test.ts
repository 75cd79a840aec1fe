// Does the circuit open, rest, probe and close exactly as specified, in every order of events?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLOSED,
  FAILURE_LIMIT,
  OPEN_MS,
  PROBE_LEASE_MS,
  SLOT_MS,
  WINDOW_MS,
  outcomeOf,
  permission,
  probing,
  recorded,
  type Circuit,
} from '../../lambdas/runtime/circuit.ts';
import { Conflict, InvalidInput, RateLimited, Refused, Unavailable } from '../../lambdas/runtime/errors.ts';

const T = 1_000_000_000;
const fail = (circuit: Circuit, nowMs: number) => recorded(circuit, { calls: 1, failures: 1 }, nowMs);
const succeed = (circuit: Circuit, nowMs: number) => recorded(circuit, { calls: 1, failures: 0 }, nowMs);
const repeat = (times: number, step: (circuit: Circuit, i: number) => Circuit, from: Circuit = CLOSED) =>
  Array.from({ length: times }, (_, i) => i).reduce(step, from);

describe('circuit', () => {
  it('opens at the fifth failure within the window, not at the fourth', () => {
    const four = repeat(FAILURE_LIMIT - 1, (c, i) => fail(c, T + i * 1_000));
    expect(four.status).toBe('closed');
    expect(fail(four, T + 10_000)).toEqual({ status: 'open', until: T + 10_000 + OPEN_MS });
  });

  it('stays closed while less than half of the calls fail, and opens at exactly half', () => {
    const six = repeat(6, (c) => succeed(c, T));
    expect(repeat(5, (c) => fail(c, T), six).status).toBe('closed');
    expect(repeat(6, (c) => fail(c, T), six).status).toBe('open');
  });

  it('forgets what is older than the window', () => {
    const old = repeat(4, (c) => fail(c, T));
    expect(fail(old, T + WINDOW_MS + SLOT_MS).status).toBe('closed');
  });

  it('rests, lets one probe through at a time, and closes after two successes', () => {
    const open = repeat(5, (c) => fail(c, T));
    expect(permission(open, T + OPEN_MS - 1)).toEqual({ rejectUntil: T + OPEN_MS });
    expect(permission(open, T + OPEN_MS)).toBe('probe');
    const probe = probing(open, T + OPEN_MS);
    expect(permission(probe, T + OPEN_MS + 1)).toEqual({ rejectUntil: T + OPEN_MS + PROBE_LEASE_MS });
    const one = succeed(probe, T + OPEN_MS + 10);
    expect(permission(one, T + OPEN_MS + 10)).toBe('probe');
    expect(succeed(probing(one, T + OPEN_MS + 11), T + OPEN_MS + 20)).toEqual(CLOSED);
  });

  it('opens again when the probe fails, and gives up on a probe that never reports', () => {
    const probe = probing(
      repeat(5, (c) => fail(c, T)),
      T + OPEN_MS,
    );
    expect(fail(probe, T + OPEN_MS + 5)).toEqual({ status: 'open', until: T + OPEN_MS + 5 + OPEN_MS });
    expect(permission(probe, T + OPEN_MS + PROBE_LEASE_MS)).toBe('probe');
  });

  it('counts timeouts, 429 and 5xx only', () => {
    const outcomes = [
      new Unavailable(''),
      new RateLimited(''),
      new RateLimited('one object only', { vendorIsWell: true }),
      new Refused(''),
      new InvalidInput(''),
      new Conflict(''),
      new TypeError(''),
    ].map(outcomeOf);
    expect(outcomes).toEqual(['failure', 'failure', ...Array.from({ length: 5 }, () => 'success')]);
  });

  const step = fc.record({ afterMs: fc.integer({ min: 0, max: 30_000 }), failed: fc.boolean() });

  it('whatever happens: opens only by the rule, rejects only for a time, stays small', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const broken: string[] = [];
        let circuit: Circuit = CLOSED;
        let now = T;
        let calls: { at: number; failed: boolean }[] = [];
        for (const { afterMs, failed } of steps) {
          now += afterMs;
          const allowed = permission(circuit, now);
          if (typeof allowed !== 'string') {
            if (allowed.rejectUntil <= now || allowed.rejectUntil > now + OPEN_MS)
              broken.push('rejects for ever');
            continue;
          }
          const wasClosed = circuit.status === 'closed';
          if (allowed === 'probe') circuit = probing(circuit, now);
          circuit = failed ? fail(circuit, now) : succeed(circuit, now);
          calls = wasClosed ? [...calls, { at: now, failed }] : [];
          // What the window certainly holds, and what it holds at most (slots may reach a little further).
          const within = (ms: number) => calls.filter(({ at }) => at > now - ms);
          const failures = (ms: number) => within(ms).filter((call) => call.failed).length;
          const long = WINDOW_MS + SLOT_MS;
          const opened = wasClosed && circuit.status !== 'closed';
          if (opened && (!failed || failures(long) < FAILURE_LIMIT)) broken.push('opened without reason');
          const sure =
            failed &&
            failures(WINDOW_MS - SLOT_MS) >= FAILURE_LIMIT &&
            failures(WINDOW_MS - SLOT_MS) * 2 >= within(long).length;
          if (wasClosed && sure && !opened) broken.push('stayed closed');
          if (circuit.status === 'closed' && circuit.slots.length > WINDOW_MS / SLOT_MS + 1)
            broken.push('grew');
        }
        expect(broken).toEqual([]);
      }),
    );
  });

  it('without failures never rejects', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 })), (waits) => {
        let now = T;
        const end = waits.reduce<Circuit>((circuit, wait) => succeed(circuit, (now += wait)), CLOSED);
        expect(permission(end, now)).toBe('call');
      }),
    );
  });
});
