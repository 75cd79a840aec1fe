// What flows through creative-generation, from a video to paused ads?
import * as z from 'zod';

/** Scene ids are `s01`, `s02`, … in time order. */
export const SceneId = z.string().regex(/^s\d{2,4}$/);
/** `v-` and twelve hex digits of the hash of everything that decides the pixels and sound. */
export const VariationId = z.string().regex(/^v-[0-9a-f]{12}$/);

export const HOOK_TYPES = [
  'pattern_interrupt',
  'question',
  'statistic',
  'story',
  'transformation',
  'authority',
  'urgency',
] as const;
export const CTA_TYPES = ['book_call', 'download', 'buy_now', 'learn_more'] as const;
export const CAPTION_STYLES = ['bold', 'karaoke', 'minimal', 'boxed'] as const;
export const GRADES = ['neutral', 'warm', 'cool', 'vivid', 'cinematic', 'mono'] as const;
export const PACES = ['calm', 'steady', 'fast'] as const;
export const TRANSITIONS = ['cut', 'fade', 'wipeleft', 'slideup', 'circleopen', 'dissolve'] as const;
export const TEMPLATES = ['hook_problem_solution', 'before_after', 'demo', 'story', 'list'] as const;
/** Width × height of each rendition; a rendition is not a variation. */
export const FORMATS = {
  '9:16': { width: 1080, height: 1920 },
  '1:1': { width: 1080, height: 1080 },
  '4:5': { width: 1080, height: 1350 },
  '16:9': { width: 1920, height: 1080 },
} as const;
export const Format = z.enum(['9:16', '1:1', '4:5', '16:9']);
export type Format = z.infer<typeof Format>;

/** What the advertiser says. Claims may only come from here. */
export const Brief = z.object({
  product: z.string().min(1).max(120),
  offer: z.string().min(1).max(200),
  audience: z.string().min(1).max(200),
  pains: z.array(z.string().min(1).max(160)).max(10).default([]),
  desires: z.array(z.string().min(1).max(160)).max(10).default([]),
  /** Verifiable statements the advertiser vouches for; the only source of numbers and proof. */
  proofPoints: z.array(z.string().min(1).max(200)).max(10).default([]),
  tone: z.enum(['friendly', 'expert', 'bold', 'calm']).default('friendly'),
  callToAction: z.enum(CTA_TYPES).default('learn_more'),
  landingUrl: z.url({ protocol: /^https$/ }),
  /** How many variations to make. */
  count: z.number().int().min(5).max(10).default(5),
  /** Target length of one ad. */
  durationSeconds: z.number().int().min(3).max(90).default(15),
  formats: z.array(Format).min(1).default(['9:16']),
  /** ISO 639-1, with a region where it matters: `en`, `pt-BR`. */
  language: z
    .string()
    .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'is not a language such as en or en-US')
    .default('en'),
});
export type Brief = z.infer<typeof Brief>;

