// What decides every pixel and sample of one variation, and by which hash is the result found again?
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Format, Variation, Video, Word } from '../types.ts';

/** Raise it whenever the same spec would render different pixels or sound: old outputs then stop matching. */
export const RENDERER_VERSION = 1;

/** Where to look in the source frame, 0..1 of its width and height, `atMs` after the shot's start. */
export const FocusPoint = z.object({
  atMs: z.number().int().min(0),
  x: z.number().min(0).max(1),
  y: z.number().min(0).max(1),
});
export type FocusPoint = z.infer<typeof FocusPoint>;

/** Beside the planned shot of the same index: what was measured and heard there. */
export const RenderShot = z.object({
  /** In time order. One point is a still frame, several are followed. */
  focus: z.array(FocusPoint).min(1).max(64),
  /** Spoken words in source time; null when nobody transcribed, and the plan's text is shown instead. */
  words: z.array(Word).max(2000).nullable(),
});
export type RenderShot = z.infer<typeof RenderShot>;

export const Music = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('generated'), mood: z.enum(['bright', 'warm', 'driving']) }),
  /** S3 key of the advertiser's own track. */
  z.object({ kind: z.literal('asset'), key: z.string().min(1) }),
]);
export type Music = z.infer<typeof Music>;

export const RenderSpec = z
  .object({
    variation: Variation,
    source: Video.pick({
      key: true,
      sha256: true,
      width: true,
      height: true,
      durationMs: true,
      frameRate: true,
      hasAudio: true,
    }),
    shots: z.array(RenderShot).min(1).max(12),
    formats: z.array(Format).min(1),
    /** `final` is what is published; `draft` has the same frames and length, encoded fast. */
    preset: z.enum(['final', 'draft']).default('final'),
    music: Music.nullable(),
    /** S3 key of a PNG. */
    logo: z.string().min(1).nullable().default(null),
    /** S3 key of a spoken track that starts with the ad: the slot that a voice generator fills. */
    voiceOver: z.string().min(1).nullable().default(null),
    /** EBU R128 integrated loudness of the finished ad: -14 social, -16 podcast, -23 broadcast. */
    loudnessLufs: z.number().min(-30).max(-10).default(-14),
    /** Chooses what nobody planned (key and rhythm of the generated music). */
    seed: z.number().int().min(0).max(0xffffffff),
  })
  .superRefine((spec, context) => {
    if (spec.shots.length !== spec.variation.shots.length)
      context.addIssue({ code: 'custom', path: ['shots'], message: 'needs one entry per planned shot' });
    spec.variation.shots.forEach((shot, index) => {
      if (shot.endMs > spec.source.durationMs || shot.endMs - shot.startMs < MIN_SHOT_MS)
        context.addIssue({
          code: 'custom',
          path: ['variation', 'shots', index],
          message: `must be at least ${MIN_SHOT_MS} ms of the ${spec.source.durationMs} ms source`,
        });
    });
  });
export type RenderSpec = z.infer<typeof RenderSpec>;

/** A shot shorter than this cannot hold a transition. */
export const MIN_SHOT_MS = 200;

/** JSON with sorted keys: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/**
 * The content address of a rendition (hex SHA-256), to be combined with the format. Left out is what no pixel or sample
 * depends on: the post's text, the source's place (its own hash stays), and which other formats are made along with it.
 */
export function specHash(spec: RenderSpec): string {
  const { formats: _formats, source, variation, ...rest } = spec;
  const { key: _key, ...pixels } = source;
  const { hook, template, shots, callToAction, captionStyle, grade, pace } = variation;
  const drawn = {
    hook: hook.text,
    template,
    shots,
    callToAction: callToAction.text,
    captionStyle,
    grade,
    pace,
  };
  return createHash('sha256')
    .update(canonicalJson({ version: RENDERER_VERSION, ...rest, source: pixels, variation: drawn }))
    .digest('hex');
}
