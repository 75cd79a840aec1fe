// Which permissions does an SQS call need?
import { ACCOUNT, REGION, type AccessRequest, type Json } from '../types.ts';

export const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;

export const queueNameOf = (urlOrArn: string): string => urlOrArn.split(/[/:]/).at(-1) ?? '';

/** As AWS evaluates it: a batch needs the permission of its single call, a move task those of its parts. */
export function sqsAuthorization(operation: string, input: Json): AccessRequest[] {
  const on = (action: string, arn: string): AccessRequest => ({ action: `sqs:${action}`, resource: arn });
  switch (operation) {
    case 'ListQueues':
      return [on(operation, '*')];
    case 'CreateQueue':
    case 'GetQueueUrl':
      return [on(operation, queueArn(String(input?.QueueName)))];
    case 'StartMessageMoveTask': {
      const source = String(input?.SourceArn);
      const actions = ['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
      const needed = actions.map((action) => on(action, source));
      return input?.DestinationArn === undefined
        ? needed
        : [...needed, on('SendMessage', String(input.DestinationArn))];
    }
    case 'ListMessageMoveTasks':
      return [on(operation, String(input?.SourceArn))];
    default:
      return [on(operation.replace(/Batch$/, ''), queueArn(queueNameOf(String(input?.QueueUrl))))];
  }
}
