// Is the corpus decided by its seed, and is its truth true?
import { describe, expect, it } from 'vitest';
import { scoreCuts } from '../../../lib/sandbox/corpus/judge.ts';
import { makeShots, seededRandom, shotGraph } from '../../../lib/sandbox/corpus/shots.ts';

describe('shots', () => {
  it('are the same for the same seed and others for another', () => {
    const shots = (seed: number) => makeShots(seededRandom(seed), 20, [10, 20]);
    expect(shots(3)).toEqual(shots(3));
    expect(shots(3)).not.toEqual(shots(4));
    const picture = { width: 320, height: 180, frameRate: 25 };
    const graphs = (seed: number) => shots(seed).map((shot, at) => shotGraph(shot, picture, `q${at}`));
    expect(graphs(3)).toEqual(graphs(3));
  });

  it('differ from their neighbours in kind and colour', () => {
    const shots = makeShots(seededRandom(9), 200, [10, 20]);
    for (let i = 1; i < shots.length; i++) {
      const [a, b] = [shots[i - 1], shots[i]];
      expect(b?.kind).not.toBe(a?.kind);
      const apart = Math.abs((b?.hue ?? 0) - (a?.hue ?? 0));
      expect(Math.min(apart, 360 - apart)).toBeGreaterThanOrEqual(90);
    }
  });
});

describe('scoreCuts', () => {
  const truth = {
    frameRate: 25,
    cutsMs: [1000, 2000],
    transitions: [
      { kind: 'dissolve' as const, startMs: 3000, endMs: 4000 },
      { kind: 'flash' as const, startMs: 5000, endMs: 5080 },
    ],
  };

  it('accepts two frames of error, not three', () => {
    expect(scoreCuts([1080, 1920], truth).f1).toBe(1);
    expect(scoreCuts([1120, 2000], truth)).toMatchObject({
      truePositives: 1,
      falsePositives: [1120],
      missed: [1000],
    });
  });

  it('counts a cut once, a second boundary in a dissolve as wrong, and every one in a flash', () => {
    expect(scoreCuts([1000, 1040, 2000], truth).falsePositives).toEqual([1040]);
    expect(scoreCuts([1000, 2000, 3300], truth).f1).toBe(1);
    expect(scoreCuts([1000, 2000, 3300, 3600], truth).falsePositives).toEqual([3600]);
    expect(scoreCuts([1000, 2000, 5040], truth).falsePositives).toEqual([5040]);
  });

  it('does not forgive a cut that was missed', () => {
    expect(scoreCuts([1000], truth)).toMatchObject({ missed: [2000], recall: 0.5, precision: 1 });
  });
});
