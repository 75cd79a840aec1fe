// What is a thing called in the account, and what is its ARN?
import type { Stack } from 'aws-cdk-lib/core';
import { SHARED_FOLDERS } from '../../lambdas/runtime/run-id.ts';
import type { EnvValue, Grant, ResourceRef } from '../../lambdas/runtime/need.ts';
import { TABLES } from '../../lambdas/runtime/tables.ts';
import { mediaBucketName } from './media-bucket-name.ts';
import type { PlatformStack } from './platform-stack.ts';

/** `CheckVelocity` → `check-velocity`; a trailing `*` stays. */
export function kebab(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}

/** Every named thing is `impresario-<stage>-<name>`, so that a person finds it and stacks need no list of each other. */
export function stageName(platform: PlatformStack, name: string): string {
  return `impresario-${platform.stage}-${name}`;
}

export function functionName(platform: PlatformStack, name: string): string {
  return stageName(platform, kebab(name));
}

/** ARNs a grant on this thing is limited to. */
export function arnsOf(stack: Stack, platform: PlatformStack, ref: ResourceRef): string[] {
  const arn = (service: string, resource: string): string =>
    `arn:aws:${service}:${stack.region}:${stack.account}:${resource}`;
  switch (ref.kind) {
    case 'table':
      return [arn('dynamodb', `table/${stageName(platform, ref.name)}`)];
    case 'bucket': {
      const shared = SHARED_FOLDERS.some((folder) => ref.prefix.startsWith(`${folder}/`));
      const objects = shared ? `${ref.prefix}*` : `*/${ref.prefix}*`;
      return [`arn:aws:s3:::${mediaBucketName(stack, platform)}/${objects}`];
    }
    case 'queue':
      return [arn('sqs', stageName(platform, ref.name))];
    case 'bus':
      return [arn('events', `event-bus/impresario-${platform.stage}`)];
    case 'topic':
      return [platform.operationsTopic.topicArn];
    case 'stateMachine':
      return [arn('states', `stateMachine:${stageName(platform, ref.name)}`)];
    case 'execution':
      return [arn('states', `execution:${stageName(platform, ref.stateMachine)}:*`)];
    case 'scheduleGroup':
      return [arn('scheduler', `schedule/${stageName(platform, 'schedules')}/*`)];
    case 'secret':
      return [arn('secretsmanager', `secret:impresario/${ref.prefix}*`)];
    case 'function':
      return [arn('lambda', `function:${functionName(platform, ref.task)}`)];
    case 'any':
      return ['*'];
  }
}

/** The value of an environment variable a need asks for. */
export function environmentValue(stack: Stack, platform: PlatformStack, value: EnvValue): string {
  if (typeof value === 'string') return value;
  if ('config' in value) {
    const setting = (platform.config.functions as Readonly<Record<string, string>>)[value.config];
    if (setting === undefined) throw new Error(`No setting '${value.config}' in lib/aws/stages.ts.`);
    return setting;
  }
  const { of: ref, attribute } = value;
  if (attribute === 'arn') return first(arnsOf(stack, platform, ref));
  if (attribute === 'url' && ref.kind === 'queue') {
    return `https://sqs.${stack.region}.${stack.urlSuffix}/${stack.account}/${stageName(platform, ref.name)}`;
  }
  if (attribute === 'name') {
    if (ref.kind === 'table') return stageName(platform, ref.name);
    if (ref.kind === 'bucket') return mediaBucketName(stack, platform);
    if (ref.kind === 'bus') return `impresario-${platform.stage}`;
    if (ref.kind === 'queue') return stageName(platform, ref.name);
    if (ref.kind === 'scheduleGroup') return stageName(platform, 'schedules');
    if (ref.kind === 'function') return functionName(platform, ref.task);
    if (ref.kind === 'stateMachine') return stageName(platform, ref.name);
  }
  throw new Error(`A ${ref.kind} has no ${attribute}.`);
}

/**
 * What IAM must allow for a grant: object actions on objects, listing on the bucket; the right to query a table is also one
 * on its indexes, where nothing else is possible.
 */
export function rightsFor(
  stack: Stack,
  platform: PlatformStack,
  { actions, on }: Grant,
): { actions: readonly string[]; resources: string[] }[] {
  const onBucket = on.kind === 'bucket' && actions.every((action) => action === 's3:ListBucket');
  if (onBucket) return [{ actions, resources: [`arn:aws:s3:::${mediaBucketName(stack, platform)}`] }];
  const rights = [{ actions, resources: arnsOf(stack, platform, on) }];
  const indexed = on.kind === 'table' && TABLES[on.name].indexes !== undefined;
  if (!indexed || !actions.includes('dynamodb:Query')) return rights;
  const indexes = arnsOf(stack, platform, on).map((table) => `${table}/index/*`);
  return [...rights, { actions: ['dynamodb:Query'], resources: indexes }];
}

function first(arns: string[]): string {
  const [arn] = arns;
  if (arn === undefined) throw new Error('A resource without an ARN.');
  return arn;
}
