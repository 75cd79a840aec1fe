// Which of the five names is a failure of an AWS service that we use as a vendor?
import { awsError } from '../runtime/aws-errors.ts';
import { InvalidInput, isTaskError, Refused, Unavailable } from '../runtime/errors.ts';

const NO_ACCESS = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
  'SubscriptionRequiredException',
]);

/** Names of exceptions by what they mean, where the service has names of its own. */
export interface VendorNames {
  invalidInput?: readonly string[];
  refused?: readonly string[];
  unavailable?: readonly string[];
}

/**
 * Runs the call. Throttles, outages and timeouts as everywhere in AWS; denied access → Refused, because a service that was not
 * enabled for the account stays so until somebody enables it; the service's own names as given.
 */
export async function awsVendorCall<T>(what: string, names: VendorNames, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const named = awsError(error, what);
    if (isTaskError(named) || !(error instanceof Error)) throw named;
    const details = { vendorCode: error.name, cause: error };
    const message = `${what}: ${error.message}`;
    if (names.invalidInput?.includes(error.name) === true) throw new InvalidInput(message, details);
    if (names.unavailable?.includes(error.name) === true) throw new Unavailable(message, details);
    if (NO_ACCESS.has(error.name) || names.refused?.includes(error.name) === true)
      throw new Refused(message, details);
    throw error;
  }
}
