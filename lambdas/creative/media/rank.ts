// Which scenes are worth showing first?
import type { RankedScene, SceneFeatures } from '../types.ts';
import { cosine, featureVectors, novelty } from './novelty.ts';

/** Spec §4. They add up to 1. */
export const WEIGHTS = {
  motion: 0.25,
  objects: 0.2,
  text: 0.15,
  transcript: 0.15,
  novelty: 0.15,
  technical: 0.1,
} as const;
export type ScorePartName = keyof typeof WEIGHTS;

/** Scenes more alike than this are one scene shown twice (spec §4). */
export const DUPLICATE_COSINE = 0.85;

export interface RankOptions {
  /** Of the video as shown, pixels: part of the technical score. */
  heightPixels: number;
  duplicateCosine?: number;
}

/**
 * Spec §4: .25 motion + .20 min(unique objects / 5, 1) + .15 has text + .15 has transcript + .15 novelty + .10 technical,
 * technical = .6 sharpness + .4 min(height / 1080, 1). A part that was not available is left out and named, and the other
 * weights are scaled up to 1. Best first; equal scores in time order; a scene nearly the same as a better one says so.
 */
export function rankScenes(unordered: readonly SceneFeatures[], options: RankOptions): RankedScene[] {
  // Sums depend on their order in the last bit; the ranking must not depend on the order of its input.
  const scenes = unordered.toSorted((a, b) => a.startMs - b.startMs);
  const vectors = featureVectors(scenes);
  const novelties = novelty(vectors);
  const scored = scenes.map((scene, at) => {
    const values: Record<ScorePartName, number | null> = {
      motion: scene.motion,
      objects:
        scene.objects === null
          ? null
          : Math.min(new Set(scene.objects.map((object) => object.name)).size / 5, 1),
      text: scene.texts === null ? null : scene.texts.some((text) => text.trim() !== '') ? 1 : 0,
      transcript: scene.words === null ? null : scene.words.length > 0 ? 1 : 0,
      novelty: novelties[at] as number,
      technical: 0.6 * scene.sharpness + 0.4 * Math.min(options.heightPixels / 1080, 1),
    };
    const names = Object.keys(WEIGHTS) as ScorePartName[];
    const present = names.filter((name) => values[name] !== null);
    const total = present.reduce((sum, name) => sum + WEIGHTS[name], 0);
    const parts: RankedScene['parts'] = {};
    let score = 0;
    for (const name of present) {
      const value = Math.min(1, Math.max(0, values[name] as number));
      const weight = WEIGHTS[name] / total;
      parts[name] = { value, weight };
      score += value * weight;
    }
    const missing = names.filter((name) => values[name] === null);
    return { scene, vector: vectors[at] as Float64Array, score: Math.min(1, score), parts, missing };
  });
  const limit = options.duplicateCosine ?? DUPLICATE_COSINE;
  const kept: typeof scored = [];
  return scored
    .toSorted((a, b) => b.score - a.score || a.scene.startMs - b.scene.startMs)
    .map((own, at) => {
      const better = kept.find((other) => cosine(own.vector, other.vector) > limit);
      if (better === undefined) kept.push(own);
      return {
        sceneId: own.scene.id,
        rank: at + 1,
        score: own.score,
        parts: own.parts,
        missing: own.missing,
        duplicateOf: better?.scene.id ?? null,
      };
    });
}
