// What may a tenant choose, within which bounds, and what holds until they do?
import * as z from 'zod';
import { currencyExponent } from './money.ts';

const Currency = z.string().refine((code) => isCurrency(code), 'is not an ISO 4217 currency code');
const TimeZone = z
  .string()
  .refine((zone) => isTimeZone(zone), 'is not an IANA time zone such as Europe/Berlin');
const SecretRef = z
  .string()
  .regex(/^tenants\/[a-z0-9-]+\/[a-z0-9-]+$/, 'is not a secret reference such as tenants/acme/meta');
const count = (low: number, high: number, usual: number) =>
  z.number().int().min(low).max(high).default(usual);

export const AdAccount = z.strictObject({
  /** Digits, without `act_`. */
  id: z.string().regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)'),
  currency: Currency,
  timeZone: TimeZone,
  /** Page that the ads speak for. */
  pageId: z.string().regex(/^\d{5,20}$/, 'is not a page id (digits)'),
  secret: SecretRef,
  /** Counts what people do on the advertiser's site; with one, launches aim at sales. */
  pixelId: z
    .string()
    .regex(/^\d{5,20}$/, 'is not a pixel id (digits)')
    .optional(),
  conversionEvent: z.string().max(60).default('PURCHASE'),
  /** Where launches are shown, ISO 3166 alpha-2. */
  countries: z.array(z.string().length(2)).min(1).max(50).default(['US']),
  ageMin: z.number().int().min(18).max(65).default(18),
  ageMax: z.number().int().min(18).max(65).default(65),
  /** Legally special subjects (`HOUSING`, `CREDIT`, `EMPLOYMENT`). */
  specialAdCategories: z.array(z.string().max(40)).max(5).default([]),
  /** Of a new launch, minor units of the account's currency; the tenant's own when absent. */
  dailyBudgetMinor: z.number().int().min(100).max(100_000_000).optional(),
  /** When the secret's token ends, as the vendor said on connecting; /health warns before. */
  tokenExpiresAt: z.iso.datetime().optional(),
});
export type AdAccount = z.infer<typeof AdAccount>;

export const Settings = z.strictObject({
  niche: z.string().max(80).default('general'),
  currency: Currency.default('USD'),
  timeZone: TimeZone.default('UTC'),
  /** The first one is used when a request names none. */
  adAccounts: z.array(AdAccount).max(20).default([]),
  /** Vendor → secret reference. */
  connections: z
    .strictObject({ drive: SecretRef.optional(), hubspot: SecretRef.optional(), slack: SecretRef.optional() })
    .default({}),
  hubspotPortalIds: z
    .array(z.string().regex(/^\d{1,20}$/, 'is not a portal id (digits)'))
    .max(10)
    .default([]),
  /** Each new video in one of these becomes ads for the brief. */
  driveFolders: z
    .array(
      z.strictObject({ id: z.string().regex(/^[\w-]{3,128}$/), brief: z.record(z.string(), z.unknown()) }),
    )
    .max(10)
    .default([]),
  council: z
    .strictObject({
      /** Approved at this score or above, 0..100. */
      threshold: z.number().min(0).max(100).default(85),
      /** Points between the highest and the lowest judge beyond which a person decides. */
      maximumDisagreement: z.number().min(0).max(100).default(40),
      minimumApproved: count(1, 10, 3),
    })
    .prefault({}),
  /** What the account usually does; forecasts start from it. */
  forecastBaseline: z
    .strictObject({
      roas: z.number().positive().max(100).default(1),
      ctrPercent: z.number().positive().max(100).default(1),
    })
    .prefault({}),
  /** Minor units of `currency`. */
  dailyBudgetMinor: count(100, 100_000_000, 2_000),
  limits: z.strictObject({ runsPerDay: count(1, 10_000, 100), openRuns: count(1, 1_000, 20) }).prefault({}),
  /** `held`: a person approves each launch. */
  goLive: z.enum(['held', 'auto']).default('held'),
  /** May patterns learned here help other tenants? */
  crossLearning: z.boolean().default(false),
});
export type Settings = z.infer<typeof Settings>;

function isCurrency(code: string): boolean {
  try {
    currencyExponent(code);
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
