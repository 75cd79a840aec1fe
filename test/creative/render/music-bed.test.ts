import { describe, expect, it } from 'vitest';
import { musicBed } from '../../../lambdas/creative/render/asset-library.ts';
import { rms, samples } from './sample.ts';

describe('music bed', () => {
  it('is audible all the time, the same for the same seed and another for another', async () => {
    const bed = (mood: 'bright' | 'driving', seed: number, speed = 1) =>
      samples([`${musicBed(mood, seed, speed)}:d=4`], '[0:a]aresample=48000[out]');
    const [first, again, other, faster, mood] = [
      await bed('bright', 1),
      await bed('bright', 1),
      await bed('bright', 2),
      await bed('bright', 1, 1.12),
      await bed('driving', 1),
    ];
    expect(first).toEqual(again);
    for (const different of [other, faster, mood]) expect(different).not.toEqual(first);
    for (let second = 0; second < 4; second++) expect(rms(first, second, second + 1)).toBeGreaterThan(0.03);
    expect(first.every((value) => Math.abs(value) < 1)).toBe(true);
  });
});
