import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { physicalName } from '../../../lib/local/deploy/names.ts';

it('names look like CloudFormation’s', () => {
  expect(physicalName('app', 'Queue', 80)).toMatch(/^app-Queue-[A-Z0-9]{12}$/);
});

it('names fit, stay the same and differ between resources', () => {
  const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,100}$/);
  fc.assert(
    fc.property(word, word, word, fc.integer({ min: 40, max: 255 }), (stack, id, other, maxLength) => {
      const name = physicalName(stack, id, maxLength);
      expect(name.length).toBeLessThanOrEqual(maxLength);
      expect(physicalName(stack, id, maxLength)).toBe(name);
      expect(physicalName(stack, other, maxLength) === name).toBe(other === id);
    }),
  );
});
