// How is a value written so that equal values have equal bytes, and what is its hash?
import { createHash } from 'node:crypto';

/**
 * JSON with sorted keys and no spaces (RFC 8785 for the values we use). Members that are `undefined` are left out,
 * as JSON does.
 * @throws Error for what JSON cannot carry faithfully: NaN, Infinity, bigint, functions, cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

/** SHA-256, lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of the canonical JSON, lower-case hex. */
export function hashOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

function write(value: unknown, above: readonly object[]): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`A canonical value cannot hold ${value}.`);
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw new Error(`A canonical value cannot hold a ${typeof value}.`);
  if (above.includes(value)) throw new Error('A canonical value cannot contain itself.');
  const path = [...above, value];
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => (item === undefined ? 'null' : write(item, path))).join(',')}]`;
  }
  if (value instanceof Date) return JSON.stringify(value.toJSON());
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${write(member, path)}`);
  return `{${members.join(',')}}`;
}
