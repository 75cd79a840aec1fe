// How do roles and their policies reach the permission evaluator?
import type { Json } from '../../types.ts';
import { ACCOUNT } from '../../types.ts';
import type { ResourceContext, ResourceKinds } from '../resource.ts';

/** What AWS's own managed policies allow, for those we accept. */
const AWS_MANAGED: Readonly<Record<string, Json>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': {
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '*',
      },
    ],
  },
};

function roleArnOf(name: string, { deployed }: ResourceContext): string {
  const arn = deployed.roles.get(name);
  if (arn === undefined) throw new Error(`names the role ${name}, which is not deployed`);
  return arn;
}

export const iamResources: ResourceKinds = {
  'AWS::IAM::Role': {
    reads: ['RoleName', 'Path', 'AssumeRolePolicyDocument', 'Policies', 'ManagedPolicyArns'],
    ignores: ['MaxSessionDuration'],
    create(properties, context) {
      const name = properties.RoleName ?? context.name(64);
      const arn = `arn:aws:iam::${ACCOUNT}:role${properties.Path ?? '/'}${name}`;
      context.iam.putRole(arn, properties.AssumeRolePolicyDocument);
      context.deployed.roles.set(name, arn);
      for (const policy of properties.Policies ?? []) {
        context.iam.putRolePolicy(arn, policy.PolicyName, policy.PolicyDocument);
      }
      for (const policyArn of properties.ManagedPolicyArns ?? []) {
        const document = AWS_MANAGED[policyArn] ?? context.deployed.managedPolicies.get(policyArn);
        if (document === undefined) throw new Error(`managed policy ${policyArn} is not supported`);
        context.iam.putRolePolicy(arn, policyArn, document);
      }
      return { ref: name, attributes: { Arn: arn, RoleId: `AROA${context.id(17).toUpperCase()}` } };
    },
  },
  'AWS::IAM::Policy': {
    reads: ['PolicyName', 'PolicyDocument', 'Roles'],
    create(properties, context) {
      for (const role of properties.Roles ?? []) {
        context.iam.putRolePolicy(roleArnOf(role, context), properties.PolicyName, properties.PolicyDocument);
      }
      return { ref: properties.PolicyName };
    },
  },
  'AWS::IAM::ManagedPolicy': {
    reads: ['ManagedPolicyName', 'Path', 'PolicyDocument', 'Roles'],
    create(properties, context) {
      const name = properties.ManagedPolicyName ?? context.name(128);
      const arn = `arn:aws:iam::${ACCOUNT}:policy${properties.Path ?? '/'}${name}`;
      context.deployed.managedPolicies.set(arn, properties.PolicyDocument);
      for (const role of properties.Roles ?? []) {
        context.iam.putRolePolicy(roleArnOf(role, context), arn, properties.PolicyDocument);
      }
      return { ref: arn, attributes: { PolicyArn: arn } };
    },
  },
};
