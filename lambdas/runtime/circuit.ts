// When is a vendor left alone because it is failing?
import { RateLimited, Unavailable } from './errors.ts';

/** Failures in the window that open the circuit, if they are also at least half of the calls. */
export const FAILURE_LIMIT = 5;
export const WINDOW_MS = 60_000;
/** Rest before one probe. */
export const OPEN_MS = 60_000;
/** Successes that close it again. */
export const SUCCESSES_TO_CLOSE = 2;
/** A probe that never reported back is given up after this. */
export const PROBE_LEASE_MS = 30_000;
/** Calls are counted by slots, so that a busy circuit stays a small row. */
export const SLOT_MS = 5_000;

export interface Slot {
  /** Start, milliseconds since the epoch, a multiple of SLOT_MS. */
  at: number;
  calls: number;
  failures: number;
}

export type Circuit =
  | { status: 'closed'; slots: readonly Slot[] }
  | { status: 'open'; until: number }
  /** One probe at a time: the next may start after `probeUntil`; 0 when none is under way. */
  | { status: 'half-open'; probeUntil: number; successes: number };

export type Outcome = 'success' | 'failure';

export type Permission = 'call' | 'probe' | { rejectUntil: number };

export const CLOSED: Circuit = { status: 'closed', slots: [] };

/** May a call be made now? `probe` must be claimed with `probing` before it is made. */
export function permission(circuit: Circuit, nowMs: number): Permission {
  if (circuit.status === 'closed') return 'call';
  if (circuit.status === 'open') return nowMs >= circuit.until ? 'probe' : { rejectUntil: circuit.until };
  return nowMs >= circuit.probeUntil ? 'probe' : { rejectUntil: circuit.probeUntil };
}

/** The circuit with a probe under way. */
export function probing(circuit: Circuit, nowMs: number): Circuit {
  const successes = circuit.status === 'half-open' ? circuit.successes : 0;
  return { status: 'half-open', probeUntil: nowMs + PROBE_LEASE_MS, successes };
}

/**
 * The circuit after calls ended. While open, stragglers from before change nothing; half-open, any failure opens it again.
 * `calls` include the failures.
 */
export function recorded(
  circuit: Circuit,
  counts: { calls: number; failures: number },
  nowMs: number,
): Circuit {
  if (counts.calls === 0 || circuit.status === 'open') return circuit;
  if (circuit.status === 'half-open') {
    if (counts.failures > 0) return { status: 'open', until: nowMs + OPEN_MS };
    const successes = circuit.successes + counts.calls;
    return successes >= SUCCESSES_TO_CLOSE ? CLOSED : { status: 'half-open', probeUntil: 0, successes };
  }
  const at = nowMs - (nowMs % SLOT_MS);
  const recent = circuit.slots.filter((slot) => slot.at > nowMs - WINDOW_MS && slot.at !== at);
  const here = circuit.slots.find((slot) => slot.at === at) ?? { at, calls: 0, failures: 0 };
  const slots = [
    ...recent,
    { at, calls: here.calls + counts.calls, failures: here.failures + counts.failures },
  ];
  const calls = slots.reduce((sum, slot) => sum + slot.calls, 0);
  const failures = slots.reduce((sum, slot) => sum + slot.failures, 0);
  if (counts.failures > 0 && failures >= FAILURE_LIMIT && failures * 2 >= calls)
    return { status: 'open', until: nowMs + OPEN_MS };
  return { status: 'closed', slots };
}

/** Only timeouts, 429 and 5xx count (which vendor files call Unavailable and RateLimited): a vendor that says no is well. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof RateLimited && error.vendorIsWell === true) return 'success';
  return error instanceof Unavailable || error instanceof RateLimited ? 'failure' : 'success';
}

/** `circuit_breaker_state`: 0 closed, 1 open, 0.5 half-open. */
export function stateValue(circuit: Circuit): number {
  return { closed: 0, 'half-open': 0.5, open: 1 }[circuit.status];
}
