import { describe, expect, it } from 'vitest';
import { colourGrade } from '../../../lambdas/creative/render/colour-grade.ts';
import { frames } from './sample.ts';

describe('colour grade', () => {
  const averages = async (grade: Parameters<typeof colourGrade>[0]) => {
    const filter = colourGrade(grade) ?? 'null';
    const bytes = await frames(['testsrc2=s=64x64:d=0.1:r=10'], `[0:v]format=yuv420p,${filter}[out]`, {
      pix: 'yuv420p',
    });
    const plane = (from: number, length: number): number =>
      bytes.subarray(from, from + length).reduce((sum, value) => sum + value, 0) / length;
    const u = bytes.subarray(4096, 5120);
    return {
      y: plane(0, 4096),
      u: plane(4096, 1024),
      v: plane(5120, 1024),
      colour: u.reduce((sum, value) => sum + Math.abs(value - 128), 0) / 1024,
    };
  };

  it('is one table per plane', () => {
    expect(colourGrade('neutral')).toBeNull();
    expect(colourGrade('warm')).toBe(
      "lutyuv=y='clip(val*1.02,16,235)':u='clip(val-9,16,240)':v='clip(val+8,16,240)'",
    );
  });

  it('shifts the mean chroma the way its name says', async () => {
    const [neutral, warm, cool, vivid, cinematic, mono] = await Promise.all(
      (['neutral', 'warm', 'cool', 'vivid', 'cinematic', 'mono'] as const).map(averages),
    );
    if (!neutral || !warm || !cool || !vivid || !cinematic || !mono) throw new Error('no frames');
    expect(warm.v - neutral.v).toBeGreaterThan(4);
    expect(warm.u - neutral.u).toBeLessThan(-4);
    expect(cool.u - neutral.u).toBeGreaterThan(4);
    expect(vivid.colour).toBeGreaterThan(neutral.colour * 1.15);
    expect(cinematic.colour).toBeLessThan(neutral.colour * 0.9);
    expect(mono.u).toBe(128);
    expect(mono.v).toBe(128);
  });
});
