// Which of the five names is this error of an OpenAI-compatible endpoint?
import * as z from 'zod';
import { InvalidInput, RateLimited, Refused, Unavailable } from '../runtime/errors.ts';
import type { HttpAnswer } from '../runtime/http.ts';

const ErrorBody = z.object({
  error: z.object({ message: z.string().default(''), code: z.union([z.string(), z.number()]).nullish() }),
});

/** 429 with this code is an empty purse, which no waiting fills. */
const NO_CREDIT = 'insufficient_quota';
/** A prompt the provider will not answer. */
const POLICY = 'content_policy_violation';

/** `what` names the call. Some providers repeat the key in their message; it is not passed on for 401. */
export function openAiError(answer: HttpAnswer, what: string): Error {
  const body = ErrorBody.safeParse(answer.json).data?.error;
  const code = body?.code ?? undefined;
  const words = body?.message.slice(0, 300) ?? `status ${answer.status}`;
  const details = { vendorCode: code === undefined ? String(answer.status) : `${answer.status}/${code}` };
  const { status } = answer;
  if (status === 401) return new Refused(`${what}: the API key was not accepted.`, details);
  if (status === 429)
    return code === NO_CREDIT
      ? new Refused(`${what}: ${words}`, details)
      : new RateLimited(`${what}: ${words}`, details);
  if (status === 403 || code === POLICY) return new Refused(`${what}: ${words}`, details);
  if (status === 400 || status === 413 || status === 422)
    return new InvalidInput(`${what}: ${words}`, details);
  if (status >= 500 || status === 408 || status === 409) return new Unavailable(`${what}: ${words}`, details);
  return new Refused(`${what}: ${words}`, details);
}
