// How does a group of variations become files in the bucket, and nothing be rendered twice?
import { join } from 'node:path';
import { InvalidInput } from '../runtime/errors.ts';
import type { Bucket } from '../runtime/bucket.ts';
import type { Ffmpeg } from './media/ffmpeg.ts';
import { fontPath } from './media/fonts.ts';
import { renderGroup } from './render/render-group.ts';
import { specHash, type RenderSpec } from './render/render-spec.ts';
import { RenderedVariation } from './types.ts';
import { withSource } from './workspace.ts';

/** Of one ffmpeg run; the state has fifteen minutes, and files are uploaded in them too. */
const RENDER_LIMIT_MS = 840_000;

export interface RenderContext {
  tenant: string;
  ffmpeg: Ffmpeg;
  media: Bucket;
  progress(percent: number, message?: string): void;
}

/**
 * Renders what is not there yet. A rendition's key is the hash of all that decides it, and a small JSON object beside the files
 * says that the variation is complete: an identical request renders nothing.
 * @throws InvalidInput when a rendition breaks the platform's rules.
 */
export async function renderMissing(
  specs: readonly RenderSpec[],
  context: RenderContext,
): Promise<RenderedVariation[]> {
  const known = await Promise.all(specs.map((spec) => finished(spec, context)));
  const missing = specs.filter((_, index) => known[index] === undefined);
  const made = missing.length === 0 ? [] : await render(missing, context);
  return specs.flatMap(
    (spec, index) => known[index] ?? made.find(({ variationId }) => variationId === spec.variation.id) ?? [],
  );
}

async function render(
  specs: readonly RenderSpec[],
  { tenant, ffmpeg, media, progress }: RenderContext,
): Promise<RenderedVariation[]> {
  const [first] = specs;
  if (!first) return [];
  return withSource(media, first.source.key, async ({ path, directory }) => {
    const variations = await renderGroup({
      specs,
      sourcePath: path,
      workDir: directory,
      fontPath: fontPath('black'),
      ffmpeg,
      timeoutMs: RENDER_LIMIT_MS,
      onProgress: (percent) => progress(percent * 0.95, `Rendering ${specs.length} variations`),
    });
    const rendered: RenderedVariation[] = [];
    for (const { variationId, specHash: hash, renditions, thumbnailPath } of variations) {
      const failed = renditions.flatMap(({ compliance }) =>
        compliance.passed ? [] : compliance.checks.filter(({ passed }) => !passed),
      );
      if (failed.length > 0) {
        throw new InvalidInput(
          `Variation ${variationId} breaks the platform's rules: ${failed.map(({ name, detail }) => `${name}: ${detail}`).join('; ')}.`,
        );
      }
      const folder = `${tenant}/renders/${variationId}`;
      const one: RenderedVariation = { variationId, renditions: [], thumbnailKey: `${folder}/${hash}.jpg` };
      for (const { format, path: file, width, height, durationMs, sizeBytes, compliance } of renditions) {
        const key = `${folder}/${hash}-${format.replace(':', 'x')}.mp4`;
        await media.upload(file, key, { contentType: 'video/mp4' });
        one.renditions.push({ format, key, width, height, durationMs, sizeBytes, compliance });
      }
      await media.upload(thumbnailPath, one.thumbnailKey, { contentType: 'image/jpeg' });
      // Last, so that it exists only when everything else does.
      await media.putJson(
        completeKey(
          tenant,
          variationId,
          hash,
          specs.find(({ variation }) => variation.id === variationId),
        ),
        one,
      );
      rendered.push(one);
    }
    return rendered;
  });
}

async function finished(
  spec: RenderSpec,
  { tenant, media }: RenderContext,
): Promise<RenderedVariation | undefined> {
  const found = await media.getJson(completeKey(tenant, spec.variation.id, specHash(spec), spec));
  const parsed = RenderedVariation.safeParse(found);
  return parsed.success ? parsed.data : undefined;
}

/** The formats that were asked for belong to it: another set of formats is another completeness. */
function completeKey(
  tenant: string,
  variationId: string,
  hash: string,
  spec: RenderSpec | undefined,
): string {
  const formats = (spec?.formats ?? []).map((format) => format.replace(':', 'x')).join('-');
  return join(tenant, 'renders', variationId, `${hash}-${formats}.json`);
}
