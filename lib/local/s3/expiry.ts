// Which objects and unfinished uploads have outlived their bucket's rules, and when do they go?
import { AwsError, type CloudClock, type Json, type Timer } from '../types.ts';
import type { Bucket, Buckets } from './buckets.ts';
import type { Multipart } from './multipart.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface LifecycleRule {
  /** Of the keys it covers; empty: all. */
  prefix: string;
  /** Whole days after which an object goes. */
  expirationDays: number | undefined;
  /** Whole days after which a multipart upload that was never completed goes. */
  abortDays: number | undefined;
}

export interface Expiry {
  /** PutBucketLifecycleConfiguration. @throws AwsError for members that are not carried out here */
  configure(input: Json): Json;
  close(): void;
}

/**
 * Lifecycle rules by prefix and age. As S3 does, an age is rounded up to the next midnight UTC; the sweeps are idle timers.
 * @param remove deletes one object as the lifecycle does
 */
export function createExpiry(
  buckets: Buckets,
  multipart: Pick<Multipart, 'unfinished' | 'forget'>,
  clock: CloudClock,
  remove: (bucket: Bucket, key: string) => void,
): Expiry {
  let timer: Timer | undefined;

  const sweep = (): void => {
    const nowMs = clock.now();
    const outlived = (sinceMs: number, days: number | undefined): boolean =>
      days !== undefined && sinceMs + days * DAY_MS <= nowMs;
    for (const bucket of buckets.all.values())
      for (const { prefix, expirationDays, abortDays } of bucket.lifecycle) {
        for (const { key, modifiedAtMs } of bucket.objects.values())
          if (key.startsWith(prefix) && outlived(modifiedAtMs, expirationDays)) remove(bucket, key);
        for (const { uploadId, key, initiatedAtMs } of multipart.unfinished(bucket.name))
          if (key.startsWith(prefix) && outlived(initiatedAtMs, abortDays)) multipart.forget(uploadId);
      }
  };

  const arm = (): void => {
    timer?.cancel();
    timer = undefined;
    if (![...buckets.all.values()].some(({ lifecycle }) => lifecycle.length > 0)) return;
    const midnightMs = (Math.floor(clock.now() / DAY_MS) + 1) * DAY_MS;
    timer = clock.at(
      midnightMs,
      () => {
        sweep();
        arm();
      },
      { idle: true },
    );
  };

  return {
    configure(input) {
      const rules: Json[] = input.LifecycleConfiguration?.Rules ?? [];
      if (rules.length === 0) throw new AwsError('MalformedXML', 'A lifecycle configuration needs a rule.');
      buckets.named(input.Bucket).lifecycle = rules
        .map((rule) => ({ rule: ruleOf(rule), enabled: rule.Status === 'Enabled' }))
        .flatMap(({ rule, enabled }) => (enabled ? [rule] : []));
      arm();
      return {};
    },
    close: () => timer?.cancel(),
  };
}

function ruleOf(rule: Json): LifecycleRule {
  const { Status, Filter = {}, Expiration = {}, AbortIncompleteMultipartUpload = {}, ...rest } = rule;
  if (Status !== 'Enabled' && Status !== 'Disabled')
    throw new AwsError('MalformedXML', `A rule is Enabled or Disabled, not ${Status}.`);
  const { Prefix: prefix = '', ...moreFilter } = Filter;
  const { Days: expirationDays, ...moreExpiration } = Expiration;
  const { DaysAfterInitiation: abortDays, ...moreAbort } = AbortIncompleteMultipartUpload;
  const unknown = [rest, moreFilter, moreExpiration, moreAbort]
    .flatMap((part) => Object.keys(part))
    .find((name) => name !== 'ID');
  if (unknown !== undefined)
    throw new AwsError('NotImplemented', `The embedded S3 has no lifecycle member ${unknown}`, 501);
  return { prefix, expirationDays: wholeDays(expirationDays), abortDays: wholeDays(abortDays) };
}

function wholeDays(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new AwsError('InvalidArgument', `'Days' is a positive whole number, not ${JSON.stringify(value)}.`);
  return number;
}
