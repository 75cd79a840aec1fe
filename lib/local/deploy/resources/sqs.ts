// How do queues and their policies get deployed?
import { ACCOUNT, REGION } from '../../types.ts';
import { isTrue } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

/** Attributes that CreateQueue takes under the same name, as strings. */
const ATTRIBUTES = [
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'VisibilityTimeout',
  'RedrivePolicy',
  'RedriveAllowPolicy',
];

export const sqsResources: ResourceKinds = {
  'AWS::SQS::Queue': {
    reads: ['QueueName', ...ATTRIBUTES],
    ignores: ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'],
    async create(properties, context) {
      const fifo = isTrue(properties.FifoQueue);
      const QueueName = properties.QueueName ?? (fifo ? `${context.name(75)}.fifo` : context.name(80));
      const Attributes = Object.fromEntries(
        ATTRIBUTES.filter((name) => properties[name] !== undefined && !(name === 'FifoQueue' && !fifo)).map(
          (name) => {
            const value = properties[name];
            return [name, typeof value === 'object' ? JSON.stringify(value) : String(value)];
          },
        ),
      );
      const { QueueUrl } = await context.call('sqs', 'CreateQueue', { QueueName, Attributes });
      return {
        ref: QueueUrl,
        attributes: { Arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${QueueName}`, QueueName, QueueUrl },
      };
    },
  },
  'AWS::SQS::QueuePolicy': {
    reads: ['Queues', 'PolicyDocument'],
    create(properties, context) {
      for (const url of properties.Queues) {
        const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${url.slice(url.lastIndexOf('/') + 1)}`;
        context.iam.putResourcePolicy(
          arn,
          `${context.stack}/${context.logicalId}`,
          properties.PolicyDocument,
        );
      }
      return { ref: context.name(128) };
    },
  },
};
