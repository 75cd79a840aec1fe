// Which variations were published together, so that their outcomes can be compared?
import * as z from 'zod';
import { VariationId } from './types.ts';

export const Experiment = z.object({
  tenant: z.string(),
  runId: z.string(),
  accountId: z.string(),
  campaignId: z.string(),
  adSetId: z.string(),
  /** Epoch milliseconds. */
  publishedAt: z.number().int(),
  arms: z.array(z.object({ variationId: VariationId, adId: z.string(), predictedCtr: z.number() })),
});
export type Experiment = z.infer<typeof Experiment>;
