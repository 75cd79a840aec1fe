// Does every payload get through a state machine, and only by pointers of its own run?
import { describe, expect, it } from 'vitest';
import {
  CLAIM_THRESHOLD_BYTES,
  STATE_DATA_LIMIT_BYTES,
  checkIn,
  checkOut,
  type ClaimStore,
} from '../../lambdas/runtime/claims.ts';

function memoryStore(): ClaimStore & { objects: Map<string, string> } {
  const objects = new Map<string, string>();
  return {
    objects,
    getJson: async (key) => (objects.has(key) ? (JSON.parse(objects.get(key) ?? '') as unknown) : undefined),
    putJson: async (key, value) => {
      objects.set(key, JSON.stringify(value));
      return true;
    },
  };
}

const owner = { tenant: 'acme', runId: 'run-1' };
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const text = (length: number) => 'x'.repeat(length);

describe('claim check', () => {
  it('lets two outputs and what is around them through together', () => {
    expect(2 * CLAIM_THRESHOLD_BYTES).toBeLessThan(0.8 * STATE_DATA_LIMIT_BYTES);
  });

  it('leaves what fits as it is, to the byte', async () => {
    const store = memoryStore();
    const fits = { a: text(CLAIM_THRESHOLD_BYTES - bytes({ a: '' })) };
    expect(bytes(fits)).toBe(CLAIM_THRESHOLD_BYTES);
    expect(await checkIn(fits, store, owner)).toBe(fits);
    const over = { a: `${fits.a}x` };
    expect(await checkIn(over, store, owner)).toEqual({
      a: { $claim: expect.stringMatching(/^acme\/claims\/run-1\/[0-9a-f]{64}\.json$/) },
    });
  });

  it('takes the largest fields first and leaves the small ones readable', async () => {
    const store = memoryStore();
    const value = { small: [1, 2], big: text(70_000), bigger: text(80_000), count: 3 };
    const carried = (await checkIn(value, store, owner)) as Record<string, unknown>;
    expect(carried).toMatchObject({
      small: [1, 2],
      count: 3,
      big: value.big,
      bigger: { $claim: expect.any(String) },
    });
    expect(store.objects.size).toBe(1);
    expect(await checkOut(carried, store, owner)).toEqual(value);
  });

  it.each([STATE_DATA_LIMIT_BYTES - 1, STATE_DATA_LIMIT_BYTES, STATE_DATA_LIMIT_BYTES + 1, 5_000_000])(
    'carries %i bytes below the limit of Step Functions and back, in one field, many fields, an array, and in UTF-8',
    async (size) => {
      const shapes: unknown[] = [
        { only: text(size) },
        Object.fromEntries(
          Array.from({ length: 20_000 }, (_, i) => [`field${i}`, text(Math.ceil(size / 20_000))]),
        ),
        Array.from({ length: 100 }, () => text(Math.ceil(size / 100))),
        { umlauts: 'ü'.repeat(Math.ceil(size / 2)) },
        text(size),
      ];
      for (const shape of shapes) {
        const store = memoryStore();
        const carried = await checkIn(shape, store, owner);
        expect(bytes(carried)).toBeLessThanOrEqual(CLAIM_THRESHOLD_BYTES);
        expect(await checkOut(carried, store, owner)).toEqual(shape);
      }
    },
  );

  it('finds pointers at any depth, as state machines nest them', async () => {
    const store = memoryStore();
    const scenes = { scenes: text(300_000) };
    const carried = await checkIn(scenes, store, owner);
    expect(await checkOut({ input: [{ features: carried }] }, store, owner)).toEqual({
      input: [{ features: scenes }],
    });
  });

  it.each([
    'other/claims/run-1/' + 'a'.repeat(64) + '.json',
    'acme/claims/run-2/' + 'a'.repeat(64) + '.json',
    'acme/claims/run-1/../run-2/' + 'a'.repeat(64) + '.json',
    'acme/sources/secret',
    '',
  ])('refuses the pointer %s from a payload', async (key) => {
    const store = memoryStore();
    store.objects.set(key, '"stolen"');
    await expect(checkOut({ brief: { $claim: key } }, store, owner)).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });

  it('says so when what was stored is gone', async () => {
    const carried = await checkIn({ a: text(300_000) }, memoryStore(), owner);
    await expect(checkOut(carried, memoryStore(), owner)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('gone'),
    });
  });
});
