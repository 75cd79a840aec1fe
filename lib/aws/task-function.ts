// How does a spec become a function with exactly the rights it asked for?
import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib/core';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Code, LayerVersion } from 'aws-cdk-lib/aws-lambda';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { metricNamespace } from '../../lambdas/runtime/metrics.ts';
import type { Grant } from '../../lambdas/runtime/need.ts';
import type { FunctionSpec } from '../../lambdas/runtime/specs.ts';
import { acknowledge } from './acknowledge.ts';
import { moduleName } from './bundle.ts';
import { environmentValue, functionName, rightsFor } from './names.ts';
import type { PlatformStack } from './platform-stack.ts';

export interface TaskFunctionProps {
  platform: PlatformStack;
  /** `check-velocity.task` */
  entry: string;
  spec: FunctionSpec;
  code: Code;
  timeoutSeconds: number;
  layers: { ffmpeg: () => LayerVersion };
}

/**
 * A function, its log group and its role. The role holds the grants of the spec's needs and nothing else:
 * no list of functions or rights exists anywhere.
 */
export function taskFunction(scope: Construct, props: TaskFunctionProps): LambdaFunction {
  const { platform, spec } = props;
  const stack = Stack.of(scope);
  const name = functionName(platform, spec.name);
  const logGroup = new LogGroup(scope, `${spec.name}Logs`, {
    logGroupName: `/aws/lambda/${name}`,
    retention: platform.config.logRetentionDays as number,
    removalPolicy: platform.config.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, `${spec.name}Role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { Needs: needsPolicy(stack, platform, spec, logGroup) },
  });
  acknowledge(
    role,
    'AwsSolutions-IAM5[Resource::*]',
    'X-Ray has no resource-level permissions; a need with no AWS resource says why.',
  );
  acknowledgeWildcards(role, stack, platform, spec);
  const layers = layersOf(spec);
  return new LambdaFunction(scope, spec.name, {
    functionName: name,
    description: `impresario ${props.entry}`,
    runtime: Runtime.NODEJS_24_X,
    architecture: spec.architecture === 'x86_64' ? Architecture.X86_64 : Architecture.ARM_64,
    handler: `${moduleName(props.entry)}.handler`,
    code: props.code,
    role,
    logGroup,
    memorySize: spec.memoryMb,
    ephemeralStorageSize: Size.mebibytes(spec.ephemeralStorageMb),
    timeout: Duration.seconds(props.timeoutSeconds),
    tracing: Tracing.ACTIVE,
    layers: layers.map((layer) => props.layers[layer]()),
    environment: environment(stack, platform, spec),
  });
}

function grantsOf(spec: FunctionSpec): Grant[] {
  return Object.values(spec.needs).flatMap((need) => [...need.grants]);
}

function layersOf(spec: FunctionSpec): 'ffmpeg'[] {
  return [...new Set(Object.values(spec.needs).flatMap((need) => [...(need.layers ?? [])]))];
}

function needsPolicy(
  stack: Stack,
  platform: PlatformStack,
  spec: FunctionSpec,
  logGroup: LogGroup,
): PolicyDocument {
  const allow = (actions: readonly string[], resources: string[]): PolicyStatement =>
    new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources });
  const grants = grantsOf(spec);
  const statements = grants
    .flatMap((grant) => rightsFor(stack, platform, grant))
    .map(({ actions, resources }) => allow(actions, resources));
  if (grants.some((grant) => grant.on.kind === 'secret')) {
    statements.push(allow(['kms:Decrypt'], [platform.vaultKey.keyArn]));
  }
  return new PolicyDocument({
    minimize: true,
    statements: [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]), ...statements],
  });
}

function environment(stack: Stack, platform: PlatformStack, spec: FunctionSpec): Record<string, string> {
  const variables: Record<string, string> = {
    STAGE: platform.stage,
    POWERTOOLS_SERVICE_NAME: 'impresario',
    POWERTOOLS_METRICS_NAMESPACE: metricNamespace(platform.stage),
    NODE_OPTIONS: '--enable-source-maps',
  };
  for (const need of Object.values(spec.needs)) {
    for (const [name, value] of Object.entries(need.env)) {
      variables[name] = environmentValue(stack, platform, value);
    }
  }
  return variables;
}

/** Object prefixes, indexes and named families end in `*` by design: one acknowledgement per exact pattern. */
function acknowledgeWildcards(role: Role, stack: Stack, platform: PlatformStack, spec: FunctionSpec): void {
  const wildcards = grantsOf(spec)
    .flatMap((grant) => rightsFor(stack, platform, grant))
    .flatMap(({ resources }) => resources)
    .filter((resource) => resource !== '*' && resource.includes('*'));
  for (const resource of new Set(wildcards)) {
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::${finding(stack, resource)}]`,
      'One prefix, one table’s indexes or one family of names that the need declares.',
    );
  }
}

/** cdk-nag prints `<LogicalId.Att>` for a reference and `<AWS::Region>` for a pseudo parameter. */
function finding(stack: Stack, resource: string): string {
  const resolved: unknown = stack.resolve(resource);
  return flatten(resolved);
}

function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    'Fn::Join': join,
    'Fn::GetAtt': getAtt,
    Ref: ref,
    'Fn::ImportValue': imported,
  } = value as Record<string, unknown>;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(flatten).join('');
  if (Array.isArray(getAtt)) return `<${getAtt.join('.')}>`;
  if (typeof ref === 'string') return `<${ref}>`;
  if (imported !== undefined) return flatten(imported);
  return JSON.stringify(value);
}
