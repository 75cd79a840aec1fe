// How is a message put on a queue, and taken off one by a redrive?
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import { InvalidInput } from './errors.ts';
import { variable, type Need } from './need.ts';

/** SQS's limit on one message, bytes (1 MiB since August 2025). */
export const MESSAGE_LIMIT_BYTES = 1_048_576;

export interface SendOptions {
  /** FIFO queues: messages of one group keep their order. */
  groupId?: string;
  /** FIFO queues: the same id within five minutes is one message. */
  deduplicationId?: string;
  /** 0 to 900. */
  delaySeconds?: number;
}

export interface QueueMessage {
  id: string;
  body: string;
  /** Needed to delete it. */
  receipt: string;
  receiveCount: number;
  /** Milliseconds since the epoch. */
  sentAt: number;
}

export interface Queue {
  readonly url: string;
  /** Sends one JSON document; the client compares the MD5 that SQS answers. Returns the message id. @throws InvalidInput above the limit. */
  send(body: unknown, options?: SendOptions): Promise<string>;
  /** Up to 10, without waiting; invisible to others for `visibilitySeconds`. */
  receive(options?: { max?: number; visibilitySeconds?: number }): Promise<QueueMessage[]>;
  delete(receipt: string): Promise<void>;
  /** Approximate, as SQS says. */
  depth(): Promise<{ visible: number; inFlight: number; delayed: number }>;
}

const ACCESS = {
  send: ['sqs:SendMessage'],
  receive: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
  depth: ['sqs:GetQueueAttributes'],
} as const;

export function queueNeed(name: string, ...access: readonly (keyof typeof ACCESS)[]): Need<Queue> {
  const key = `QUEUE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
  return {
    grants: [{ actions: access.flatMap((kind) => ACCESS[kind]), on: { kind: 'queue', name } }],
    env: { [key]: { of: { kind: 'queue', name }, attribute: 'url' } },
    open(env) {
      const client = sharedClient(env, 'sqs', () => new SQSClient(awsClientConfig(env, 'SQS')));
      return openQueue(client, variable(env, key));
    },
  };
}

/** A queue by its address. */
export function openQueue(client: SQSClient, url: string): Queue {
  const what = (operation: string): string => `${operation} on ${url.split('/').at(-1)}`;
  return {
    url,
    async send(body, options = {}) {
      const text = JSON.stringify(body);
      if (Buffer.byteLength(text) > MESSAGE_LIMIT_BYTES) {
        throw new InvalidInput(
          `A message of ${Buffer.byteLength(text)} bytes does not fit on a queue (1 MiB).`,
        );
      }
      const command = new SendMessageCommand({
        QueueUrl: url,
        MessageBody: text,
        ...(options.groupId === undefined ? {} : { MessageGroupId: options.groupId }),
        ...(options.deduplicationId === undefined ? {} : { MessageDeduplicationId: options.deduplicationId }),
        ...(options.delaySeconds === undefined ? {} : { DelaySeconds: options.delaySeconds }),
      });
      const answer = await awsCall(what('SendMessage'), () => client.send(command));
      return answer.MessageId ?? '';
    },
    async receive({ max = 10, visibilitySeconds } = {}) {
      const command = new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        ...(visibilitySeconds === undefined ? {} : { VisibilityTimeout: visibilitySeconds }),
      });
      const answer = await awsCall(what('ReceiveMessage'), () => client.send(command));
      return (answer.Messages ?? []).map((message) => ({
        id: message.MessageId ?? '',
        body: message.Body ?? '',
        receipt: message.ReceiptHandle ?? '',
        receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
        sentAt: Number(message.Attributes?.SentTimestamp ?? 0),
      }));
    },
    async delete(receipt) {
      const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt });
      await awsCall(what('DeleteMessage'), () => client.send(command));
    },
    async depth() {
      const command = new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      });
      const { Attributes: found = {} } = await awsCall(what('GetQueueAttributes'), () =>
        client.send(command),
      );
      return {
        visible: Number(found['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(found['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        delayed: Number(found['ApproximateNumberOfMessagesDelayed'] ?? 0),
      };
    },
  };
}
