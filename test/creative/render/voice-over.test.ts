import { describe, expect, it } from 'vitest';
import { voiceOver } from '../../../lambdas/creative/render/voice-over.ts';
import { rms, samples } from './sample.ts';

describe('voice-over slot', () => {
  it('is nothing when empty', () => {
    expect(voiceOver({ input: null, delayMs: 0, duration: '3', out: 'v' })).toBeNull();
  });

  it('begins when it should and lasts as long as the ad', async () => {
    const slot = voiceOver({ input: '0:a', delayMs: 500, duration: '3.000000', out: 'out' });
    expect(slot).toBe(
      '[0:a]aresample=48000,aformat=sample_fmts=fltp:channel_layouts=stereo,adelay=500:all=1,apad,atrim=end=3.000000[out]',
    );
    const out = await samples(['sine=f=500:d=1'], slot ?? '');
    expect(out.length).toBe(3 * 48_000);
    expect(rms(out, 0, 0.45)).toBe(0);
    expect(rms(out, 0.6, 1.4)).toBeGreaterThan(0.05);
    expect(rms(out, 1.6, 3)).toBeLessThan(0.001);
  });
});
