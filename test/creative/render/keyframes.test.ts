import { describe, expect, it } from 'vitest';
import { keyframes, movesFor } from '../../../lambdas/creative/render/keyframes.ts';
import { frames } from './sample.ts';

describe('keyframes', () => {
  it('write a zoom as one scale per frame and a cut about the centre', () => {
    expect(
      keyframes(
        [
          { atSeconds: 0, zoom: 1 },
          { atSeconds: 2, zoom: 1.1 },
        ],
        { width: 100, height: 60 },
      ),
    ).toBe(
      "scale=w='2*ceil(50*(if(lt(t,2),1+(t-0)*(0.05000),1.1)))':h='2*ceil(30*(if(lt(t,2),1+(t-0)*(0.05000),1.1)))':eval=frame:flags=bicubic,crop=100:60,setsar=1",
    );
    expect(keyframes(movesFor('cta', 'fast', 3), { width: 100, height: 60 })).toBe(
      'scale=100:60:flags=bicubic,setsar=1',
    );
  });

  it('make what is in the middle grow', async () => {
    const dot = '[0:v]drawbox=x=80:y=80:w=40:h=40:color=white:t=fill,';
    const filter = keyframes(
      [
        { atSeconds: 0, zoom: 1 },
        { atSeconds: 1, zoom: 1.5 },
      ],
      { width: 200, height: 200 },
    );
    const bytes = await frames(['color=black:s=200x200:r=10:d=1.1'], `${dot}${filter}[out]`);
    const lit = (index: number): number =>
      bytes.subarray(index * 40_000, (index + 1) * 40_000).filter((value) => value > 128).length;
    expect(lit(0)).toBeCloseTo(1600, -2);
    expect(lit(10)).toBeGreaterThan(1600 * 2);
  });
});
