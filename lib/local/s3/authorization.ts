// Which permissions does an S3 call need?
import type { AccessRequest, Json } from '../types.ts';

const OBJECT_ACTIONS: Readonly<Record<string, string>> = {
  GetObject: 'GetObject',
  HeadObject: 'GetObject',
  PutObject: 'PutObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  DeleteObject: 'DeleteObject',
  AbortMultipartUpload: 'AbortMultipartUpload',
  ListParts: 'ListMultipartUploadParts',
};

const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  HeadBucket: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
};

/** Bucket and key of `bucket/key` or `/bucket/key`, URL-encoded as the header carries it. */
export function copySource(source: unknown): { bucket: string; key: string } {
  const [bucket = '', ...rest] = decodeURIComponent(String(source).split('?')[0] ?? '')
    .replace(/^\//, '')
    .split('/');
  return { bucket, key: rest.join('/') };
}

/** Object actions need the object's ARN, listing the bucket's; a copy needs to read and to write. */
export function s3Authorization(operation: string, input: Json): AccessRequest[] {
  const bucketArn = `arn:aws:s3:::${String(input?.Bucket)}`;
  const objectAction = OBJECT_ACTIONS[operation];
  if (objectAction !== undefined)
    return [{ action: `s3:${objectAction}`, resource: `${bucketArn}/${input.Key}` }];
  switch (operation) {
    case 'ListBuckets':
      return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
    case 'DeleteObjects':
      return ((input?.Delete?.Objects ?? []) as { Key: string }[]).map(({ Key }) => ({
        action: 's3:DeleteObject',
        resource: `${bucketArn}/${Key}`,
      }));
    case 'CopyObject': {
      const { bucket, key } = copySource(input.CopySource);
      return [
        { action: 's3:GetObject', resource: `arn:aws:s3:::${bucket}/${key}` },
        { action: 's3:PutObject', resource: `${bucketArn}/${input.Key}` },
      ];
    }
    default: {
      const action = `s3:${BUCKET_ACTIONS[operation] ?? operation}`;
      return operation === 'ListObjectsV2'
        ? [{ action, resource: bucketArn, conditions: { 's3:prefix': String(input?.Prefix ?? '') } }]
        : [{ action, resource: bucketArn }];
    }
  }
}
