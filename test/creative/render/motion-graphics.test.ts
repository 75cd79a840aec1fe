import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { assFile } from '../../../lambdas/creative/render/ass.ts';
import { cardBackdrop, motionGraphics } from '../../../lambdas/creative/render/motion-graphics.ts';
import { layoutOf } from '../../../lambdas/creative/render/templates.ts';
import { FONT_PATH, font, frames, mean, workDirectory } from './sample.ts';

const work = workDirectory();

describe('motion graphics', () => {
  const layout = layoutOf('demo', '1:1');
  const spec = {
    layout,
    font,
    hook: { text: 'Big question?', startMs: 0, endMs: 400 },
    lowerThirds: [{ text: 'A fact', startMs: 400, endMs: 800 }],
    card: { text: 'Book a call', headline: 'Ready?', startMs: 800, endMs: 1200 },
  };

  it('darken the picture behind the card and write everything as text', () => {
    expect(cardBackdrop(spec.card)).toBe(
      "lutyuv=y='16+(val-16)*0.3':u='128+(val-128)*0.3':v='128+(val-128)*0.3':enable='gte(t,0.800)'",
    );
    expect(motionGraphics(spec).texts.map(({ what, text, startMs }) => [what, text, startMs])).toEqual([
      ['hook', 'Big question?', 0],
      ['lower-third', 'A fact', 400],
      ['call-to-action', 'Ready?', 800],
      ['call-to-action', 'Book a call', 800],
    ]);
  });

  it('show hook, lower third and card each in their own time and place', async () => {
    await mkdir(work.path('fonts'), { recursive: true });
    await copyFile(FONT_PATH, work.path('fonts', 'font.ttf'));
    await writeFile(work.path('m.ass'), assFile(layout, font, motionGraphics(spec).events));
    const graph = `[0:v]format=yuv420p,${cardBackdrop(spec.card)},ass=filename=${work.path('m.ass')}:fontsdir=${work.path('fonts')},format=gray[out]`;
    const bytes = await frames(['color=gray:s=1080x1080:r=5:d=1.2'], graph);
    const at = (index: number, box: { x: number; y: number; width: number; height: number }): number => {
      const area = {
        x: Math.ceil(box.x),
        y: Math.ceil(box.y),
        width: Math.floor(box.width),
        height: Math.floor(box.height),
      };
      const frame = bytes.subarray(index * 1_166_400, (index + 1) * 1_166_400);
      let sum = 0;
      for (let y = area.y; y < area.y + area.height; y++)
        for (let x = area.x; x < area.x + area.width; x++)
          sum += Math.abs((frame[y * 1080 + x] ?? 0) - 126) > 40 ? 1 : 0;
      return sum / (area.width * area.height);
    };
    const button = motionGraphics(spec).texts.at(-1);
    if (button === undefined) throw new Error('no button');
    expect(at(1, layout.hook)).toBeGreaterThan(0.1);
    expect(at(3, layout.hook)).toBeLessThan(0.01);
    expect(at(3, layout.lowerThird)).toBeGreaterThan(0.05);
    expect(at(1, layout.lowerThird)).toBe(0);
    // The last frame: picture darkened, button light with dark letters.
    const corner = mean(bytes.subarray(5 * 1_166_400), 1080, { x: 10, y: 10, width: 40, height: 40 });
    const plate = mean(bytes.subarray(5 * 1_166_400), 1080, {
      x: Math.ceil(button.x + button.height / 2),
      y: Math.ceil(button.y + 4),
      width: 60,
      height: 8,
    });
    expect(corner).toBeLessThan(70);
    expect(plate).toBeGreaterThan(110);
  });
});
