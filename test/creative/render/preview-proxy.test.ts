import { describe, expect, it } from 'vitest';
import { previewArgs, previewFilter } from '../../../lambdas/creative/render/preview-proxy.ts';
import { measureOutput } from '../../../lambdas/creative/render/measure-output.ts';
import { ffmpeg, makeSource, workDirectory } from './sample.ts';

const work = workDirectory();

describe('preview proxy', () => {
  it('has the asked height, and nothing outside 240 to 720', async () => {
    expect(previewFilter(240)).toBe('scale=-2:240:flags=bilinear');
    for (const wrong of [238, 241, 722, 480.5])
      expect(() => previewFilter(wrong)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    const source = await makeSource(work.path('source.mp4'), '640x360', 1);
    await ffmpeg.run(previewArgs(source, work.path('preview.mp4'), 240));
    const measured = await measureOutput(work.path('preview.mp4'), ffmpeg);
    expect([measured.width, measured.height]).toEqual([426, 240]);
  });
});
