import { describe, expect, it } from 'vitest';
import type { SampleTruth } from '../../lib/sandbox/corpus/truth.ts';
import { createTruthRegistry } from '../../lib/sandbox/truth.ts';

const SHA = 'b'.repeat(64);

describe('truth', () => {
  it('takes what the corpus knows, and answers by the keys that vendors are given', () => {
    const sample: SampleTruth = {
      scenes: [
        {
          startMs: 0,
          endMs: 900,
          objects: [],
          texts: [],
          words: [{ text: 'later', startMs: 500, endMs: 800 }],
        },
        {
          startMs: 900,
          endMs: 2_000,
          objects: [{ name: 'Cup', count: 1, confidence: 0.8 }],
          texts: ['NEW'],
          words: [{ text: 'first', startMs: 100, endMs: 200 }],
        },
      ],
    };
    const truth = createTruthRegistry();
    truth.addVideo(SHA, sample);
    expect(truth.frame(`acme/frames/${SHA}/s02.jpg`)).toEqual({
      objects: [{ name: 'Cup', count: 1, confidence: 0.8 }],
      texts: ['NEW'],
    });
    expect(truth.words(`other-tenant/sources/${SHA}`)?.map(({ text }) => text)).toEqual(['first', 'later']);
  });

  it.each(['acme/frames/x/s01.jpg', `acme/frames/${SHA}/s03.jpg`, `acme/frames/${SHA}/s00.jpg`, ''])(
    'knows nothing of "%s"',
    (key) => {
      const truth = createTruthRegistry();
      truth.addVideo(SHA, { scenes: [{ startMs: 0, endMs: 1 }] });
      expect(truth.frame(key)).toBeUndefined();
      expect(truth.words(key)).toBeUndefined();
    },
  );
});
