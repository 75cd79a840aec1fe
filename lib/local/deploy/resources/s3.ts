// How do buckets and their policies get deployed?
import { REGION, type Json } from '../../types.ts';
import { onlyMembers } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

export const s3Resources: ResourceKinds = {
  'AWS::S3::Bucket': {
    reads: [
      'BucketName',
      'NotificationConfiguration',
      'CorsConfiguration',
      'VersioningConfiguration',
      'LifecycleConfiguration',
    ],
    ignores: [
      'BucketEncryption',
      'PublicAccessBlockConfiguration',
      'OwnershipControls',
      'AccessControl',
      'LoggingConfiguration',
    ],
    async create(properties, context) {
      const Bucket = properties.BucketName ?? context.name(63).toLowerCase();
      await context.call('s3', 'CreateBucket', { Bucket });
      const notifications = properties.NotificationConfiguration;
      if (notifications !== undefined) {
        onlyMembers(notifications, ['EventBridgeConfiguration'], 'property NotificationConfiguration');
        const enabled = notifications.EventBridgeConfiguration?.EventBridgeEnabled;
        if (enabled !== false && enabled !== 'false') {
          await context.call('s3', 'PutBucketNotificationConfiguration', {
            Bucket,
            NotificationConfiguration: { EventBridgeConfiguration: {} },
          });
        }
      }
      if (properties.LifecycleConfiguration !== undefined) {
        const Rules = (properties.LifecycleConfiguration.Rules as Json[]).map(lifecycleRule);
        await context.call('s3', 'PutBucketLifecycleConfiguration', {
          Bucket,
          LifecycleConfiguration: { Rules },
        });
      }
      if (properties.CorsConfiguration !== undefined) {
        await context.call('s3', 'PutBucketCors', {
          Bucket,
          CORSConfiguration: properties.CorsConfiguration,
        });
      }
      if (properties.VersioningConfiguration?.Status === 'Enabled') {
        throw new Error('property VersioningConfiguration is not supported');
      }
      return {
        ref: Bucket,
        attributes: {
          Arn: `arn:aws:s3:::${Bucket}`,
          DomainName: `${Bucket}.s3.amazonaws.com`,
          RegionalDomainName: `${Bucket}.s3.${REGION}.amazonaws.com`,
        },
      };
    },
  },
  'AWS::S3::BucketPolicy': {
    reads: ['Bucket', 'PolicyDocument'],
    create(properties, context) {
      const name = `${context.stack}/${context.logicalId}`;
      context.iam.putResourcePolicy(`arn:aws:s3:::${properties.Bucket}`, name, properties.PolicyDocument);
      return { ref: properties.Bucket };
    },
  },
};

/** CloudFormation's names of a lifecycle rule → those of the S3 API. */
function lifecycleRule({ Id, Prefix, ExpirationInDays, ...rest }: Json): Json {
  onlyMembers(rest, ['Status', 'AbortIncompleteMultipartUpload'], 'property LifecycleConfiguration.Rules');
  return {
    ...rest,
    ...(Id === undefined ? {} : { ID: Id }),
    Filter: { Prefix: Prefix ?? '' },
    ...(ExpirationInDays === undefined ? {} : { Expiration: { Days: ExpirationInDays } }),
  };
}
