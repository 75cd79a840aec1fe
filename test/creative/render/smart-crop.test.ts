import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropWindow, smartCrop } from '../../../lambdas/creative/render/smart-crop.ts';
import { frames, mean } from './sample.ts';

describe('smart crop', () => {
  it('keeps the target’s shape, inside the frame and even, for any sizes', () => {
    const side = fc.integer({ min: 64, max: 4000 });
    fc.assert(
      fc.property(side, side, side, side, (sw, sh, tw, th) => {
        const window = cropWindow({ source: { width: sw, height: sh }, target: { width: tw, height: th } });
        expect((window.width % 2) + (window.height % 2)).toBe(0);
        expect(window.width).toBeLessThanOrEqual(sw);
        expect(window.height).toBeLessThanOrEqual(sh);
      }),
    );
    expect(
      cropWindow({ source: { width: 1280, height: 720 }, target: { width: 1080, height: 1920 } }),
    ).toEqual({ width: 404, height: 720 });
  });

  it('writes a still window as numbers and a path as lines', () => {
    const still = {
      source: { width: 320, height: 180 },
      target: { width: 90, height: 160 },
      focus: [{ atMs: 0, x: 1, y: 0.5 }],
    };
    expect(smartCrop(still)).toBe("crop=100:180:x='220':y='0'");
    const path = {
      ...still,
      focus: [
        { atMs: 0, x: 0, y: 0.5 },
        { atMs: 1000, x: 1, y: 0.5 },
      ],
    };
    expect(smartCrop(path)).toBe("crop=100:180:x='if(lt(t,1),0+(t-0)*220.000,220)':y='0'");
  });

  it('keeps a moving object in the middle', async () => {
    const focus = [
      { atMs: 0, x: 0.25, y: 0.5 },
      { atMs: 2000, x: 0.75, y: 0.5 },
    ];
    const crop = smartCrop({
      source: { width: 320, height: 180 },
      target: { width: 90, height: 160 },
      focus,
    });
    const moving = "[1:v][0:v]overlay=x='80+80*t-10':y=80[moving];[moving]";
    const bytes = await frames(
      ['color=white:s=20x20:r=10:d=2', 'color=black:s=320x180:r=10:d=2'],
      `${moving}${crop}[out]`,
    );
    for (let index = 0; index < 20; index++) {
      const frame = bytes.subarray(index * 18_000, (index + 1) * 18_000);
      expect(mean(frame, 100, { x: 42, y: 82, width: 16, height: 16 })).toBeGreaterThan(200);
    }
  });
});
