// When is a change tried again that went wrong, and when is that enough?
import type { Change } from './change.ts';
import type { Finish } from './leases.ts';

/** Executions that may go wrong for a reason of their own, not because somebody was out of reach. */
const MOST_ATTEMPTS = 5;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** A call that nobody waits for any more may still arrive; then it is over. */
export const STRAGGLER_MS = 60_000;

/** Somebody was out of reach: however often that happens, it says nothing about the change. */
const OUT_OF_REACH = [
  'Unavailable',
  'RateLimited',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** Pure. Waits grow from one minute to fifteen. What may have reached the platform is kept in mind. */
export function releaseOf(
  change: Pick<Change, 'attempts' | 'deferrals' | 'intent'>,
  failure: { Error: string; Cause?: string | undefined },
  nowMs: number,
): Pick<Finish, 'step' | 'set' | 'keepIntent'> {
  const outside = OUT_OF_REACH.includes(failure.Error);
  const attempts = change.attempts + (outside ? 0 : 1);
  const reason = `${failure.Error}: ${messageIn(failure.Cause)}`.slice(0, 500);
  if (attempts >= MOST_ATTEMPTS && change.intent === undefined) {
    return { step: { move: 'fail', code: 'failed', reason }, set: { attempts } };
  }
  const tries = change.deferrals + attempts;
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10));
  return {
    step: { move: 'reclaim', code: outside ? 'unreachable' : 'failed-once', reason },
    set: { attempts, deferrals: change.deferrals + 1, notBefore: nowMs + Math.max(waitMs, STRAGGLER_MS) },
    keepIntent: true,
  };
}

/** Lambda's cause is a JSON document; people want its message. */
function messageIn(cause = ''): string {
  try {
    const parsed = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof parsed.errorMessage === 'string' ? parsed.errorMessage : cause;
  } catch {
    // Plain text, not a document.
    return cause;
  }
}
