// Which specs does a render step make of a plan?
import * as z from 'zod';
import { InvalidInput } from '../runtime/errors.ts';
import { hashOf } from '../runtime/canonical.ts';
import { RenderSpec } from './render/render-spec.ts';
import { CreativeRequest } from './request.ts';
import { BattlePlan, listOf, RenderedVariation, SceneFeatures, VariationId, Video } from './types.ts';

export const RenderInput = z.object({
  request: CreativeRequest,
  video: Video,
  features: listOf(SceneFeatures),
  plan: BattlePlan,
  variations: z.array(VariationId).min(1).max(10),
});

export const RenderOutput = z.object({ rendered: z.array(RenderedVariation), failed: z.array(VariationId) });

const MOODS = ['bright', 'warm', 'driving'] as const;

/** @throws InvalidInput when a variation is not in the plan. */
export function renderSpecs(
  { request, video, features, plan, variations }: z.output<typeof RenderInput>,
  preset: 'final' | 'draft',
): RenderSpec[] {
  return variations.map((id) => {
    const variation = plan.variations.find((one) => one.id === id);
    if (!variation) throw new InvalidInput(`The plan has no variation ${id}.`, { path: 'variations' });
    const seed = Number.parseInt(hashOf(id).slice(0, 8), 16);
    const shots = variation.shots.map(({ sceneId, startMs, endMs }) => {
      const scene = features.list.find((one) => one.id === sceneId);
      if (!scene)
        throw new InvalidInput(`Variation ${id} cites scene ${sceneId}, which the video does not have.`, {
          path: 'plan',
        });
      const heard = scene.words?.filter((word) => word.startMs < endMs && word.endMs > startMs) ?? [];
      // Where nobody speaks, the plan's text is the caption: a viewer must be able to follow without sound.
      return { focus: [{ atMs: 0, ...scene.focus }], words: heard.length === 0 ? null : heard };
    });
    return RenderSpec.parse({
      variation,
      source: video,
      shots,
      formats: request.brief.formats,
      preset,
      music: { kind: 'generated', mood: MOODS[seed % MOODS.length] },
      seed,
    });
  });
}
