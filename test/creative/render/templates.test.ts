import { describe, expect, it } from 'vitest';
import { layoutOf, templateFilter } from '../../../lambdas/creative/render/templates.ts';
import { TEMPLATES } from '../../../lambdas/creative/types.ts';
import { frames } from './sample.ts';

describe('templates', () => {
  it('lay text out inside the picture without overlaps, in every format', () => {
    for (const template of TEMPLATES)
      for (const format of ['9:16', '1:1', '4:5', '16:9'] as const) {
        const { hook, lowerThird, caption } = layoutOf(template, format);
        expect(hook.y + hook.height, `${template} ${format}`).toBeLessThanOrEqual(lowerThird.y);
        expect(lowerThird.y + lowerThird.height).toBeLessThanOrEqual(caption.y);
      }
  });

  it('mute the time before the solution, and only in a before-and-after', async () => {
    const layout = layoutOf('before_after', '1:1');
    expect(templateFilter('before_after', layout, 1000)).toBe("hue=s=0.25:enable='lt(t,1.000)'");
    expect(templateFilter('before_after', layout, null)).toBe('null');
    const bytes = await frames(
      ['color=red:s=16x16:r=2:d=2'],
      `[0:v]format=yuv420p,${templateFilter('before_after', layout, 1000)}[out]`,
      { pix: 'yuv420p' },
    );
    const redness = (index: number): number => (bytes[index * 384 + 320] ?? 0) - 128;
    expect(redness(0)).toBeLessThan(redness(3) * 0.4);
  });

  it('each put their own mark on the picture', async () => {
    const seen = new Set<string>();
    for (const template of ['hook_problem_solution', 'demo', 'story', 'list'] as const) {
      const layout = { ...layoutOf(template, '1:1'), unit: 200, width: 200, height: 200 };
      const bytes = await frames(
        ['color=gray:s=200x200:r=1:d=1'],
        `[0:v]${templateFilter(template, layout, null)}[out]`,
      );
      seen.add(bytes.toString('base64'));
    }
    expect(seen.size).toBe(4);
  });
});
