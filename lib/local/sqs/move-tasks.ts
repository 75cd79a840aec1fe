// How do messages leave a dead-letter queue again?
import { randomUUID } from 'node:crypto';
import { AwsError, type Json } from '../types.ts';
import { redrivePolicy } from './attributes.ts';
import { invalidParameter } from './message.ts';
import type { Message, Queue } from './queue.ts';

export interface MoveTasks {
  start(input: Json): Json;
  list(input: Json): Json;
}

const notFound = (what: string): AwsError => new AwsError('ResourceNotFoundException', what, 404);

/**
 * A task moves what is visible when it starts, at once. Without a destination a message returns to the queue it came
 * from; messages that SQS did not dead-letter itself have none and stay.
 * @param resend puts a message into a queue as a new one
 */
export function createMoveTasks(
  queues: ReadonlyMap<string, Queue>,
  now: () => number,
  resend: (queue: Queue, message: Message) => void,
): MoveTasks {
  const done: Json[] = [];
  const byArn = (arn: unknown): Queue | undefined => [...queues.values()].find((queue) => queue.arn === arn);

  return {
    start(input) {
      const source = byArn(input.SourceArn);
      if (source === undefined)
        throw notFound('The resource that you specified for the SourceArn parameter does not exist.');
      const isDeadLetterQueue = [...queues.values()].some(
        (queue) => redrivePolicy(queue.attributes)?.deadLetterTargetArn === source.arn,
      );
      if (!isDeadLetterQueue)
        throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
      const destination = input.DestinationArn === undefined ? undefined : byArn(input.DestinationArn);
      if (input.DestinationArn !== undefined && destination === undefined) {
        throw notFound('The resource that you specified for the DestinationArn parameter does not exist.');
      }
      const found = [...source.visible()];
      let moved = 0;
      for (const message of found) {
        const target = destination ?? byArn(message.deadLetterSourceArn);
        if (target === undefined) continue;
        source.remove(message);
        resend(target, message);
        moved += 1;
      }
      const TaskHandle = Buffer.from(randomUUID()).toString('base64');
      done.unshift({
        TaskHandle,
        Status: 'COMPLETED',
        SourceArn: source.arn,
        ...(input.DestinationArn === undefined ? {} : { DestinationArn: input.DestinationArn }),
        ...(input.MaxNumberOfMessagesPerSecond === undefined
          ? {}
          : { MaxNumberOfMessagesPerSecond: input.MaxNumberOfMessagesPerSecond }),
        ApproximateNumberOfMessagesMoved: moved,
        ApproximateNumberOfMessagesToMove: found.length,
        StartedTimestamp: now(),
      });
      return { TaskHandle };
    },
    list(input) {
      if (byArn(input.SourceArn) === undefined) throw notFound('The specified source queue does not exist.');
      const most: number = input.MaxResults ?? 1;
      return { Results: done.filter((task) => task.SourceArn === input.SourceArn).slice(0, most) };
    },
  };
}
