// What do the steps between detection and ranking pass on about a scene?
import * as z from 'zod';
import { MeasuredFeatures, Scene, SceneFeatures, SceneId, Word } from './types.ts';

export const MeasuredScene = Scene.extend({ ...MeasuredFeatures.shape, frameKey: z.string() });
export type MeasuredScene = z.infer<typeof MeasuredScene>;

/** Null where nobody looked. */
export const SceneLabels = z.object({
  id: SceneId,
  objects: SceneFeatures.shape.objects,
  texts: SceneFeatures.shape.texts,
});
export type SceneLabels = z.infer<typeof SceneLabels>;

/** `off`: nobody listens, or there is no sound. `late`: it took too long. Words are null unless `done`. */
export const Transcript = z.object({
  status: z.enum(['off', 'pending', 'done', 'failed', 'late']),
  words: z.array(Word).nullable().default(null),
  /** Of a pending job. */
  job: z
    .object({
      name: z.string(),
      bucket: z.string(),
      mediaKey: z.string(),
      outputKey: z.string(),
      languageCode: z.string(),
    })
    .optional(),
  reason: z.string().optional(),
});
export type Transcript = z.infer<typeof Transcript>;
