// Who is told that an object came or went?
import { randomUUID } from 'node:crypto';
import type { EngineContext } from '../types.ts';
import type { Bucket } from './buckets.ts';

/** Undelivered events are tried again for a day. */
const GIVE_UP_MS = 24 * 60 * 60 * 1000;
const FIRST_PAUSE_MS = 1000;

export interface ObjectEvents {
  created(bucket: Bucket, object: { key: string; bytes: number; etag: string }, reason: string): void;
  deleted(bucket: Bucket, key: string, reason?: 'DeleteObject' | 'Lifecycle Expiration'): void;
}

/** Object events reach only the default bus, of buckets with an EventBridgeConfiguration, after the answer was given. */
export function createObjectEvents(ctx: EngineContext): ObjectEvents {
  let sequence = 0;

  const deliver = async (bucket: Bucket, entry: Record<string, unknown>): Promise<void> => {
    const sourceArn = `arn:aws:s3:::${bucket.name}`;
    const startedMs = ctx.clock.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const done = ctx.clock.work(`s3 event of ${bucket.name}`);
      try {
        await ctx.call(
          { principal: { kind: 'service', service: 's3.amazonaws.com', sourceArn } },
          'events',
          'PutEvents',
          { Entries: [entry] },
        );
        return;
      } catch (error) {
        if (ctx.clock.now() - startedMs + pauseMs > GIVE_UP_MS) {
          console.error(`An event of bucket ${bucket.name} could not be delivered within a day`, error);
          return;
        }
      } finally {
        done();
      }
      await ctx.clock.sleep(pauseMs);
    }
  };

  const emit = (bucket: Bucket, detailType: string, object: Record<string, unknown>, more: object): void => {
    if (bucket.notifications.EventBridgeConfiguration === undefined) return;
    sequence += 1;
    const sequencer = sequence.toString(16).toUpperCase().padStart(18, '0');
    void deliver(bucket, {
      Source: 'aws.s3',
      DetailType: detailType,
      EventBusName: 'default',
      Time: ctx.clock.now() / 1000,
      Resources: [`arn:aws:s3:::${bucket.name}`],
      Detail: JSON.stringify({
        version: '0',
        bucket: { name: bucket.name },
        object: { ...object, sequencer },
        'request-id': randomUUID(),
        requester: '000000000000',
        'source-ip-address': '127.0.0.1',
        ...more,
      }),
    });
  };

  return {
    created(bucket, { key, bytes, etag }, reason) {
      emit(bucket, 'Object Created', { key, size: bytes, etag: etag.replaceAll('"', '') }, { reason });
    },
    deleted(bucket, key, reason = 'DeleteObject') {
      emit(bucket, 'Object Deleted', { key }, { reason, 'deletion-type': 'Permanently Deleted' });
    },
  };
}
