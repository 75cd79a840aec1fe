// Is evidence refused that could not be kept as it is?
import { describe, expect, it } from 'vitest';
import { evidenceProblem } from '../../lambdas/changes/evidence.ts';

describe('evidence', () => {
  const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
  it.each([
    [{ roas: 3.25, ids: ['120200000000010007'], none: null, far: -1e-100 }],
    [{ text: 'é'.repeat(8_000) }],
    [nested(19)],
    [{}],
  ])('is kept', (evidence) => {
    expect(evidenceProblem(evidence)).toBeUndefined();
  });

  it.each([
    [{ text: 'é'.repeat(8_192) }, /^has 16395 bytes/],
    [{ deep: { id: 2 ** 60 } }, /holds the number 1152/],
    [{ list: [1e-200] }, /holds the number 1e-200/],
    [nested(21), /more than 20 levels/],
    [{ a: { '': 1 } }, /a field without a name/],
  ])('is refused', (evidence, sentence) => {
    expect(evidenceProblem(evidence)).toMatch(sentence);
  });
});
