// How does an event, a clock, a queue or a stream reach its function, and where does it go when that fails?
import { Duration } from 'aws-cdk-lib/core';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  type Function as LambdaFunction,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { TriggerSpec } from '../../lambdas/runtime/specs.ts';
import type { TableName } from '../../lambdas/runtime/tables.ts';
import { mediaBucketName } from './media-bucket-name.ts';
import { kebab, stageName } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';
import { deadLetterQueue, workQueue } from './queues.ts';

/** EventBridge and Lambda give an event up after this long; then it is a dead letter. */
const MAX_EVENT_AGE = Duration.hours(6);

export interface TriggerProps {
  platform: PlatformStack;
  spec: TriggerSpec;
  handler: LambdaFunction;
  /** The stack's schedule group, made on first use. */
  scheduleGroup: () => string;
}

/** Connects one function to its source. Every way in has its own dead-letter queue. */
export function connectTrigger(scope: Construct, props: TriggerProps): void {
  const { spec } = props;
  switch (spec.source.kind) {
    case 'rule':
      return connectRule(scope, props, spec.source);
    case 'queue':
      readQueue(scope, props, spec.source.queue, spec.source.fifo ?? false);
      return;
    case 'schedule':
      return connectSchedule(scope, props, spec.source.expression);
    case 'stream':
      return connectStream(scope, props, spec.source.table as TableName);
  }
}

function connectRule(
  scope: Construct,
  props: TriggerProps,
  source: { bus: 'default' | 'platform'; pattern: Record<string, unknown> },
): void {
  const { platform, spec } = props;
  const queue = readQueue(scope, props, kebab(spec.name), false);
  const bus =
    source.bus === 'platform'
      ? platform.bus
      : EventBus.fromEventBusName(scope, `${spec.name}DefaultBus`, 'default');
  const rule = new Rule(scope, `${spec.name}Rule`, {
    ruleName: stageName(platform, kebab(spec.name)),
    eventBus: bus,
    eventPattern: eventPattern(platform, source.pattern),
  });
  rule.addTarget(
    new SqsQueue(queue.queue, {
      deadLetterQueue: queue.deadLetters,
      maxEventAge: MAX_EVENT_AGE,
      retryAttempts: 185,
    }),
  );
}

/** Patterns name our things without the stage: `${bucket}` and `${stateMachines}` stand for what is deployed. */
function eventPattern(platform: PlatformStack, pattern: Record<string, unknown>): Record<string, unknown> {
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value
        .replace('${bucket}', mediaBucketName(platform, platform))
        .replace(
          '${stateMachines}',
          `arn:aws:states:${platform.region}:${platform.account}:stateMachine:impresario-${platform.stage}-`,
        );
    }
    if (Array.isArray(value)) return value.map(replace);
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
    }
    return value;
  };
  const { 'detail-type': detailType, ...rest } = replace(pattern) as Record<string, unknown>;
  return { ...rest, ...(detailType ? { detailType } : {}) };
}

function readQueue(
  scope: Construct,
  { platform, spec, handler }: TriggerProps,
  name: string,
  fifo: boolean,
): { queue: Queue; deadLetters: Queue } {
  const made = workQueue(scope, platform, name, {
    maxReceives: spec.maxReceives,
    consumerTimeoutSeconds: spec.timeoutSeconds,
    fifo,
  });
  allow(
    handler,
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    [made.queue.queueArn],
  );
  new EventSourceMapping(scope, `${spec.name}Source`, {
    target: handler,
    eventSourceArn: made.queue.queueArn,
    batchSize: spec.batchSize,
    reportBatchItemFailures: true,
  });
  return made;
}

function connectSchedule(
  scope: Construct,
  { platform, spec, handler, scheduleGroup }: TriggerProps,
  expression: string,
): void {
  const deadLetters = deadLetterQueue(scope, platform, kebab(spec.name));
  handler.configureAsyncInvoke({
    onFailure: new SqsDestination(deadLetters),
    maxEventAge: MAX_EVENT_AGE,
    retryAttempts: 2,
  });
  const role = new Role(scope, `${spec.name}ScheduleRole`, {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
    inlinePolicies: {
      Invoke: new PolicyDocument({
        statements: [
          new PolicyStatement({
            effect: Effect.ALLOW,
            actions: ['lambda:InvokeFunction'],
            resources: [handler.functionArn],
          }),
          new PolicyStatement({
            effect: Effect.ALLOW,
            actions: ['sqs:SendMessage'],
            resources: [deadLetters.queueArn],
          }),
        ],
      }),
    },
  });
  new CfnSchedule(scope, `${spec.name}Schedule`, {
    name: stageName(platform, kebab(spec.name)),
    groupName: scheduleGroup(),
    scheduleExpression: expression,
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: handler.functionArn,
      roleArn: role.roleArn,
      input: JSON.stringify({ scheduledTime: '<aws.scheduler.scheduled-time>' }),
      deadLetterConfig: { arn: deadLetters.queueArn },
      retryPolicy: { maximumEventAgeInSeconds: MAX_EVENT_AGE.toSeconds(), maximumRetryAttempts: 10 },
    },
  });
}

function connectStream(scope: Construct, { platform, spec, handler }: TriggerProps, name: TableName): void {
  const deadLetters = deadLetterQueue(scope, platform, kebab(spec.name));
  const streamArn = platform.tables.get(name)?.tableStreamArn;
  if (!streamArn)
    throw new Error(`Trigger ${spec.name}: table '${name}' has no stream (lambdas/runtime/tables.ts).`);
  allow(
    handler,
    ['dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:DescribeStream'],
    [streamArn],
  );
  allow(handler, ['sqs:SendMessage'], [deadLetters.queueArn]);
  new EventSourceMapping(scope, `${spec.name}Source`, {
    target: handler,
    eventSourceArn: streamArn,
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: spec.batchSize,
    retryAttempts: spec.maxReceives,
    bisectBatchOnError: true,
    onFailure: new SqsDlq(deadLetters),
  });
}

function allow(handler: LambdaFunction, actions: string[], resources: string[]): void {
  handler.addToRolePolicy(new PolicyStatement({ effect: Effect.ALLOW, actions, resources }));
}
