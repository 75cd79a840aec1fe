// How do functions, layers, permissions and event sources get deployed?
import { ROLE_SECRET } from '../../iam.ts';
import type { Json } from '../../types.ts';
import { ACCOUNT, REGION } from '../../types.ts';
import { pick, requireTrust } from '../resource.ts';
import type { ResourceContext, ResourceKinds } from '../resource.ts';

const functionArn = (name: string) =>
  name.startsWith('arn:') ? name : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

function codeFolder(code: Json, context: ResourceContext): string {
  if (code.S3Key === undefined) throw new Error('code other than an asset (S3Key) is not supported');
  return context.asset(code.S3Key);
}

function layerFolder(arn: string, { deployed }: ResourceContext): string {
  const folder = deployed.layers.get(arn);
  if (folder === undefined) throw new Error(`layer ${arn} is not deployed here`);
  return folder;
}

const EVENT_SOURCE_PROPERTIES = [
  'EventSourceArn',
  'FunctionName',
  'BatchSize',
  'BisectBatchOnFunctionError',
  'DestinationConfig',
  'Enabled',
  'FilterCriteria',
  'FunctionResponseTypes',
  'MaximumBatchingWindowInSeconds',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'ParallelizationFactor',
  'ScalingConfig',
  'StartingPosition',
];

export const lambdaResources: ResourceKinds = {
  'AWS::Lambda::LayerVersion': {
    reads: ['LayerName', 'Content', 'CompatibleRuntimes', 'CompatibleArchitectures'],
    ignores: ['LicenseInfo'],
    create(properties, context) {
      const name = properties.LayerName ?? context.name(64);
      const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:layer:${name}:1`;
      context.deployed.layers.set(arn, codeFolder(properties.Content, context));
      return { ref: arn, attributes: { LayerVersionArn: arn } };
    },
  },
  'AWS::Lambda::Function': {
    reads: [
      'FunctionName',
      'Code',
      'Handler',
      'Runtime',
      'Role',
      'Environment',
      'Timeout',
      'MemorySize',
      'EphemeralStorage',
      'Layers',
      'ReservedConcurrentExecutions',
      'DeadLetterConfig',
      'Architectures',
      'PackageType',
    ],
    ignores: ['LoggingConfig', 'TracingConfig', 'RuntimeManagementConfig', 'KmsKeyArn', 'RecursiveLoop'],
    async create(properties, context) {
      if (!String(properties.Runtime).startsWith('nodejs')) {
        throw new Error(`runtime ${properties.Runtime} is not supported`);
      }
      if (properties.PackageType !== undefined && properties.PackageType !== 'Zip') {
        throw new Error(`PackageType ${properties.PackageType} is not supported`);
      }
      requireTrust(context, properties.Role, 'lambda.amazonaws.com');
      const FunctionName = properties.FunctionName ?? context.name(64);
      const reserved = properties.ReservedConcurrentExecutions;
      await context.call('lambda', 'CreateFunction', {
        FunctionName,
        codeDir: codeFolder(properties.Code, context),
        layerDirs: (properties.Layers ?? []).map((arn: string) => layerFolder(arn, context)),
        // What a function signs (presigned URLs too), it signs as its role.
        Environment: {
          Variables: {
            ...properties.Environment?.Variables,
            AWS_ACCESS_KEY_ID: context.iam.accessKey(properties.Role),
            AWS_SECRET_ACCESS_KEY: ROLE_SECRET,
          },
        },
        ...pick(properties, [
          'Handler',
          'Runtime',
          'Role',
          'Layers',
          'Timeout',
          'MemorySize',
          'EphemeralStorage',
          'DeadLetterConfig',
          'Architectures',
        ]),
        ...(reserved === undefined ? {} : { ReservedConcurrentExecutions: Number(reserved) }),
      });
      return { ref: FunctionName, attributes: { Arn: functionArn(FunctionName) } };
    },
  },
  'AWS::Lambda::Permission': {
    reads: ['Action', 'FunctionName', 'Principal', 'SourceArn', 'SourceAccount'],
    create(properties, context) {
      const arn = functionArn(properties.FunctionName);
      const service = String(properties.Principal).endsWith('.amazonaws.com');
      const { SourceArn, SourceAccount } = properties;
      const conditions = {
        ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': SourceArn } }),
        ...(SourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
      };
      context.iam.putResourcePolicy(arn, `${context.stack}/${context.logicalId}`, {
        Statement: [
          {
            Effect: 'Allow',
            Action: properties.Action,
            Resource: arn,
            Principal: service ? { Service: properties.Principal } : { AWS: properties.Principal },
            ...(Object.keys(conditions).length === 0 ? {} : { Condition: conditions }),
          },
        ],
      });
      return { ref: context.name(64) };
    },
  },
  'AWS::Lambda::EventSourceMapping': {
    reads: EVENT_SOURCE_PROPERTIES,
    ignores: ['MetricsConfig'],
    async create(properties, context) {
      const { UUID } = await context.call(
        'lambda',
        'CreateEventSourceMapping',
        pick(properties, EVENT_SOURCE_PROPERTIES),
      );
      return { ref: UUID, attributes: { Id: UUID } };
    },
  },
  'AWS::Lambda::EventInvokeConfig': {
    reads: [
      'FunctionName',
      'Qualifier',
      'MaximumEventAgeInSeconds',
      'MaximumRetryAttempts',
      'DestinationConfig',
    ],
    async create(properties, context) {
      if ((properties.Qualifier ?? '$LATEST') !== '$LATEST') throw new Error('Qualifier is not supported');
      await context.call(
        'lambda',
        'PutFunctionEventInvokeConfig',
        pick(properties, [
          'FunctionName',
          'MaximumEventAgeInSeconds',
          'MaximumRetryAttempts',
          'DestinationConfig',
        ]),
      );
      return { ref: context.name(128) };
    },
  },
};
