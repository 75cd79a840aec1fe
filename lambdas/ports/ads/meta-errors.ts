// Which of the five names is this Graph API error?
import * as z from 'zod';
import { InvalidInput, RateLimited, Refused, Unavailable, type ErrorDetails } from '../../runtime/errors.ts';
import type { HttpAnswer } from '../../runtime/http.ts';
import type { Usage } from './publisher.ts';

const GraphErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    code: z.number().optional(),
    error_subcode: z.number().optional(),
    is_transient: z.boolean().optional(),
    error_user_title: z.string().optional(),
    error_user_msg: z.string().optional(),
    fbtrace_id: z.string().optional(),
  }),
});

/**
 * App (4/1504022 and 4/1504039: all apps' load, insights' load), user or account (17/2446079), page and custom limits;
 * 80000–80014 are the business use cases. Some carry `is_transient: false`.
 */
const APP_LIMIT = 4;
const PAGE_LIMIT = 32;
const CUSTOM_LIMIT = 613;
const THROTTLES = new Set([APP_LIMIT, 17, PAGE_LIMIT, CUSTOM_LIMIT]);
const isThrottle = (code: number): boolean => THROTTLES.has(code) || (code >= 80_000 && code <= 80_014);

/** Of 613: four budget changes of one ad set within an hour, and more than a hundred writes within a second. */
const BUDGET_EDITS = `${CUSTOM_LIMIT}/1487632`;
const WRITES_PER_SECOND = `${CUSTOM_LIMIT}/5044001`;
/** How long Meta documents these to last; no usage header counts them. Other limits are silent but for the headers. */
const WAITS_MS: Readonly<Record<string, number>> = { [BUDGET_EDITS]: 3_600_000, [WRITES_PER_SECOND]: 1_000 };

/** Unknown error, service down (2/1504038: took too long; 2/1504043: now and then), connection reset, batch timeout. */
const OUTAGES = new Set([1, 2, 104, 960]);
const OUTAGE_SUBCODE = 99;

/** The token is over: expired (463), revoked (467), changed password (460); 102 is its session form. */
const RECONNECT = new Set([190, 102]);
const isPermission = (code: number): boolean => code === 3 || code === 10 || (code >= 200 && code <= 299);
const POLICY = 368;
const BAD_REQUEST = 100;
const UNKNOWN_OBJECT = 33;
const UPLOAD_OVER = 6000;
const UPLOAD_OFFSET = 6001;

/** Our own, for a connection without a usable secret: no call was made. */
export const NO_CREDENTIAL = 'no-credential';
const STATUS_UNAUTHORIZED = 401;
const STATUS_FORBIDDEN = 403;

/** 100/33 as `metaError` named it: the object does not exist, or this token may not see it. */
export function isUnknownObject(error: unknown): boolean {
  return error instanceof Refused && error.vendorCode === `${BAD_REQUEST}/${UNKNOWN_OBJECT}`;
}

/** What a Refused of Meta's is about, by the `vendorCode` that `metaError` gave it. */
export function metaRefusal(vendorCode: string): 'credential' | 'permission' | 'policy' | 'other' {
  if (vendorCode === NO_CREDENTIAL) return 'credential';
  const code = codeOf(vendorCode);
  if (RECONNECT.has(code) || code === STATUS_UNAUTHORIZED) return 'credential';
  if (isPermission(code) || code === STATUS_FORBIDDEN) return 'permission';
  return code === POLICY ? 'policy' : 'other';
}

/** Whom a RateLimited of Meta's holds back, by its `vendorCode`. */
export function metaThrottle(vendorCode: string): 'budget-edits' | 'account' | 'application' {
  if (vendorCode === BUDGET_EDITS) return 'budget-edits';
  return [APP_LIMIT, PAGE_LIMIT].includes(codeOf(vendorCode)) ? 'application' : 'account';
}

function codeOf(vendorCode: string): number {
  return Number(vendorCode.split('/')[0]);
}

export function isGraphError(answer: HttpAnswer): boolean {
  return GraphErrorBody.safeParse(answer.json).success;
}

/**
 * Classified by code, never by `type` (throttles may call themselves OAuthException). `what` names the call. Messages hold the
 * vendor's words for people and its trace id, and no URL.
 */
export function metaError(answer: HttpAnswer, what: string, usage: Usage | null, nowMs: number): Error {
  const body = GraphErrorBody.safeParse(answer.json).data?.error;
  if (body?.code === undefined) return byStatus(answer, what);
  const { code, error_subcode: subcode } = body;
  const words = [body.error_user_title, body.error_user_msg ?? body.message]
    .filter((part) => part !== undefined && part !== '')
    .join(': ');
  const trace = body.fbtrace_id === undefined ? '' : ` (trace ${body.fbtrace_id})`;
  const message = `Meta: ${what}: ${words.slice(0, 500)}${trace}`;
  const details: ErrorDetails = {
    vendorCode: subcode === undefined ? String(code) : `${code}/${subcode}`,
    cause: body,
  };
  if (isThrottle(code)) return throttled(message, details, usage, nowMs);
  if (RECONNECT.has(code)) return new Refused(`${message}. Reconnect the ad account.`, details);
  if (isPermission(code)) return new Refused(`${message}. The connection lacks a permission.`, details);
  if (code === POLICY) return new Refused(message, details);
  const isOutage =
    OUTAGES.has(code) || subcode === OUTAGE_SUBCODE || body.is_transient === true || answer.status >= 500;
  if (isOutage) return new Unavailable(message, details);
  // The upload cannot be continued, but a new one can be started.
  if (code === UPLOAD_OVER || code === UPLOAD_OFFSET) return new Unavailable(message, details);
  if (code === BAD_REQUEST && subcode !== UNKNOWN_OBJECT) return new InvalidInput(message, details);
  return new Refused(message, details);
}

function byStatus(answer: HttpAnswer, what: string): Error {
  const message = `Meta: ${what} was answered with status ${answer.status} and no error code.`;
  const details = { vendorCode: String(answer.status), cause: answer.text.slice(0, 1000) };
  if (answer.status === 429) return new RateLimited(message, details);
  if (answer.status >= 500 || answer.status < 300) return new Unavailable(message, details);
  return new Refused(message, details);
}

function throttled(message: string, details: ErrorDetails, usage: Usage | null, nowMs: number): RateLimited {
  // The headers are about the account's quotas and may name a time before the object's own limit ends.
  const waitMs = Math.max(usage?.regainMs ?? 0, WAITS_MS[details.vendorCode ?? ''] ?? 0);
  return new RateLimited(message, {
    ...details,
    ...(waitMs > 0 ? { retryAt: nowMs + waitMs } : {}),
    ...(details.vendorCode === BUDGET_EDITS ? { vendorIsWell: true } : {}),
  });
}
