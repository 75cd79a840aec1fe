// How does a payload that is too large for a state machine get through it?
import { sha256 } from './canonical.ts';
import { InvalidInput } from './errors.ts';

/** Step Functions ends an execution whose state data exceeds 256 KiB of UTF-8. */
export const STATE_DATA_LIMIT_BYTES = 262_144;
/**
 * Above this, fields travel as pointers. A state gets the outputs of several states at once (RecordOutcome those of nine), and
 * together they must stay below the 256 KiB: with two of them just below the threshold a quarter is left for all others.
 */
export const CLAIM_THRESHOLD_BYTES = 100_000;

/** What claims need of the bucket. */
export interface ClaimStore {
  getJson(key: string): Promise<unknown>;
  putJson(key: string, value: unknown, options?: { ifAbsent?: boolean }): Promise<boolean>;
}

/** Beyond this many fields one object for the whole costs less than an object each. */
const MAX_POINTERS = 20;

interface Claim {
  $claim: string;
}

/**
 * The value as the state machine carries it: below the threshold unchanged; otherwise the largest top-level fields, one
 * after the other, are stored at `<tenant>/claims/<runId>/<hash>.json` and replaced by `{ $claim: key }` until it fits.
 */
export async function checkIn(
  value: unknown,
  store: ClaimStore,
  owner: { tenant: string; runId: string },
): Promise<unknown> {
  const text = JSON.stringify(value);
  if (text === undefined || Buffer.byteLength(text) <= CLAIM_THRESHOLD_BYTES) return value;
  const deposit = async (part: string): Promise<Claim> => {
    const key = `${claimPrefix(owner)}${sha256(part)}.json`;
    await store.putJson(key, JSON.parse(part), { ifAbsent: true });
    return { $claim: key };
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return deposit(text);

  const result: Record<string, unknown> = { ...value };
  const fields = Object.entries(result)
    .map(([name, field]) => ({ name, text: JSON.stringify(field) }))
    .filter((field) => field.text !== undefined)
    .map((field) => ({ ...field, bytes: Buffer.byteLength(field.text) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  // Each field's bytes are counted once: a payload may have thousands of fields.
  let bytes = Buffer.byteLength(text);
  const chosen: typeof fields = [];
  for (const field of fields) {
    if (bytes <= CLAIM_THRESHOLD_BYTES) break;
    chosen.push(field);
    bytes -= field.bytes - pointerBytes(owner);
  }
  if (bytes > CLAIM_THRESHOLD_BYTES || chosen.length > MAX_POINTERS) return deposit(text);
  for (const field of chosen) result[field.name] = await deposit(field.text);
  return result;
}

/**
 * The value with every pointer, at any depth, replaced by what was stored.
 * @throws InvalidInput for a pointer outside this run (payloads carry users' text) or to something that is gone.
 */
export async function checkOut(
  value: unknown,
  store: ClaimStore,
  owner: { tenant: string; runId: string },
): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await checkOut(item, store, owner));
    return items;
  }
  if (isClaim(value)) {
    const key = value.$claim;
    const prefix = claimPrefix(owner);
    if (!key.startsWith(prefix) || !/^[0-9a-f]{64}\.json$/.test(key.slice(prefix.length))) {
      throw new InvalidInput('A pointer in the input does not belong to this run.', { path: '$claim' });
    }
    const stored = await store.getJson(key);
    if (stored === undefined)
      throw new InvalidInput(`The stored part ${key} of the input is gone.`, { path: '$claim' });
    return stored;
  }
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) result[name] = await checkOut(field, store, owner);
  return result;
}

/** Where a run's large payloads are, and nothing else. */
export function claimPrefix(owner: { tenant: string; runId: string }): string {
  return `${owner.tenant}/claims/${owner.runId}/`;
}

function pointerBytes(owner: { tenant: string; runId: string }): number {
  return Buffer.byteLength(JSON.stringify({ $claim: `${claimPrefix(owner)}${'0'.repeat(64)}.json` }));
}

function isClaim(value: object): value is Claim {
  return '$claim' in value && typeof value.$claim === 'string' && Object.keys(value).length === 1;
}
