// What may a person or a trigger ask of creative-generation?
import * as z from 'zod';
import { Brief } from './types.ts';

export const UploadTerms = z.object({
  sizeBytes: z.number().int().positive(),
  contentType: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/, 'is not a media type such as video/mp4'),
  /** SHA-256 of the bytes, base 64. */
  sha256: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'is not a SHA-256 in base 64'),
});
export type UploadTerms = z.infer<typeof UploadTerms>;

export const CreativeSource = z.discriminatedUnion('kind', [
  /** An object that the presigned PUT left below `uploads/<tenant>/`. */
  z.object({
    kind: z.literal('upload'),
    key: z.string().regex(/^uploads\/[\w-]+\/[\w.-]+$/),
    /** What the upload's address was signed for; the object must have this size. */
    announced: UploadTerms.optional(),
  }),
  z.object({ kind: z.literal('url'), url: z.url({ protocol: /^https$/ }).max(2000) }),
  /** A file in the tenant's connected Drive. */
  z.object({ kind: z.literal('drive'), fileId: z.string().regex(/^[\w-]{3,128}$/) }),
  /** A video that an earlier run of the tenant kept, by the hash of its bytes (hex). */
  z.object({ kind: z.literal('known'), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
export type CreativeSource = z.infer<typeof CreativeSource>;

/** The execution's `request`. */
export const CreativeRequest = z.object({
  /** `analyze` stops before anything is rendered. */
  purpose: z.enum(['publish', 'analyze']).default('publish'),
  source: CreativeSource,
  brief: Brief,
  /** Where to publish; the tenant's first ad account when absent. */
  adAccountId: z
    .string()
    .regex(/^\d{5,20}$/)
    .optional(),
  /** What the user knows of the video: WebVTT captions and a list of labels per scene, as objects below uploads/. */
  sidecars: z.object({ captionsKey: z.string().optional(), labelsKey: z.string().optional() }).default({}),
});
export type CreativeRequest = z.infer<typeof CreativeRequest>;
