// Which of the five names is this failure of an AWS call?
import { Conflict, InvalidInput, RateLimited, Unavailable, isTaskError } from './errors.ts';

interface AwsFailure extends Error {
  $metadata?: { httpStatusCode?: number };
  $retryable?: { throttling?: boolean };
  CancellationReasons?: readonly { Code?: string; Message?: string }[];
  code?: string;
}

const THROTTLES = new Set([
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'TooManyRequestsException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'LimitExceededException',
  'SlowDown',
  'EC2ThrottledException',
  'ThroughputExceeded',
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
]);

const OUTAGES = new Set([
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeoutException',
  'InternalServerError',
  'InternalFailure',
  'InternalError',
  'InternalException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ServiceException',
  'TransactionConflictException',
  'TransactionInProgressException',
  'AbortError',
  'NetworkingError',
]);

const NETWORK =
  /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_\w+)$/;

/**
 * Throttles → RateLimited; timeouts, 5xx, network, transactions in each other's way → Unavailable; a failed condition →
 * Conflict; an item or message beyond AWS's limits → InvalidInput. Everything else (AccessDenied, a wrong table) is our bug
 * and comes back as it is.
 */
export function awsError(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || isTaskError(error)) return error;
  const failure = error as AwsFailure;
  const message = `${what}: ${failure.message === '' ? failure.name : failure.message}`;
  const details = { cause: error, vendorCode: failure.name };
  if (failure.name === 'ConditionalCheckFailedException') return new Conflict(message, details);
  if (failure.name === 'TransactionCanceledException') return cancelled(failure, what);
  if (THROTTLES.has(failure.name) || failure.$retryable?.throttling === true)
    return new RateLimited(message, details);
  const status = failure.$metadata?.httpStatusCode ?? 0;
  if (OUTAGES.has(failure.name) || status >= 500 || NETWORK.test(failure.code ?? '')) {
    return new Unavailable(message, details);
  }
  if (status === 429) return new RateLimited(message, details);
  if (
    failure.name === 'ValidationException' &&
    /item size|exceed.*maximum allowed size/i.test(failure.message)
  ) {
    return new InvalidInput(message, details);
  }
  return error;
}

/** Runs an AWS call. @throws what `awsError` says. */
export async function awsCall<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw awsError(error, what);
  }
}

function cancelled(failure: AwsFailure, what: string): Error {
  const codes = (failure.CancellationReasons ?? []).map((reason) => reason.Code ?? 'None');
  const message = `${what}: the transaction was cancelled (${codes.join(', ') || failure.message})`;
  const details = { cause: failure, vendorCode: failure.name };
  if (codes.includes('ConditionalCheckFailed')) return new Conflict(message, details);
  if (codes.some((code) => THROTTLES.has(code))) return new RateLimited(message, details);
  if (codes.includes('TransactionConflict')) return new Unavailable(message, details);
  if (codes.some((code) => code === 'ItemCollectionSizeLimitExceeded' || code === 'ValidationError'))
    return new InvalidInput(message, details);
  return new Unavailable(message, details);
}
