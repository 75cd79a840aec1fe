import { describe, expect, it } from 'vitest';
import { joinVideo } from '../../../lambdas/creative/render/transitions.ts';
import { frames, mean } from './sample.ts';

describe('transitions', () => {
  const join = { kind: 'fade', duration: '0.400000', offset: '0.600000' } as const;

  it('are xfade, or a plain join for a cut', () => {
    expect(joinVideo('a', 'b', 'o', join)).toBe(
      '[a][b]xfade=transition=fade:duration=0.400000:offset=0.600000[o]',
    );
    expect(joinVideo('a', 'b', 'o', { ...join, kind: 'cut' })).toBe('[a][b]concat=n=2:v=1:a=0,settb=AVTB[o]');
  });

  it('show both shots in the middle', async () => {
    const middle = async (
      kind: 'fade' | 'wipeleft' | 'slideup' | 'circleopen' | 'dissolve',
    ): Promise<number> => {
      const graph = `[0:v]settb=AVTB[a];[1:v]settb=AVTB[b];${joinVideo('a', 'b', 'out', { ...join, kind })}`;
      const bytes = await frames(['color=black:s=40x40:r=10:d=1', 'color=white:s=40x40:r=10:d=1'], graph);
      expect(bytes.length).toBe(16 * 1600);
      return mean(bytes.subarray(8 * 1600, 9 * 1600), 40, { x: 0, y: 0, width: 40, height: 40 });
    };
    for (const kind of ['fade', 'wipeleft', 'slideup', 'circleopen', 'dissolve'] as const) {
      const level = await middle(kind);
      expect(level).toBeGreaterThan(60);
      expect(level).toBeLessThan(200);
    }
  });
});
