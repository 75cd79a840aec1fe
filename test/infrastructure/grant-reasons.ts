// Which rights are granted although no test on the embedded cloud needs them, and why?

export interface GrantReason {
  action: RegExp;
  /** As deployed: an ARN. */
  resource: RegExp;
  reason: string;
}

export const GRANT_REASONS: readonly GrantReason[] = [
  {
    action: /^logs:/,
    resource: /./,
    reason: 'Lambda and Step Functions write logs themselves; the embedded cloud has no CloudWatch Logs.',
  },
  {
    action: /^xray:/,
    resource: /^\*$/,
    reason: 'Active tracing is done by the services; the embedded cloud has no X-Ray.',
  },
  {
    action: /^kms:/,
    resource: /./,
    reason:
      'Secrets Manager and SNS decrypt with the key on our behalf; the embedded cloud keeps secrets unencrypted.',
  },
  {
    action: /^s3:(GetObject|PutObject)$/,
    resource: /\/\*\/claims\/\*$/,
    reason:
      'Every task may meet a payload above 100 KB; the claim check is proven with one task, not with each.',
  },
  {
    action: /^s3:ListBucket$/,
    resource: /^arn:aws:s3:::[^/]*$/,
    reason: 'S3 looks at it only when an object is not there: a claim or a file that is gone.',
  },
  {
    action: /^dynamodb:/,
    resource: /:table\/[\w-]+\/index\/\*$/,
    reason: 'A grant on a table covers its indexes; functions that never query one share the need.',
  },
];

/** Undefined when the right must be used by a test or go. */
export function reasonFor(grant: { action: string; resource: string }): string | undefined {
  return GRANT_REASONS.find(
    ({ action, resource }) => action.test(grant.action) && resource.test(grant.resource),
  )?.reason;
}
