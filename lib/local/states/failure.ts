// With which error name does a state fail, and which Retry or Catch rule sees it?
import type { AwsError } from '../types.ts';

/** Bytes a payload or a variable may have (Step Functions quota, 256 KiB). */
export const PAYLOAD_LIMIT_BYTES = 262_144;

/** An error as the States Language knows it: a name, a cause, and for evaluation errors the field. */
export class StateFailure extends Error {
  readonly error: string;
  readonly explanation: string;
  /** The field whose expression failed; set only for States.QueryEvaluationError. */
  readonly location: string | undefined;

  constructor(error: string, explanation: string, options: { location?: string; cause?: unknown } = {}) {
    super(`${error}: ${explanation}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.error = error;
    this.explanation = explanation;
    this.location = options.location;
  }
}

/** Anything thrown that is not a failure already is a bug or an unmapped condition: States.Runtime, which nothing catches. */
export function asFailure(thrown: unknown): StateFailure {
  if (thrown instanceof StateFailure) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new StateFailure('States.Runtime', message, { cause: thrown });
}

/**
 * An AWS error inside a task takes the name `<Service>.<Code>`; the SDK's exception classes end in `Exception`
 * whether the wire code does or not (`StepFunctions.ExecutionAlreadyExistsException`).
 */
export function fromAws(prefix: string, error: AwsError): StateFailure {
  const code = /(Exception|Error)$/.test(error.code) ? error.code : `${error.code}Exception`;
  return new StateFailure(
    `${prefix}.${code}`,
    `${error.message} (Service: ${prefix}, Status Code: ${error.status})`,
    { cause: error },
  );
}

// Terminal errors: they pass every retrier and catcher.
const TERMINAL = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/**
 * Does a rule's ErrorEquals cover this error? States.ALL covers everything but the terminal errors, States.TaskFailed
 * everything but timeouts, States.Timeout also a missed heartbeat (Amazon States Language, "Errors").
 */
export function covers(errorEquals: readonly string[], error: string): boolean {
  if (TERMINAL.has(error)) return false;
  return errorEquals.some(
    (name) =>
      name === error ||
      name === 'States.ALL' ||
      (name === 'States.TaskFailed' && error !== 'States.Timeout' && error !== 'States.HeartbeatTimeout') ||
      (name === 'States.Timeout' && error === 'States.HeartbeatTimeout'),
  );
}

/**
 * The JSON text of a payload.
 * @throws StateFailure States.DataLimitExceeded above 256 KiB, States.Runtime for what JSON cannot hold.
 */
export function payloadJson(value: unknown, what: string): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new StateFailure('States.Runtime', `${what} is not a JSON value`);
  // A UTF-16 unit takes at most three bytes: short texts need no counting.
  if (json.length * 3 > PAYLOAD_LIMIT_BYTES && Buffer.byteLength(json) > PAYLOAD_LIMIT_BYTES) {
    throw new StateFailure(
      'States.DataLimitExceeded',
      `${what} has a size exceeding the maximum number of bytes service limit.`,
    );
  }
  return json;
}