export const Video = z.object({
  /** SHA-256 of the bytes, hex: the same video of the same tenant is the same creative. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** S3 key `<tenant>/sources/<sha256>`. */
  key: z.string(),
  sizeBytes: z.number().int().positive(),
  durationMs: z.number().int().positive(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  /** Average, frames per second. */
  frameRate: z.number().positive(),
  codec: z.string(),
  hasAudio: z.boolean(),
});
export type Video = z.infer<typeof Video>;

/** [startMs, endMs): scenes partition the video without gap or overlap. */
export const Scene = z.object({
  id: SceneId,
  startMs: z.number().int().min(0),
  endMs: z.number().int().positive(),
});
export type Scene = z.infer<typeof Scene>;

export const Word = z.object({
  text: z.string().max(200),
  startMs: z.number().int(),
  endMs: z.number().int(),
  confidence: z.number(),
});
export type Word = z.infer<typeof Word>;

/** Measured from pixels and samples in one decode pass. Levels are 0..1. */
export const MeasuredFeatures = z.object({
  motion: z.number(),
  brightness: z.number(),
  contrast: z.number(),
  saturation: z.number(),
  sharpness: z.number(),
  /** Integrated loudness, LUFS; null without audio. */
  loudnessLufs: z.number().nullable(),
  /** Share of the scene that is silent; null without audio. */
  silenceRatio: z.number().nullable(),
  /** Where the movement is, 0..1 of width and height; the smart crop follows it. */
  focus: z.object({ x: z.number(), y: z.number() }),
});
export type MeasuredFeatures = z.infer<typeof MeasuredFeatures>;

/** A field that was not available is null and named in `missing`: never zero. */
export const SceneFeatures = Scene.extend({
  ...MeasuredFeatures.shape,
  objects: z
    .array(z.object({ name: z.string(), count: z.number().int(), confidence: z.number() }))
    .nullable(),
  texts: z.array(z.string()).nullable(),
  words: z.array(Word).nullable(),
  /** S3 key of the scene's middle frame (JPEG). */
  frameKey: z.string(),
  missing: z.array(z.enum(['objects', 'texts', 'words', 'audio'])),
});
export type SceneFeatures = z.infer<typeof SceneFeatures>;

export const ScorePart = z.object({ value: z.number().min(0).max(1), weight: z.number().min(0).max(1) });
export const RankedScene = z.object({
  sceneId: SceneId,
  rank: z.number().int().positive(),
  /** 0..1: weighted over the parts that are present, weights renormalised to 1. */
  score: z.number().min(0).max(1),
  parts: z.record(z.string(), ScorePart),
  missing: z.array(z.string()),
  /** Set when the scene is nearly the same as a better one. */
  duplicateOf: SceneId.nullable(),
});
export type RankedScene = z.infer<typeof RankedScene>;

export const CtrPrediction = z.object({
  /** A scene id or a variation id. */
  subject: z.string(),
  probability: z.number().min(0).max(1),
  low: z.number().min(0).max(1),
  high: z.number().min(0).max(1),
  modelVersion: z.string(),
  /** Fallback scores are excluded from accuracy later. */
  source: z.enum(['model', 'fallback']),
});
export type CtrPrediction = z.infer<typeof CtrPrediction>;

export const PlannedShot = z.object({
  sceneId: SceneId,
  /** Part of the scene that is used. */
  startMs: z.number().int().min(0),
  endMs: z.number().int().positive(),
  role: z.enum(['hook', 'problem', 'solution', 'proof', 'cta']),
  textOverlay: z.string().max(80),
  transition: z.enum(TRANSITIONS),
});
export type PlannedShot = z.infer<typeof PlannedShot>;

export const Variation = z.object({
  id: VariationId,
  title: z.string().max(120),
  hook: z.object({ type: z.enum(HOOK_TYPES), text: z.string().min(1).max(38) }),
  template: z.enum(TEMPLATES),
  shots: z.array(PlannedShot).min(1).max(12),
  callToAction: z.object({ type: z.enum(CTA_TYPES), text: z.string().min(1).max(30) }),
  captionStyle: z.enum(CAPTION_STYLES),
  grade: z.enum(GRADES),
  pace: z.enum(PACES),
  /** Text of the post. */
  primaryText: z.string().max(500),
  headline: z.string().max(60),
  hashtags: z.array(z.string().regex(/^#\w{1,40}$/)).max(10),
  targetAudience: z.string().max(200),
  emotionalTriggers: z.array(z.string().max(40)).max(8),
});
export type Variation = z.infer<typeof Variation>;

export const BattlePlan = z.object({
  id: z.string(),
  title: z.string().max(120),
  variations: z.array(Variation).min(1).max(10),
  /** Who wrote it: a model, or the default strategy because the model failed or is absent. */
  writtenBy: z.enum(['model', 'default-strategy']),
  /** Set when a failing model forced the default strategy: a person must look. */
  needsReview: z.boolean(),
  reasons: z.array(z.string()),
});
export type BattlePlan = z.infer<typeof BattlePlan>;

export const Forecast = z.object({
  variationId: VariationId,
  /** 0..100 */
  score: z.number().min(0).max(100),
  /** 0..10 each. */
  hook: z.number(),
  callToAction: z.number(),
  engagement: z.number(),
  conversion: z.number(),
  roas: z.object({ expected: z.number(), low: z.number(), high: z.number() }),
  ctr: CtrPrediction,
  reasons: z.array(z.string()),
  forecastBy: z.enum(['model', 'features']),
});
export type Forecast = z.infer<typeof Forecast>;

export const Judge = z.enum(['creative', 'psychology', 'logic', 'ctr']);
export const Verdict = z.object({
  variationId: VariationId,
  /** 0..100, weighted over the judges that answered; null below quorum. */
  score: z.number().nullable(),
  approved: z.boolean(),
  judges: z.array(
    z.object({
      judge: Judge,
      weight: z.number(),
      score: z.number().nullable(),
      /** Rubric item → points. */
      items: z.record(z.string(), z.number()),
      answeredBy: z.enum(['model', 'rubric', 'ctr-model', 'nobody']),
      notes: z.array(z.string()),
    }),
  ),
  /** Highest minus lowest answering judge. */
  disagreement: z.number(),
  rewrites: z.number().int().min(0).max(3),
});
export type Verdict = z.infer<typeof Verdict>;

export const Rendition = z.object({
  format: Format,
  /** S3 key, content-addressed by the render spec: `<tenant>/renders/<variation>/<spec hash>-<format>.mp4`. */
  key: z.string(),
  width: z.number().int(),
  height: z.number().int(),
  durationMs: z.number().int(),
  sizeBytes: z.number().int(),
  compliance: z.object({
    passed: z.boolean(),
    checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
  }),
});
export type Rendition = z.infer<typeof Rendition>;

export const RenderedVariation = z.object({
  variationId: VariationId,
  renditions: z.array(Rendition).min(1),
  thumbnailKey: z.string(),
});
export type RenderedVariation = z.infer<typeof RenderedVariation>;

/** Lists travel inside an object: JSONata turns a bare list of one into its element. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ list: z.array(item) });
}
