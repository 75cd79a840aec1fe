// How does a function reach the claims of its runs without carrying an S3 client that it almost never uses?
import type { ClaimStore } from './claims.ts';
import type { Env, Need, OpenContext } from './need.ts';

/**
 * Claims in the media bucket. The S3 client is loaded when the first claim appears: a third of a function's code, for the
 * few payloads above 100 KB.
 */
export const claimsNeed: Need<ClaimStore> = {
  grants: [
    { actions: ['s3:GetObject'], on: { kind: 'bucket', prefix: 'claims/' } },
    // Without it S3 says "forbidden" about a claim that is gone, and a remembered output would never be made again.
    { actions: ['s3:ListBucket'], on: { kind: 'bucket', prefix: 'claims/' } },
    { actions: ['s3:PutObject'], on: { kind: 'bucket', prefix: 'claims/' } },
  ],
  env: { BUCKET_MEDIA: { of: { kind: 'bucket', prefix: '' }, attribute: 'name' } },
  open(env, context) {
    return {
      getJson: async (key) => (await openBucket(env, context)).getJson(key),
      putJson: async (key, value, options) => (await openBucket(env, context)).putJson(key, value, options),
    };
  },
};

async function openBucket(env: Env, context: OpenContext): Promise<ClaimStore> {
  const { bucketNeed } = await import('./bucket.ts');
  return bucketNeed([]).open(env, context);
}
