// What is already known of these bytes, so that the same video is looked at once per tenant?
import type * as z from 'zod';
import type { Bucket } from '../runtime/bucket.ts';

export interface AnalysisOf<T extends z.ZodType> {
  tenant: string;
  sha256: string;
  /** File name with the version of what made it, `scenes-v1`: raise it when the same bytes would give another result. */
  what: string;
  schema: T;
}

/** The stored result, or what `compute` makes now, stored for the next run. One that no longer fits is made again. */
export async function analysed<T extends z.ZodType>(
  bucket: Bucket,
  { tenant, sha256, what, schema }: AnalysisOf<T>,
  compute: () => Promise<z.output<T>>,
): Promise<z.output<T>> {
  const key = `${tenant}/analysis/${sha256}/${what}.json`;
  const stored = schema.safeParse(await bucket.getJson(key));
  if (stored.success) return stored.data;
  const made = await compute();
  await bucket.putJson(key, made);
  return made;
}
