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

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day such as 22:00');
const Minor = z.number().int().positive().max(1e12);

/** What may be done to live ads without asking. Money is in minor units of the account's currency. */
export const ChangeSettings = z.strictObject({
  /** `validate` asks the platform and changes nothing, `shadow` only decides and records. */
  mode: z.enum(['live', 'validate', 'shadow']).default('live'),
  /** Spreads the load; the delay of a change is always the same. */
  jitterSeconds: z
    .strictObject({
      min: z.number().int().min(0).max(300).default(3),
      max: z.number().int().min(0).max(300).default(18),
    })
    .refine(({ min, max }) => min <= max, 'needs min ≤ max')
    .prefault({}),
  /** Budgets are moved by up to this much before every check; nothing needs it. */
  fuzzPercent: z.number().min(0).max(10).default(0),
  /** Nothing is applied in these hours of the account's time zone; `from` later than `to` goes over midnight. */
  quietHours: z
    .array(z.strictObject({ from: TimeOfDay, to: TimeOfDay }))
    .max(5)
    .default([]),
  /** Changes of one account in any rolling hour. */
  perHour: count(1, 200, 15),
  /** Budget edits of one ad set in any rolling hour; Meta blocks the fifth and freezes the ad set for an hour (613/1487632). */
  budgetEditsPerAdSetPerHour: count(1, 20, 4),
  /** Objects that launches may create in any rolling hour (Meta limits ad creation per account: 613/1487225). */
  creationsPerHour: count(10, 2_000, 300),
  /** Share of any quota that the platform reports as used above which nothing is asked of it. */
  usagePercent: z.number().min(10).max(100).default(90),
  velocity: z
    .strictObject({
      percent: z.number().min(1).max(100).default(20),
      windowHours: z.number().min(1).max(24).default(6),
    })
    .prefault({}),
  /** Of an ad set that is active, before its budget or bid is edited: edits are said to start learning anew. */
  learning: z
    .strictObject({
      whenLearning: z.enum(['defer', 'hold', 'proceed']).default('defer'),
      whenUnknown: z.enum(['hold', 'proceed']).default('hold'),
    })
    .prefault({}),
  /** Beyond either a person approves first. */
  approval: z
    .strictObject({
      /** Budget moved, or daily budget set free by an activation. */
      aboveMinor: Minor.default(50_000),
      abovePercent: z.number().positive().max(1_000).default(50),
    })
    .prefault({}),
  /** Currency → daily budgets that nobody may go below or above, beside the platform's own minimum. */
  budgets: z.record(z.string().length(3), z.strictObject({ minMinor: Minor, maxMinor: Minor })).default({}),
  /** Money moved by one run or rule execution, and in one day of the account. */
  blastRadius: z
    .strictObject({ perRunMinor: Minor.default(100_000), perDayMinor: Minor.default(500_000) })
    .prefault({}),
  /** After a person edited something, automation leaves it alone for so long. */
  personCooldownMinutes: z.number().int().min(0).max(10_080).default(60),
});
export type ChangeSettings = z.output<typeof ChangeSettings>;

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
  changes: ChangeSettings.prefault({}),
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
