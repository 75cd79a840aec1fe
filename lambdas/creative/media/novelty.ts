// How different is a scene from the others of its video?
import type { SceneFeatures } from '../types.ts';

type Describable = Pick<
  SceneFeatures,
  | 'motion'
  | 'brightness'
  | 'contrast'
  | 'saturation'
  | 'sharpness'
  | 'loudnessLufs'
  | 'silenceRatio'
  | 'focus'
  | 'objects'
  | 'texts'
  | 'words'
>;

/** Dimensions into which the names of objects and the words of a scene are hashed. */
const HASHED = 16;

/**
 * One vector per scene. Measured levels are centred on the video's own mean and scaled by its spread, because all are
 * positive and a plain cosine would call everything alike; objects and words are hashed counts of length one. What is
 * missing contributes zeros for every scene alike.
 */
export function featureVectors(scenes: readonly Describable[]): Float64Array[] {
  const measured = scenes.map((scene) => [
    scene.motion,
    scene.brightness,
    scene.contrast,
    scene.saturation,
    scene.sharpness,
    scene.loudnessLufs === null ? 0 : (scene.loudnessLufs + 70) / 70,
    scene.silenceRatio ?? 0,
    scene.focus.x,
    scene.focus.y,
  ]);
  const width = measured[0]?.length ?? 0;
  const means = Array.from({ length: width }, (_, i) => average(measured.map((row) => row[i] as number)));
  const spreads = means.map((mean, i) =>
    Math.sqrt(average(measured.map((row) => ((row[i] as number) - mean) ** 2))),
  );
  return scenes.map((scene, at) => {
    const vector = new Float64Array(width + 2 * HASHED);
    for (let i = 0; i < width; i++) {
      // Spreads under a hundredth of the scale are measurement noise and are not blown up.
      vector[i] =
        ((measured[at]?.[i] as number) - (means[i] as number)) / Math.max(spreads[i] as number, 0.01);
    }
    hashInto(
      vector,
      width,
      (scene.objects ?? []).map((object) => object.name),
    );
    const said = (scene.words ?? []).map((word) => word.text);
    hashInto(
      vector,
      width + HASHED,
      [...(scene.texts ?? []), ...said].flatMap((text) => text.split(/\s+/)),
    );
    return vector;
  });
}

const average = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Counts of hashed words, scaled to length 2: as much as four measured levels one spread from the mean. */
function hashInto(vector: Float64Array, from: number, words: readonly string[]): void {
  for (const word of words) {
    let hash = 2_166_136_261;
    for (const char of word.toLowerCase())
      hash = Math.imul(hash ^ (char.codePointAt(0) as number), 16_777_619);
    const at = from + ((hash >>> 8) % HASHED);
    vector[at] = (vector[at] as number) + 1;
  }
  let length = 0;
  for (let i = from; i < from + HASHED; i++) length += (vector[i] as number) ** 2;
  if (length === 0) return;
  for (let i = from; i < from + HASHED; i++) vector[i] = (2 * (vector[i] as number)) / Math.sqrt(length);
}

/** −1..1; 1 for two zero vectors (nothing tells them apart), 0 when only one is zero. */
export function cosine(a: Float64Array, b: Float64Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa === 0 || bb === 0) return aa === bb ? 1 : 0;
  return Math.min(1, Math.max(-1, dot / (Math.sqrt(aa) * Math.sqrt(bb))));
}

/** With fewer than two scenes nothing can be compared (spec §4). */
export const DEFAULT_NOVELTY = 0.5;
const NEAREST = 5;

/** 1 − mean cosine to the five nearest other scenes, held within 0..1 (spec §4). */
export function novelty(vectors: readonly Float64Array[]): number[] {
  if (vectors.length < 2) return vectors.map(() => DEFAULT_NOVELTY);
  return vectors.map((own, at) => {
    const nearest = vectors
      .filter((_, other) => other !== at)
      .map((other) => cosine(own, other))
      .toSorted((a, b) => b - a)
      .slice(0, NEAREST);
    return Math.min(1, Math.max(0, 1 - average(nearest)));
  });
}
