// How does a payload reach a target, again and again, until it does or is given up?
import type { Faults } from '../faults.ts';
import { queueUrlOf, stringAttributes } from '../lambda/destination.ts';
import { AwsError, type EngineContext, type Principal } from '../types.ts';

export interface DeliveryContext extends EngineContext {
  faults?: Faults;
}

/** One payload on its way to one target. */
export interface Delivery {
  targetArn: string;
  principal: Principal;
  /** The payload for each attempt, from 1. */
  payload: (attempt: number) => string;
  sqs?: { MessageGroupId?: string };
  /** For buses: what PutEvents gets besides Detail. */
  event?: { source: string; detailType: string };
  /** Replaces the API call (forwarding an event from bus to bus). */
  send?: () => Promise<unknown>;
  maximumRetries: number;
  maximumAgeSeconds: number;
  deadLetterArn: string | undefined;
  deadLetterPrincipal: Principal;
  /** Attributes of the dead letter that say where it comes from. */
  origin: Record<string, string>;
  /** The dead letter's body; default the payload. */
  deadLetterBody?: string;
}

/** Answers for which EventBridge and Scheduler do not try again. */
const FINAL: Record<string, string> = {
  AccessDeniedException: 'NO_PERMISSIONS',
  AccessDenied: 'NO_PERMISSIONS',
  ResourceNotFoundException: 'NO_RESOURCE',
  QueueDoesNotExist: 'NO_RESOURCE',
  'AWS.SimpleQueueService.NonExistentQueue': 'NO_RESOURCE',
  StateMachineDoesNotExist: 'NO_RESOURCE',
  NotFound: 'NO_RESOURCE',
};

const RETRYABLE: Record<string, string> = {
  TooManyRequestsException: 'THROTTLING',
  ThrottlingException: 'THROTTLING',
  RequestThrottled: 'THROTTLING',
};

const BACKOFF_START_MS = 1_000;
/** 185 tries within 24 hours. */
const BACKOFF_MAX_MS = 500_000;

async function send(context: EngineContext, delivery: Delivery, attempt: number): Promise<void> {
  if (delivery.send !== undefined) {
    await delivery.send();
    return;
  }
  const { targetArn, principal } = delivery;
  const payload = delivery.payload(attempt);
  const caller = { principal };
  switch (targetArn.split(':')[2]) {
    case 'lambda':
      await context.call(caller, 'lambda', 'Invoke', {
        FunctionName: targetArn,
        InvocationType: 'Event',
        Payload: Buffer.from(payload),
      });
      return;
    case 'sqs':
      await context.call(caller, 'sqs', 'SendMessage', {
        QueueUrl: queueUrlOf(targetArn),
        MessageBody: payload,
        ...(delivery.sqs?.MessageGroupId === undefined
          ? {}
          : { MessageGroupId: delivery.sqs.MessageGroupId }),
      });
      return;
    case 'states':
      await context.call(caller, 'states', 'StartExecution', { stateMachineArn: targetArn, input: payload });
      return;
    case 'events': {
      const answer = await context.call(caller, 'events', 'PutEvents', {
        Entries: [
          {
            EventBusName: targetArn,
            Source: delivery.event?.source,
            DetailType: delivery.event?.detailType,
            Detail: payload,
          },
        ],
      });
      const entry = answer.Entries[0];
      if (entry.ErrorCode !== undefined) throw new AwsError(entry.ErrorCode, entry.ErrorMessage);
      return;
    }
    case 'sns':
      await context.call(caller, 'sns', 'Publish', { TopicArn: targetArn, Message: payload });
      return;
    default:
      throw new AwsError('ValidationException', `${targetArn} cannot be a target`);
  }
}

/** Services whose ARNs `deliver` can serve. */
export const TARGET_SERVICES: readonly string[] = ['lambda', 'sqs', 'states', 'events', 'sns'];

/** Starts the delivery; it is work while an attempt runs and a timer in between. */
export function deliver(context: DeliveryContext, delivery: Delivery): void {
  const { clock, random } = context;
  const startedMs = clock.now();
  let attempts = 0;

  async function giveUp(error: AwsError, condition: string | undefined): Promise<void> {
    if (delivery.deadLetterArn === undefined) return;
    const denied = error.code.startsWith('AccessDenied') ? 'NO_PERMISSIONS' : undefined;
    await context.call({ principal: delivery.deadLetterPrincipal }, 'sqs', 'SendMessage', {
      QueueUrl: queueUrlOf(delivery.deadLetterArn),
      MessageBody: delivery.deadLetterBody ?? delivery.payload(attempts),
      MessageAttributes: stringAttributes({
        ...delivery.origin,
        ERROR_CODE: denied ?? FINAL[error.code] ?? RETRYABLE[error.code] ?? 'SDK_CLIENT_ERROR',
        ERROR_MESSAGE: error.message,
        RETRY_ATTEMPTS: String(attempts - 1),
        ...(condition === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: condition }),
      }),
    });
  }

  async function attempt(): Promise<void> {
    attempts += 1;
    try {
      await send(context, delivery, attempts);
      if (context.faults?.duplicate(delivery.targetArn)) await send(context, delivery, attempts);
    } catch (thrown) {
      const error =
        thrown instanceof AwsError
          ? thrown
          : new AwsError('SDK_CLIENT_ERROR', thrown instanceof Error ? thrown.message : String(thrown));
      if (error.code in FINAL || error.code.startsWith('AccessDenied')) return giveUp(error, undefined);
      if (attempts > delivery.maximumRetries) return giveUp(error, 'MaximumRetryAttempts');
      const delayMs = Math.min(BACKOFF_START_MS * 2 ** (attempts - 1), BACKOFF_MAX_MS) * (0.5 + random() / 2);
      if (clock.now() + delayMs - startedMs > delivery.maximumAgeSeconds * 1000) {
        return giveUp(error, 'MaximumEventAgeInSeconds');
      }
      clock.at(clock.now() + delayMs, start);
    }
  }

  function start() {
    const done = clock.work(`delivery to ${delivery.targetArn}`);
    attempt()
      .catch((error: unknown) => {
        // As on AWS the payload is lost with its dead-letter queue unreachable; there it is a metric.
        console.error(`A dead letter for ${delivery.targetArn} could not be written:`, error);
      })
      .finally(done);
  }

  start();
}
