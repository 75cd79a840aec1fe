// Is what is complete in the bucket never rendered again, and only that?
import { describe, expect, it } from 'vitest';
import type { Ffmpeg, FfmpegOptions } from '../../lambdas/creative/media/ffmpeg.ts';
import { renderSpecs } from '../../lambdas/creative/render-input.ts';
import { specHash } from '../../lambdas/creative/render/render-spec.ts';
import { renderMissing } from '../../lambdas/creative/rendering.ts';
import { Unavailable } from '../../lambdas/runtime/errors.ts';
import { creativeRun, renderedOf } from '../support/creative-run.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();
const run = creativeRun('t');
const [rendered] = renderedOf('t', run.plan, 1);
if (!rendered) throw new Error('no plan');
const { bytes: _, ...complete } = rendered;
const [spec] = renderSpecs({ ...run, variations: [complete.variationId] }, 'draft');
if (!spec) throw new Error('no spec');

/** Neither the source nor an encoder is there: whatever is rendered fails. */
const render = (one: typeof spec) =>
  renderMissing([one], {
    tenant: 't',
    ffmpeg: { path: '/nowhere' } as unknown as Ffmpeg,
    media: rig.media,
    progress: () => undefined,
  });

describe('rendering', () => {
  it('returns what an identical request made before, without source or encoder', async () => {
    await expect(render(spec)).rejects.toThrow();
    const key = `t/renders/${complete.variationId}/${specHash(spec)}-9x16.json`;
    await rig.media.putJson(key, complete);
    expect(await render(spec)).toEqual([complete]);
  });

  it('gives ffmpeg less time than the state has', async () => {
    await rig.media.put(spec.source.key, 'the source');
    const limits: (number | undefined)[] = [];
    const ffmpeg = {
      run: (_args: readonly string[], options?: FfmpegOptions) => {
        limits.push(options?.timeoutMs);
        return Promise.reject(new Unavailable('enough is known'));
      },
    } as unknown as Ffmpeg;
    const context = { tenant: 't', ffmpeg, media: rig.media, progress: () => undefined };
    await expect(renderMissing([{ ...spec, seed: 7 }], context)).rejects.toThrow('enough is known');
    expect(limits).toEqual([840_000]);
  });

  it.each([
    ['another format', { formats: ['1:1' as const] }],
    ['another preset', { preset: 'final' as const }],
    ['another seed', { seed: spec.seed + 1 }],
  ])('does not take it for %s', async (_name, change) => {
    await expect(render({ ...spec, ...change })).rejects.toThrow();
  });
});
