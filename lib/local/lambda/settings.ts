// What may be set on a function after it was made?
import { AwsError, type Json } from '../types.ts';
import { DEFAULT_ASYNCHRONOUS, type FunctionRecord } from './registry.ts';

/** PutFunctionEventInvokeConfig. */
export function putAsynchronousConfig(found: FunctionRecord, input: Json): Json {
  found.asynchronous = {
    maximumRetryAttempts: input.MaximumRetryAttempts ?? DEFAULT_ASYNCHRONOUS.maximumRetryAttempts,
    maximumEventAgeSeconds: input.MaximumEventAgeInSeconds ?? DEFAULT_ASYNCHRONOUS.maximumEventAgeSeconds,
    onFailureArn: input.DestinationConfig?.OnFailure?.Destination,
    onSuccessArn: input.DestinationConfig?.OnSuccess?.Destination,
  };
  return { FunctionArn: `${found.arn}:$LATEST`, ...input };
}

/** AddPermission: the statement as a resource policy keeps it. @throws AwsError ResourceConflictException */
export function addPermission(found: FunctionRecord, input: Json): Json {
  const principal = String(input.Principal);
  const conditions = {
    ...(input.SourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': input.SourceArn } }),
    ...(input.SourceAccount === undefined
      ? {}
      : { StringEquals: { 'AWS:SourceAccount': input.SourceAccount } }),
  };
  const statement = {
    Sid: String(input.StatementId),
    Effect: 'Allow',
    Principal: principal.endsWith('.amazonaws.com') ? { Service: principal } : { AWS: principal },
    Action: input.Action,
    Resource: found.arn,
    ...(Object.keys(conditions).length === 0 ? {} : { Condition: conditions }),
  };
  if (found.policy.some((other) => other.Sid === statement.Sid)) {
    throw new AwsError(
      'ResourceConflictException',
      `The statement id (${statement.Sid}) provided already exists`,
      409,
    );
  }
  found.policy.push(statement);
  return { Statement: JSON.stringify(statement) };
}
