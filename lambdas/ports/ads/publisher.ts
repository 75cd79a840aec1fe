// What may a publishing run do in an ad account? Create paused objects, read them, delete its own.
import type { CampaignAim, Objective } from './aims.ts';

export type AdObjectKind = 'campaign' | 'ad-set' | 'video' | 'creative' | 'ad';

export interface AdObject {
  kind: AdObjectKind;
  id: string;
  name: string;
  /** Videos and creatives have no delivery status of their own: `none`. */
  status: 'paused' | 'active' | 'archived' | 'none';
}

export interface Money {
  /** Whole minor units of ISO 4217. */
  amountMinor: number;
  currency: string;
}

export interface NewCampaign {
  name: string;
  objective: Objective;
  /** Legally special subjects (`HOUSING`, `CREDIT`, `EMPLOYMENT`, …); none when empty. */
  specialAdCategories: readonly string[];
  /** Given when the campaign shares one budget among its ad sets; otherwise every ad set has its own. */
  dailyBudget?: Money;
}

export interface NewAdSet {
  name: string;
  campaignId: string;
  /** The campaign's objective with a goal that agrees. */
  aim: CampaignAim;
  dailyBudget?: Money;
  /** ISO 3166 alpha-2. */
  countries: readonly string[];
  ageMin: number;
  ageMax: number;
  /** Required by goals that count conversions. */
  pixelId?: string;
  /** Event that counts as a conversion, `PURCHASE` or `LEAD`. */
  conversionEvent?: string;
  /** Who benefits and who pays, shown with ads in the EU. */
  beneficiary?: string;
  payer?: string;
}

export interface NewCreative {
  name: string;
  pageId: string;
  videoId: string;
  thumbnailUrl: string;
  /** Text of the post. */
  primaryText: string;
  headline: string;
  callToAction: 'book_call' | 'download' | 'buy_now' | 'learn_more';
  /** https. */
  landingUrl: string;
}

export interface NewAd {
  name: string;
  adSetId: string;
  creativeId: string;
}

/** The bytes of a video, read in the pieces the vendor asks for. */
export interface VideoBytes {
  sizeBytes: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** `url` must stay readable to the vendor until the video is ready. */
export type VideoSource = { bytes: VideoBytes } | { url: string };

export interface VideoStatus {
  state: 'processing' | 'ready' | 'failed';
  /** The vendor's own picture of it, once ready. */
  thumbnailUrl: string | null;
  /** What the vendor said when processing failed. */
  reason: string | null;
}

export interface AdAccount {
  id: string;
  name: string;
  currency: string;
  /** IANA name. */
  timeZone: string;
  canAdvertise: boolean;
  minDailyBudget: Money;
}

/** One quota as the vendor reported it. */
export interface UsageEntry {
  quota: string;
  /** 0..100 and beyond. */
  percent: number;
  /** Milliseconds until access returns, when the vendor blocks. */
  regainMs: number;
}

export interface Usage {
  entries: readonly UsageEntry[];
  highestPercent: number;
  regainMs: number;
}

/** What `validate` can check without creating anything. */
export type Checkable =
  | { kind: 'campaign'; campaign: NewCampaign }
  | { kind: 'ad-set'; adSet: NewAdSet }
  | { kind: 'ad'; ad: NewAd };

/**
 * Creates everything paused and cannot start, pause or re-budget anything. There is no idempotency key at the vendor: record
 * the intent, then `findByName` before any repeat. Every method throws InvalidInput (the vendor found the request wrong), Refused
 * (credential, permission, policy), RateLimited (`retryAt` when the vendor named a time) or Unavailable (timeout, 5xx,
 * network: the effect may have happened).
 */
export interface Publisher {
  account(): Promise<AdAccount>;
  createCampaign(campaign: NewCampaign): Promise<{ id: string }>;
  createAdSet(adSet: NewAdSet): Promise<{ id: string }>;
  uploadVideo(name: string, source: VideoSource): Promise<{ id: string }>;
  /** Null when there is no such video. */
  videoStatus(id: string): Promise<VideoStatus | null>;
  createCreative(creative: NewCreative): Promise<{ id: string }>;
  createAd(ad: NewAd): Promise<{ id: string }>;
  /** Asks the vendor for its opinion; changes nothing. */
  validate(object: Checkable): Promise<void>;
  /** The object with exactly this name; the oldest if there are several. Deleted ones are not found. */
  findByName(kind: AdObjectKind, name: string): Promise<AdObject | null>;
  /** Null when it does not exist or was deleted. */
  read(kind: AdObjectKind, id: string): Promise<AdObject | null>;
  /** Everything whose name contains the mark (`ownedMark(runId)`), children before parents: the order to delete in. */
  listOwned(mark: string): Promise<AdObject[]>;
  /** Succeeds on what is already gone; false when the vendor knows no such object. */
  remove(kind: AdObjectKind, id: string): Promise<boolean>;
  /** As of the latest answer; null before the first. */
  usage(): Usage | null;
}
