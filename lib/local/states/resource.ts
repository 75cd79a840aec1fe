// Which service, action and waiting pattern does a Task's Resource name?
import type { CloudService } from '../types.ts';

/** A Task's Resource, taken apart. */
export interface Integration {
  arn: string;
  /** `function`: the function's own ARN is the Resource. Otherwise a service integration. */
  kind: 'function' | 'optimised' | 'sdk';
  pattern: 'request' | 'token' | 'sync';
  service: CloudService;
  /** The API operation, `SendMessage`. */
  operation: string;
  /** As history shows it: `lambda` and `invoke.waitForTaskToken`. */
  resourceType: string;
  resource: string;
  /** First part of error names, `SQS`. */
  errorPrefix: string;
}

const OPTIMISED: Readonly<Record<string, { service: CloudService; prefix: string; patterns: string[] }>> = {
  'lambda:invoke': { service: 'lambda', prefix: 'Lambda', patterns: ['', '.waitForTaskToken'] },
  'sqs:sendMessage': { service: 'sqs', prefix: 'SQS', patterns: ['', '.waitForTaskToken'] },
  'events:putEvents': { service: 'events', prefix: 'EventBridge', patterns: ['', '.waitForTaskToken'] },
  'dynamodb:getItem': { service: 'dynamodb', prefix: 'DynamoDB', patterns: [''] },
  'dynamodb:putItem': { service: 'dynamodb', prefix: 'DynamoDB', patterns: [''] },
  'dynamodb:updateItem': { service: 'dynamodb', prefix: 'DynamoDB', patterns: [''] },
  'dynamodb:deleteItem': { service: 'dynamodb', prefix: 'DynamoDB', patterns: [''] },
  'states:startExecution': {
    service: 'states',
    prefix: 'StepFunctions',
    patterns: ['', '.sync:2', '.waitForTaskToken'],
  },
};

// The SDK's service names in Resources, and the prefix of its exceptions.
const SDK: Readonly<Record<string, { service: CloudService; prefix: string }>> = {
  dynamodb: { service: 'dynamodb', prefix: 'DynamoDb' },
  sqs: { service: 'sqs', prefix: 'Sqs' },
  s3: { service: 's3', prefix: 'S3' },
  eventbridge: { service: 'events', prefix: 'EventBridge' },
  scheduler: { service: 'scheduler', prefix: 'Scheduler' },
  lambda: { service: 'lambda', prefix: 'Lambda' },
  sfn: { service: 'states', prefix: 'Sfn' },
  secretsmanager: { service: 'secretsmanager', prefix: 'SecretsManager' },
  ssm: { service: 'ssm', prefix: 'Ssm' },
  sns: { service: 'sns', prefix: 'Sns' },
};

const PATTERNS = { '': 'request', '.waitForTaskToken': 'token', '.sync:2': 'sync' } as const;
const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** @throws Error saying what is not supported. */
export function parseResource(arn: string): Integration {
  const [, , service, , account, type, ...rest] = arn.split(':');
  if (service === 'lambda' && account !== '' && type === 'function' && rest[0]) {
    return {
      arn,
      kind: 'function',
      pattern: 'request',
      service: 'lambda',
      operation: 'Invoke',
      resourceType: 'lambda',
      resource: 'invoke',
      errorPrefix: 'Lambda',
    };
  }
  const name = /^arn:aws:states:[\w-]*:\d*:(.+)$/.exec(arn)?.[1];
  const parts = /^(?:aws-sdk:)?(\w+):(\w+)(\.sync:2|\.waitForTaskToken|)$/.exec(name ?? '');
  if (name === undefined || parts === null)
    throw new Error(`The resource '${arn}' is not a supported integration`);
  const [, target, action, suffix] = parts as unknown as [string, string, string, keyof typeof PATTERNS];
  const sdk = name.startsWith('aws-sdk:');
  const known = sdk ? SDK[target] : OPTIMISED[`${target}:${action}`];
  const allowed = sdk ? suffix !== '.sync:2' : OPTIMISED[`${target}:${action}`]?.patterns.includes(suffix);
  if (known === undefined || !allowed)
    throw new Error(`The resource '${arn}' is not a supported integration`);
  return {
    arn,
    kind: sdk ? 'sdk' : 'optimised',
    pattern: PATTERNS[suffix],
    service: known.service,
    operation: upperFirst(action),
    resourceType: sdk ? `aws-sdk:${target}` : target,
    resource: `${action}${suffix}`,
    errorPrefix: known.prefix,
  };
}
