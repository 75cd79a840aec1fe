// What happens to an event nobody waits for?
import type { EngineContext, Json } from '../types.ts';
import { AwsError } from '../types.ts';
import type { Faults } from '../faults.ts';
import type { FunctionRecord } from './registry.ts';
import type { RunResult } from './run.ts';
import { sendTo } from './destination.ts';

export interface Asynchronous {
  /** Takes the event; it is run at once, retried after one and two minutes, and then goes to the destination or dead-letter queue. */
  accept(record: FunctionRecord, event: Json): void;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const RETRY_DELAYS_MS = [60_000, 120_000];
const THROTTLE_DELAY_MS = 1_000;
const THROTTLE_DELAY_MAX_MS = 300_000;

export function createAsynchronous(options: {
  context: EngineContext & { faults: Faults };
  run: (record: FunctionRecord, event: Json, requestId: string) => Promise<RunResult>;
  newId: () => string;
}): Asynchronous {
  const { clock, faults } = options.context;

  interface Pending {
    record: FunctionRecord;
    event: Json;
    requestId: string;
    acceptedMs: number;
    attempts: number;
    throttles: number;
  }

  async function attempt(pending: Pending): Promise<void> {
    const { record, event, requestId } = pending;
    const { asynchronous } = record;
    const ageLimitMs = asynchronous.maximumEventAgeSeconds * 1000;
    let result: RunResult;
    try {
      result = await options.run(record, structuredClone(event), requestId);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      pending.throttles += 1;
      const delayMs = Math.min(THROTTLE_DELAY_MS * 2 ** (pending.throttles - 1), THROTTLE_DELAY_MAX_MS);
      if (clock.now() + delayMs - pending.acceptedMs > ageLimitMs) {
        return finish(pending, 'EventAgeExceeded', undefined);
      }
      return later(pending, delayMs);
    }
    pending.attempts += 1;
    if ('payload' in result) return finish(pending, 'Success', result);
    if (pending.attempts > asynchronous.maximumRetryAttempts)
      return finish(pending, 'RetriesExhausted', result);
    const delayMs = RETRY_DELAYS_MS[pending.attempts - 1] ?? 120_000;
    if (clock.now() + delayMs - pending.acceptedMs > ageLimitMs) {
      return finish(pending, 'EventAgeExceeded', result);
    }
    later(pending, delayMs);
  }

  function start(pending: Pending) {
    const done = clock.work(`asynchronous event of ${pending.record.name}`);
    attempt(pending)
      .catch((error: unknown) => {
        // Nobody waits for this answer; AWS shows it as DestinationDeliveryFailures and DeadLetterErrors.
        console.error(`An event of ${pending.record.name} could not be delivered to its destination:`, error);
      })
      .finally(done);
  }

  function later(pending: Pending, delayMs: number) {
    clock.at(clock.now() + delayMs, () => start(pending));
  }

  async function finish(pending: Pending, condition: string, result: RunResult | undefined): Promise<void> {
    const { record, event, requestId } = pending;
    const succeeded = condition === 'Success';
    const destination = succeeded ? record.asynchronous.onSuccessArn : record.asynchronous.onFailureArn;
    const principal = { kind: 'role', roleArn: record.roleArn } as const;
    const error = result !== undefined && 'functionError' in result ? result.functionError : undefined;
    if (destination !== undefined) {
      await sendTo(options.context, principal, destination, {
        version: '1.0',
        timestamp: new Date(clock.now()).toISOString(),
        requestContext: {
          requestId,
          functionArn: `${record.arn}:$LATEST`,
          condition,
          approximateInvokeCount: pending.attempts,
        },
        requestPayload: event,
        ...(result === undefined
          ? {}
          : {
              responseContext: {
                statusCode: 200,
                executedVersion: '$LATEST',
                ...(error === undefined ? {} : { functionError: 'Unhandled' }),
              },
              responsePayload: error ?? ('payload' in result ? result.payload : null),
            }),
      });
    }
    if (!succeeded && record.deadLetterArn !== undefined) {
      await sendTo(options.context, principal, record.deadLetterArn, event, {
        RequestID: requestId,
        ErrorCode: '200',
        ErrorMessage: (error?.errorMessage ?? condition).slice(0, 1_024),
      });
    }
  }

  return {
    accept(record, event) {
      const requestId = options.newId();
      const pending = { record, event, requestId, acceptedMs: clock.now(), attempts: 0, throttles: 0 };
      start(pending);
      // Both run at once: what they do is told apart by their ids.
      if (faults.duplicate(record.name)) start({ ...pending, requestId: options.newId() });
    },
  };
}
