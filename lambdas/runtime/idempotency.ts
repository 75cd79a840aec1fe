// Was this request answered before?
//
// Table runs, pk `<tenant>#idempotency`… one partition per key: pk `<tenant>#idempotency#<sha256 of route and key>`, sk `answer`.
import type { Clock } from './clock.ts';
import { Conflict, Refused } from './errors.ts';
import { sha256 } from './canonical.ts';
import type { Table } from './table.ts';

/** A key is remembered for a day. */
export const IDEMPOTENCY_MS = 86_400_000;
/** Longer than a route may run: after it a request without an answer counts as lost, and the key may be used again. */
const LEASE_MS = 60_000;

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface IdempotentRequest {
  tenant: string;
  route: string;
  key: string;
  /** Hash of everything that makes it this request. */
  fingerprint: string;
}

/**
 * Answers from memory, or runs and remembers. Only answers below 500 are remembered: a failed request may be tried again.
 * @throws Refused (422) for another request under the same key; Conflict (409) while the first one runs.
 */
export async function once(
  table: Table,
  clock: Clock,
  request: IdempotentRequest,
  run: () => Promise<StoredAnswer>,
): Promise<StoredAnswer & { replayed: boolean }> {
  const key = {
    pk: `${request.tenant}#idempotency#${sha256(`${request.route}\n${request.key}`)}`,
    sk: 'answer',
  };
  const now = clock.now();
  const expiresAt = Math.ceil((now + IDEMPOTENCY_MS) / 1000);
  const claim = {
    ...key,
    fingerprint: request.fingerprint,
    leaseUntil: now + LEASE_MS,
    goodUntil: now + IDEMPOTENCY_MS,
    expiresAt,
  };
  try {
    await table.put({
      Item: claim,
      // The time to live deletes late; a lease without an answer belongs to a request that died.
      ConditionExpression:
        'attribute_not_exists(pk) OR goodUntil <= :now OR (attribute_not_exists(answer) AND leaseUntil <= :now AND fingerprint = :fingerprint)',
      ExpressionAttributeValues: { ':now': now, ':fingerprint': request.fingerprint },
    });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
    const earlier = await table.get(key);
    if (earlier !== undefined && earlier['fingerprint'] !== request.fingerprint) {
      throw new Refused('This Idempotency-Key was used for a different request.', {
        path: 'Idempotency-Key',
      });
    }
    if (typeof earlier?.['answer'] !== 'string')
      throw new Conflict('The same request is being answered right now.', { cause: error });
    return { ...(JSON.parse(earlier['answer']) as StoredAnswer), replayed: true };
  }
  const release = () =>
    table.delete({
      Key: key,
      ConditionExpression: 'leaseUntil = :lease',
      ExpressionAttributeValues: { ':lease': claim.leaseUntil },
    });
  let answer: StoredAnswer;
  try {
    answer = await run();
  } catch (error) {
    await release();
    throw error;
  }
  if (answer.status >= 500) await release();
  else await table.put({ Item: { ...claim, answer: JSON.stringify(answer) } });
  return { ...answer, replayed: false };
}
