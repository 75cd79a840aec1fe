// Which five ways may a step fail, so that a state machine can tell them apart?

/**
 * The five names a state machine retries or catches by. `name` is a literal on every class because
 * bundlers rename classes; `cause` keeps what the vendor said.
 */
export type TaskErrorName = 'InvalidInput' | 'Refused' | 'RateLimited' | 'Unavailable' | 'Conflict';

/** Where in the input the trouble is (`brief.offer`) and anything else worth showing a person. */
export interface ErrorDetails {
  /** Path of the offending field, dot separated. */
  path?: string;
  /** Every problem found, one sentence each. */
  problems?: readonly { path: string; message: string }[];
  /** The vendor's own code, for logs and support. */
  vendorCode?: string;
  /** When the vendor said it will listen again, epoch milliseconds: a step can answer `defer` instead of failing. */
  retryAt?: number;
  /** The vendor is well and holds back one object only: no reason to leave it alone altogether. */
  vendorIsWell?: boolean;
  cause?: unknown;
}

class TaskError extends Error {
  readonly path?: string;
  readonly problems?: readonly { path: string; message: string }[];
  readonly vendorCode?: string;
  readonly retryAt?: number;
  readonly vendorIsWell?: boolean;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    if (details.path !== undefined) this.path = details.path;
    if (details.problems !== undefined) this.problems = details.problems;
    if (details.vendorCode !== undefined) this.vendorCode = details.vendorCode;
    if (details.retryAt !== undefined) this.retryAt = details.retryAt;
    if (details.vendorIsWell !== undefined) this.vendorIsWell = details.vendorIsWell;
  }
}

/** Our bug or a bad payload. The state machine undoes and fails; nothing is retried. */
export class InvalidInput extends TaskError {
  override readonly name = 'InvalidInput';
}

/** The vendor said no for good. The state machine undoes and fails. */
export class Refused extends TaskError {
  override readonly name = 'Refused';
}

/** Too fast, and nobody said until when. Retried slowly. */
export class RateLimited extends TaskError {
  override readonly name = 'RateLimited';
}

/** Timeout, 5xx, network, open circuit. Retried with backoff and full jitter. */
export class Unavailable extends TaskError {
  override readonly name = 'Unavailable';
}

/** Someone else moved it. Caught once, into the state that reads again. */
export class Conflict extends TaskError {
  override readonly name = 'Conflict';
}

const NAMES: readonly string[] = ['InvalidInput', 'Refused', 'RateLimited', 'Unavailable', 'Conflict'];

/** Is this one of the five? Judged by name: an error may come from another bundle. */
export function isTaskError(error: unknown): error is Error & { name: TaskErrorName } & ErrorDetails {
  return error instanceof Error && NAMES.includes(error.name);
}
