// Can this plan be filmed from this video, and is it allowed to be shown?
import { inventedScarcity, shownText, unsupportedClaims } from './honest-claims.ts';
import { AD_LENGTH_MS } from './shots.ts';
import type { Brief, Scene, Variation } from './types.ts';

/**
 * Everything wrong with a plan, a sentence each; empty is good. A model's plan that cites an unknown scene, footage
 * outside its scene, or anything the advertiser did not say is rejected whole.
 */
export function planProblems(
  variations: readonly Variation[],
  scenes: readonly Scene[],
  brief: Brief,
): string[] {
  const known = new Map(scenes.map((scene) => [scene.id, scene]));
  const ids = new Set<string>();
  return variations.flatMap((variation) => {
    const problems: string[] = [];
    if (ids.has(variation.id)) problems.push('is the same as an earlier variation');
    ids.add(variation.id);
    for (const { sceneId, startMs, endMs } of variation.shots) {
      const scene = known.get(sceneId);
      if (!scene) problems.push(`cites scene ${sceneId}, which the video does not have`);
      else if (startMs < scene.startMs || endMs > scene.endMs || endMs <= startMs) {
        problems.push(
          `takes ${startMs}–${endMs} ms from scene ${sceneId}, which is ${scene.startMs}–${scene.endMs} ms`,
        );
      }
    }
    const lengthMs = variation.shots.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    if (lengthMs < AD_LENGTH_MS.min || lengthMs > AD_LENGTH_MS.max)
      problems.push(`is ${lengthMs / 1000} s long; 3 to 90 s are allowed`);
    const text = shownText(variation);
    const claims = [...unsupportedClaims(text, brief), ...inventedScarcity(text, brief)];
    if (claims.length > 0) problems.push(`says what the brief does not: ${claims.join(', ')}`);
    return problems.map((problem) => `Variation ${variation.id} ${problem}.`);
  });
}
