// What time is it?

/** Milliseconds since the epoch. An argument everywhere, so that tests own time. */
export interface Clock {
  now(): number;
}

/** The machine's clock (inside the embedded cloud `Date` already reads the virtual one). */
export const systemClock: Clock = { now: () => Date.now() };
