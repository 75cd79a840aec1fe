// What is the media bucket called?
import type { Stack } from 'aws-cdk-lib/core';

/** Bucket names are unique in the world, so the account and region are part of it. */
export function mediaBucketName(stack: Stack, platform: { stage: string }): string {
  return `impresario-${platform.stage}-media-${stack.account}-${stack.region}`;
}
