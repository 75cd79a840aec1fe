// May this object be read or replaced, and which bytes of it were asked for?
import { AwsError, type Json } from '../types.ts';
import type { StoredObject } from './buckets.ts';

const sameEtag = (given: unknown, etag: string): boolean =>
  given === '*' || String(given).replaceAll('"', '') === etag.replaceAll('"', '');

const failed = (condition: string): AwsError =>
  new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  });

/** `If-None-Match: *` and `If-Match` of writes. @throws AwsError PreconditionFailed, NoSuchKey, NotImplemented */
export function refuseUnmetWrite(input: Json, before: StoredObject | undefined): void {
  if (input.IfNoneMatch !== undefined) {
    if (input.IfNoneMatch !== '*') {
      throw new AwsError('NotImplemented', 'A write takes no If-None-Match but *.', 501);
    }
    if (before !== undefined) throw failed('If-None-Match');
  }
  if (input.IfMatch === undefined) return;
  if (before === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  if (!sameEtag(input.IfMatch, before.etag)) throw failed('If-Match');
}

/** @throws AwsError PreconditionFailed, NotModified (304) */
export function refuseStaleRead(input: Json, object: StoredObject): void {
  if (input.IfMatch !== undefined && !sameEtag(input.IfMatch, object.etag)) throw failed('If-Match');
  if (input.IfNoneMatch !== undefined && sameEtag(input.IfNoneMatch, object.etag)) {
    throw new AwsError('NotModified', 'Not Modified', 304);
  }
}

/** First and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`; undefined for the whole. @throws AwsError InvalidRange */
export function rangeOf(
  range: string | undefined,
  bytes: number,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, bytes - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? bytes - 1 : Math.min(Number(match[2]), bytes - 1);
  if (start >= bytes || (match[1] === '' && Number(match[2]) === 0)) {
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, {
      ActualObjectSize: bytes,
    });
  }
  return end < start ? undefined : { start, end };
}
