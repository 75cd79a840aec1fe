// Which finding of the checkers do we accept, and why?
import { Validations } from 'aws-cdk-lib/core';
import type { IConstruct } from 'constructs';

/** `id` is the exact finding (`AwsSolutions-IAM5[Resource::*]`); the reason is read by auditors. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}
