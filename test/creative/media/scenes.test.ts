// Do scenes partition a video, and are only real cuts cuts?
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameMeter, FRAME_BYTES } from '../../../lambdas/creative/media/frame-signal.ts';
import { findCuts, MIN_SCENE_MS, partition } from '../../../lambdas/creative/media/scenes.ts';

const FRAME_MS = 40;

/** A signal of flat pictures with these luma levels, 40 ms apart. */
function flat(levels: readonly number[], timesMs?: readonly number[]) {
  const meter = createFrameMeter();
  for (const [i, level] of levels.entries()) {
    const frame = new Uint8Array(FRAME_BYTES).fill(128);
    frame.fill(level, 0, FRAME_BYTES / 3);
    meter.add(frame, timesMs?.[i] ?? i * FRAME_MS, false);
  }
  return meter.finish();
}
const repeat = (level: number, times: number): number[] => Array.from({ length: times }, () => level);

describe('partition', () => {
  it('covers any video without gap or overlap, with no scene under a second unless the video is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5000, max: 200_000, noNaN: true }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 120_000 }),
        (cuts, durationMs) => {
          const scenes = partition(cuts, durationMs);
          expect(scenes[0]?.startMs).toBe(0);
          expect(scenes.at(-1)?.endMs).toBe(durationMs);
          for (let i = 1; i < scenes.length; i++) expect(scenes[i]?.startMs).toBe(scenes[i - 1]?.endMs);
          for (const scene of scenes) {
            const least = scenes.length > 1 ? MIN_SCENE_MS : 1;
            expect(scene.endMs - scene.startMs).toBeGreaterThanOrEqual(least);
          }
          expect(new Set(scenes.map((scene) => scene.id)).size).toBe(scenes.length);
        },
      ),
    );
  });

  it('keeps every cut that leaves a second on both sides', () => {
    expect(partition([1000, 2500, 6000], 7000)).toEqual([
      { id: 's01', startMs: 0, endMs: 1000 },
      { id: 's02', startMs: 1000, endMs: 2500 },
      { id: 's03', startMs: 2500, endMs: 6000 },
      { id: 's04', startMs: 6000, endMs: 7000 },
    ]);
  });

  it('joins a short scene to its shorter neighbour', () => {
    expect(partition([999, 5000], 9000).map((scene) => scene.startMs)).toEqual([0, 5000]);
    expect(partition([3000, 3400], 5000).map((scene) => scene.startMs)).toEqual([0, 3000]);
    expect(partition([1500, 1900], 9000).map((scene) => scene.startMs)).toEqual([0, 1900]);
  });
});

describe('findCuts', () => {
  it('finds a cut at the first frame after it', () => {
    const cuts = findCuts(flat([...repeat(60, 30), ...repeat(180, 30)]), FRAME_MS);
    expect(cuts.map((cut) => cut.atMs)).toEqual([30 * FRAME_MS]);
  });

  it.each([1, 2, 4, 8])('sees no cut in a flash of %i frames', (length) => {
    expect(findCuts(flat([...repeat(60, 30), ...repeat(235, length), ...repeat(62, 30)]), FRAME_MS)).toEqual(
      [],
    );
  });

  it('still finds a cut shortly after a flash', () => {
    const levels = [...repeat(60, 30), 235, 235, ...repeat(60, 12), ...repeat(160, 30)];
    expect(findCuts(flat(levels), FRAME_MS).map((cut) => cut.atMs)).toEqual([44 * FRAME_MS]);
  });

  it('sees no cut in a slow fade', () => {
    const fade = Array.from({ length: 12 }, (_, i) => 200 - i * 15);
    expect(findCuts(flat([...repeat(200, 20), ...fade, ...repeat(20, 20)]), FRAME_MS)).toEqual([]);
  });

  it('counts a cut with a blended frame once', () => {
    expect(findCuts(flat([...repeat(60, 30), 110, ...repeat(180, 30)]), FRAME_MS)).toHaveLength(1);
  });

  it('says how uncertain a cut is where frames were not watched', () => {
    const times = [
      ...Array.from({ length: 20 }, (_, i) => i * 40),
      ...Array.from({ length: 20 }, (_, i) => 1000 + i * 40),
    ];
    const [cut] = findCuts(flat([...repeat(60, 20), ...repeat(180, 20)], times), FRAME_MS);
    expect(cut?.atMs).toBe(760 + 3 * 40);
    expect(cut?.uncertaintyMs).toBe(3 * 40);
  });
});
