// What does Lambda, and so the state machine, get to see of a failure?

/** Longer messages are cut: the cause becomes part of the state data. */
const MESSAGE_LIMIT = 4_000;

/**
 * The same error with a message that is valid JSON text of bounded length. Lambda answers errorType = name and
 * errorMessage = message. What is not an Error becomes one.
 */
export function surfaced(error: unknown): Error {
  const failure =
    error instanceof Error ? error : new Error(`Something that is not an error was thrown: ${String(error)}`);
  const message = failure.message.toWellFormed().slice(0, MESSAGE_LIMIT);
  if (message !== failure.message)
    Object.defineProperty(failure, 'message', { value: message, configurable: true, writable: true });
  return failure;
}
