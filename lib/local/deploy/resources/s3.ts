// How do buckets and their policies get deployed?
import { REGION } from '../../types.ts';
import { onlyMembers } from '../resource.ts';
import type { ResourceKinds } from '../resource.ts';

export const s3Resources: ResourceKinds = {
  'AWS::S3::Bucket': {
    reads: ['BucketName', 'NotificationConfiguration', 'CorsConfiguration', 'VersioningConfiguration'],
    ignores: [
      'BucketEncryption',
      'PublicAccessBlockConfiguration',
      'OwnershipControls',
      'AccessControl',
      'LoggingConfiguration',
      // Objects live as long as the process, which is shorter than any lifecycle rule.
      'LifecycleConfiguration',
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
