// How does a record reach the queue, function, bus or topic an ARN names?
import type { EngineContext, Json, Principal } from '../types.ts';
import { ACCOUNT, AwsError, REGION } from '../types.ts';

export const queueUrlOf = (queueArn: string): string =>
  `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${queueArn.split(':').at(-1)}`;

/** SQS message attributes of type String. */
export const stringAttributes = (values: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );

/**
 * Sends a record to a destination or dead-letter queue, with the caller's permissions.
 * @throws AwsError as the target answers
 */
export async function sendTo(
  context: Pick<EngineContext, 'call'>,
  principal: Principal,
  targetArn: string,
  record: Json,
  attributes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const body = JSON.stringify(record);
  const service = targetArn.split(':')[2];
  switch (service) {
    case 'sqs':
      await context.call({ principal }, 'sqs', 'SendMessage', {
        QueueUrl: queueUrlOf(targetArn),
        MessageBody: body,
        MessageAttributes: stringAttributes(attributes),
        ...(targetArn.endsWith('.fifo')
          ? { MessageGroupId: 'failures', MessageDeduplicationId: attributes.RequestID }
          : {}),
      });
      return;
    case 'lambda':
      await context.call({ principal }, 'lambda', 'Invoke', {
        FunctionName: targetArn,
        InvocationType: 'Event',
        Payload: Buffer.from(body),
      });
      return;
    case 'events':
      await context.call({ principal }, 'events', 'PutEvents', {
        Entries: [
          {
            EventBusName: targetArn,
            Source: 'lambda',
            DetailType: 'Lambda Function Invocation Result',
            Detail: body,
          },
        ],
      });
      return;
    case 'sns':
      await context.call({ principal }, 'sns', 'Publish', { TopicArn: targetArn, Message: body });
      return;
    default:
      throw new AwsError('InvalidParameterValueException', `${targetArn} cannot be a destination`);
  }
}
