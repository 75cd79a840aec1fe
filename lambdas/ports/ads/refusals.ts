// In which of our words did the platform say no?
import { isTaskError } from '../../runtime/errors.ts';
import { metaRefusal, metaThrottle } from './meta-errors.ts';

/**
 * `credential`: the connection must be made anew. `permission`: it lacks a right. Both concern the whole account. `policy`: the
 * platform does not want this. `value`: the platform or this port finds the value wrong. `other`: no, for good, for any other
 * reason; an object that is gone is one of them.
 */
export type Refusal = 'credential' | 'permission' | 'policy' | 'value' | 'other';

/** What may be asked too often: one ad set's budget, anything in the account, or anything with our application. */
export type Throttle = 'budget-edits' | 'account' | 'application';

/** Undefined for what is no refusal: throttling, outages, conflicts and our own bugs. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isTaskError(error)) return undefined;
  if (error.name === 'InvalidInput') return 'value';
  return error.name === 'Refused' ? metaRefusal(error.vendorCode ?? '') : undefined;
}

/** Undefined for what is no throttling. Only `budget-edits` leaves the rest of the account free. */
export function throttleOf(error: unknown): Throttle | undefined {
  return isTaskError(error) && error.name === 'RateLimited'
    ? metaThrottle(error.vendorCode ?? '')
    : undefined;
}
