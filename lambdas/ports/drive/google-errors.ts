// Which of the five names is this Google Drive error?
import * as z from 'zod';
import { Conflict, InvalidInput, RateLimited, Refused, Unavailable } from '../../runtime/errors.ts';

const DriveErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    errors: z.array(z.object({ reason: z.string() })).default([]),
  }),
});

/** 403 means both "too fast" and "no"; only the reason tells (guides/handle-errors). */
const TOO_FAST = new Set([
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'sharingRateLimitExceeded',
  'dailyLimitExceeded',
]);

/** `what` names the call; the message holds the vendor's words and no URL. */
export function driveError(status: number, json: unknown, what: string): Error {
  const body = DriveErrorBody.safeParse(json).data?.error;
  const reason = body?.errors[0]?.reason;
  const message = `Google Drive: ${what}: ${body?.message.slice(0, 300) ?? `status ${status}`}`;
  const details = { vendorCode: reason === undefined ? String(status) : `${status}/${reason}`, cause: json };
  if (status === 401) return new Refused(`${message}. Reconnect Google Drive.`, details);
  if (status === 429 || (status === 403 && reason !== undefined && TOO_FAST.has(reason)))
    return new RateLimited(message, details);
  if (status === 404)
    return new Refused(`${message} It does not exist or is not shared with the connected account.`, details);
  if (status === 410) return new Conflict(`${message} Start again from a new page token.`, details);
  if (status === 400 || status === 416) return new InvalidInput(message, details);
  if (status >= 500 || status === 408) return new Unavailable(message, details);
  return new Refused(message, details);
}
