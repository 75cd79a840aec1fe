// Which service does an X-Amz-Target name, and how does its JSON protocol write an error?
import type { AwsError, CloudService } from '../types.ts';

interface JsonService {
  service: CloudService;
  contentType: string;
}

const JSON_1_0 = 'application/x-amz-json-1.0';
const JSON_1_1 = 'application/x-amz-json-1.1';

/** By the prefix of X-Amz-Target. */
export const JSON_SERVICES: Readonly<Record<string, JsonService>> = {
  AWSStepFunctions: { service: 'states', contentType: JSON_1_0 },
  DynamoDB_20120810: { service: 'dynamodb', contentType: JSON_1_0 },
  DynamoDBStreams_20120810: { service: 'dynamodb', contentType: JSON_1_0 },
  AmazonSQS: { service: 'sqs', contentType: JSON_1_0 },
  AWSEvents: { service: 'events', contentType: JSON_1_1 },
  secretsmanager: { service: 'secretsmanager', contentType: JSON_1_1 },
  AmazonSSM: { service: 'ssm', contentType: JSON_1_1 },
};

/** SQS errors that had another code in the query protocol, which clients still show. */
const SQS_QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  PurgeQueueInProgress: 'AWS.SimpleQueueService.PurgeQueueInProgress',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
  AccessDeniedException: 'AccessDenied',
};

/** Headers that carry an error's code beside the body's `__type`. */
export function errorHeaders(service: CloudService, error: AwsError): Record<string, string> {
  const fault = error.status >= 500 ? 'Receiver' : 'Sender';
  return {
    'x-amzn-errortype': error.code,
    ...(service === 'sqs'
      ? { 'x-amzn-query-error': `${SQS_QUERY_CODES[error.code] ?? error.code};${fault}` }
      : {}),
  };
}
