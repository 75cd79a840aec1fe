import { describe, expect, it } from 'vitest';
import { logoOverlay } from '../../../lambdas/creative/render/asset-library.ts';
import { layoutOf } from '../../../lambdas/creative/render/templates.ts';
import { frames, mean } from './sample.ts';

describe('asset library', () => {
  it('places a logo in the corner of the safe area once the hook has left', async () => {
    const layout = { ...layoutOf('demo', '1:1'), logo: { x: 10, y: 12, width: 20, height: 10 } };
    const overlay = logoOverlay('v', '1:v', 'out', layout, 500);
    expect(overlay).toBe(
      "[1:v]scale=20:10:force_original_aspect_ratio=decrease,format=rgba[outlogo];[v][outlogo]overlay=10:12:enable='gte(t,0.500)':eof_action=repeat:format=yuv420[out]",
    );
    const bytes = await frames(
      ['color=black:s=60x60:r=4:d=1', 'color=white:s=40x20:d=0.1:r=10'],
      `[0:v]null[v];${overlay}`,
    );
    const inside = { x: 12, y: 14, width: 16, height: 6 };
    expect(mean(bytes.subarray(0, 3600), 60, inside)).toBeLessThan(20);
    expect(mean(bytes.subarray(3 * 3600), 60, inside)).toBeGreaterThan(200);
    expect(mean(bytes.subarray(3 * 3600), 60, { x: 40, y: 30, width: 20, height: 30 })).toBeLessThan(20);
  });
});
