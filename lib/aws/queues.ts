// How is a queue made so that nothing in it is lost or read by strangers?
import type { Stack } from 'aws-cdk-lib/core';
import { Duration } from 'aws-cdk-lib/core';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { stageName } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';

/** Dead letters wait fourteen days, the longest SQS keeps anything. */
const DEAD_LETTER_DAYS = 14;

/** `<name>-dead-letters`; holds what failed for good, until a person redrives it. */
export function deadLetterQueue(
  scope: Construct,
  platform: PlatformStack,
  name: string,
  fifo = false,
): Queue {
  const queue = new Queue(scope, `${name}-dead-letters`, {
    queueName: stageName(platform, `${name}-dead-letters${fifo ? '.fifo' : ''}`),
    ...(fifo ? { fifo: true } : {}),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(DEAD_LETTER_DAYS),
  });
  acknowledge(queue, 'AwsSolutions-SQS3', 'This is the dead-letter queue.');
  return queue;
}

export interface WorkQueueOptions {
  maxReceives: number;
  /** Of the function that reads it; the visibility timeout is six times as long, as Lambda asks. */
  consumerTimeoutSeconds: number;
  fifo: boolean;
}

/** A queue and its dead letters, which are its own so that a move task returns them to the right place. */
export function workQueue(
  scope: Construct,
  platform: PlatformStack,
  name: string,
  { maxReceives, consumerTimeoutSeconds, fifo }: WorkQueueOptions,
): { queue: Queue; deadLetters: Queue } {
  const deadLetters = deadLetterQueue(scope, platform, name, fifo);
  const queue = new Queue(scope, name, {
    queueName: stageName(platform, `${name}${fifo ? '.fifo' : ''}`),
    ...(fifo ? { fifo: true } : {}),
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(4),
    visibilityTimeout: Duration.seconds(6 * consumerTimeoutSeconds),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: maxReceives },
  });
  return { queue, deadLetters };
}

/** Queues made below a construct, for alarms. */
export function deadLetterQueuesOf(stack: Stack): Queue[] {
  return stack.node
    .findAll()
    .filter((node): node is Queue => node instanceof Queue && node.node.id.endsWith('-dead-letters'));
}
