// What do the two render states have in common? All but how many variations they are given.
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { configNeed } from '../runtime/config.ts';
import { defineTask } from '../runtime/define-task.ts';
import { ffmpeg } from './media/ffmpeg.ts';
import { RenderInput, RenderOutput, renderSpecs } from './render-input.ts';
import { renderMissing } from './rendering.ts';

/** One ffmpeg for every variation it is given; what is already in the bucket is not made again. */
export function renderStep(name: string) {
  return defineTask({
    name,
    input: RenderInput,
    output: RenderOutput,
    needs: {
      ffmpeg,
      media: bucketNeed([
        { prefix: 'sources/', access: 'read' },
        { prefix: 'renders/', access: 'read' },
        { prefix: 'renders/', access: 'write' },
      ]),
      config: configNeed({ renderPreset: { env: 'RENDER_PRESET', schema: z.enum(['final', 'draft']) } }),
    },
    memoryMb: 3008,
    ephemeralStorageMb: 6144,
    subject: ({ variations }) => variations.join('+'),
    runPercent: ({ variations, plan }) => [63, 63 + (27 * variations.length) / plan.variations.length],
    async run(input, { ffmpeg: tool, media, config, run, progress }) {
      const specs = renderSpecs(input, config.renderPreset);
      return {
        rendered: await renderMissing(specs, { tenant: run.tenant, ffmpeg: tool, media, progress }),
        failed: [],
      };
    },
  });
}
