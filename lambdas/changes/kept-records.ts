// Under which key does the record of a change wait, and when is it of no use any more?
import type { Bucket } from '../runtime/bucket.ts';
import type { Changes } from './changes.ts';

/** Below the tenant's own prefix; one per change, because a change has one end. */
export function keptRecordKey(tenant: string, changeId: string): string {
  return `${keptPrefix(tenant)}${changeId}.json`;
}

const keptPrefix = (tenant: string): string => `${tenant}/records/`;

/**
 * Deletes the records of changes that nobody has taken: the tables did have it although the step never heard so, or somebody
 * else went on with the change and read the object back. Those of taken changes are the sweep's.
 */
export async function dropSpentRecords(
  tenant: string,
  { changes, bucket }: { changes: Pick<Changes, 'get'>; bucket: Pick<Bucket, 'list' | 'delete'> },
): Promise<void> {
  const prefix = keptPrefix(tenant);
  for (const { key } of await bucket.list(prefix)) {
    const change = await changes.get(tenant, key.slice(prefix.length).replace(/\.json$/, ''));
    if (change?.status !== 'CLAIMED' && change?.status !== 'EXECUTING') await bucket.delete(key);
  }
}
