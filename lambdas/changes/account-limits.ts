// How much of its limits has an ad account used?
import * as z from 'zod';
import type { Bucket } from './buckets.ts';

export const AccountLimits = z.object({
  accountId: z.string(),
  currency: z.string(),
  buckets: z.array(
    z.object({
      name: z
        .string()
        .describe('changes-per-hour, budget-edits-per-hour/<id>, creations-per-hour, usage, money-per-day'),
      used: z.number().describe('A count; percent for usage, minor units for money-per-day'),
      limit: z.number(),
      freesAt: z.string().nullable().describe('When less of it is used; null while nothing is'),
    }),
  ),
});

export function limitsView(
  account: { id: string; currency: string },
  buckets: readonly Bucket[],
): z.infer<typeof AccountLimits> {
  return {
    accountId: account.id,
    currency: account.currency,
    buckets: buckets.map(({ name, used, limit, freesAt }) => ({
      name,
      used,
      limit,
      freesAt: freesAt === null ? null : new Date(freesAt).toISOString(),
    })),
  };
}
