// What does a launch consist of, as far as it has been created?
import * as z from 'zod';
import { VariationId } from './types.ts';

export const Published = z.object({
  accountId: z.string(),
  currency: z.string().length(3),
  dailyBudgetMinor: z.number().int().positive(),
  campaignId: z.string(),
  adSetId: z.string(),
  videos: z.array(z.object({ variationId: VariationId, videoId: z.string() })),
  ads: z.array(z.object({ variationId: VariationId, creativeId: z.string(), adId: z.string() })),
});
export type Published = z.infer<typeof Published>;
