// How does a GlobalTable become a table?
import { ACCOUNT, REGION } from '../../types.ts';
import { isTrue, onlyMembers, pick } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

const REPLICA_MEMBERS = [
  'Region',
  'PointInTimeRecoverySpecification',
  'DeletionProtectionEnabled',
  'ContributorInsightsSpecification',
  'SSESpecification',
  'GlobalSecondaryIndexes',
  'ReadOnDemandThroughputSettings',
  'TableClass',
  'Tags',
];

export const dynamodbResources: ResourceKinds = {
  'AWS::DynamoDB::GlobalTable': {
    reads: [
      'TableName',
      'KeySchema',
      'AttributeDefinitions',
      'GlobalSecondaryIndexes',
      'LocalSecondaryIndexes',
      'BillingMode',
      'StreamSpecification',
      'TimeToLiveSpecification',
      'Replicas',
    ],
    ignores: ['SSESpecification', 'WriteOnDemandThroughputSettings'],
    async create(properties, context) {
      if (properties.Replicas?.length !== 1 || properties.Replicas[0].Region !== REGION) {
        throw new Error(`Replicas other than one in ${REGION} are not supported`);
      }
      onlyMembers(properties.Replicas[0], REPLICA_MEMBERS, 'property Replicas');
      if (properties.BillingMode !== 'PAY_PER_REQUEST') {
        throw new Error(`BillingMode ${properties.BillingMode} is not supported`);
      }
      const TableName = properties.TableName ?? context.name(255);
      const indexes = (properties.GlobalSecondaryIndexes ?? []).map((index: Record<string, unknown>) =>
        pick(index, ['IndexName', 'KeySchema', 'Projection']),
      );
      const stream = properties.StreamSpecification;
      const { TableDescription } = await context.call('dynamodb', 'CreateTable', {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        ...pick(properties, ['KeySchema', 'AttributeDefinitions', 'LocalSecondaryIndexes']),
        ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
        ...(stream === undefined
          ? {}
          : { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } }),
      });
      const ttl = properties.TimeToLiveSpecification;
      if (ttl !== undefined && isTrue(ttl.Enabled)) {
        await context.call('dynamodb', 'UpdateTimeToLive', {
          TableName,
          TimeToLiveSpecification: { AttributeName: ttl.AttributeName, Enabled: true },
        });
      }
      return {
        ref: TableName,
        attributes: {
          Arn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${TableName}`,
          TableId: context.id(32),
          ...(TableDescription.LatestStreamArn === undefined
            ? {}
            : { StreamArn: TableDescription.LatestStreamArn }),
        },
      };
    },
  },
};
