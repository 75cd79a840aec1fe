// What does a run of creative-generation hold when its later states begin?
import type * as z from 'zod';
import { defaultPlan } from '../../lambdas/creative/director.ts';
import { forecastAll } from '../../lambdas/creative/forecasting.ts';
import { predictCtr } from '../../lambdas/creative/ctr-model.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { rankScenes } from '../../lambdas/creative/media/rank.ts';
import type { Published } from '../../lambdas/creative/publish-input.ts';
import { CreativeRequest, type CreativeSource } from '../../lambdas/creative/request.ts';
import {
  Brief,
  type BattlePlan,
  type Forecast,
  type RenderedVariation,
  type SceneFeatures,
  type Video,
} from '../../lambdas/creative/types.ts';

export const BRIEF = Brief.parse({
  product: 'Lumo lamp',
  offer: 'Warm light that follows your day',
  audience: 'People who work from home',
  pains: ['tired eyes at night', 'harsh office light'],
  desires: ['calm evenings', 'better sleep'],
  proofPoints: ['Tested in 40 homes'],
  callToAction: 'buy_now',
  landingUrl: 'https://lumo.example/lamp',
});

export const SHA256 = 'ab'.repeat(32);

export function requestOf(
  tenant: string,
  change: Partial<z.input<typeof CreativeRequest>> = {},
): CreativeRequest {
  const source: CreativeSource = { kind: 'upload', key: `uploads/${tenant}/video` };
  return CreativeRequest.parse({ source, brief: BRIEF, ...change });
}

export function videoOf(tenant: string, change: Partial<Video> = {}): Video {
  return {
    sha256: SHA256,
    key: `${tenant}/sources/${SHA256}`,
    sizeBytes: 1_000,
    durationMs: 24_000,
    width: 1280,
    height: 720,
    frameRate: 30,
    codec: 'h264',
    hasAudio: true,
    ...change,
  };
}

/** Six scenes of four seconds that differ in everything a ranking looks at. */
export function scenesOf(tenant: string): SceneFeatures[] {
  return Array.from({ length: 6 }, (_, index): SceneFeatures => ({
    id: `s0${index + 1}`,
    startMs: index * 4_000,
    endMs: (index + 1) * 4_000,
    motion: [0.02, 0.3, 0.1, 0.22, 0.05, 0.15][index] ?? 0,
    brightness: 0.2 + 0.1 * index,
    contrast: 0.7 - 0.1 * index,
    saturation: 0.1 + 0.15 * index,
    sharpness: 0.5 + 0.05 * index,
    loudnessLufs: -20 - index,
    silenceRatio: 0.1 * index,
    focus: { x: 0.3 + 0.1 * index, y: 0.5 },
    objects: [
      { name: ['Lamp', 'Person', 'Desk', 'Dog', 'Window', 'Bed'][index] ?? '', count: 1, confidence: 0.9 },
    ],
    texts: index % 2 === 0 ? ['Lumo'] : [],
    words: [],
    frameKey: `${tenant}/frames/${SHA256}/s0${index + 1}.jpg`,
    missing: [],
  }));
}

export interface CreativeRun {
  request: CreativeRequest;
  video: Video;
  features: { list: SceneFeatures[] };
  ranked: { list: ReturnType<typeof rankScenes> };
  plan: BattlePlan;
  forecasts: { list: z.infer<typeof Forecast>[] };
}

/** As the states before rendering leave it, with the default strategy and the prior model. */
export function creativeRun(tenant: string): CreativeRun {
  const scenes = scenesOf(tenant);
  const ranked = rankScenes(scenes, { heightPixels: 720 });
  const plan: BattlePlan = {
    ...defaultPlan({ brief: BRIEF, scenes, ranked, sourceSha256: SHA256 }),
    writtenBy: 'default-strategy',
    needsReview: false,
    reasons: [],
  };
  const forecasts = forecastAll(
    plan.variations,
    scenes,
    {
      source: 'model',
      modelVersion: PRIOR_MODEL.version,
      predict: (subject, features) => predictCtr(PRIOR_MODEL, subject, features),
    },
    { roas: 2, ctrPercent: 1 },
  );
  return {
    request: requestOf(tenant),
    video: videoOf(tenant),
    features: { list: scenes },
    ranked: { list: ranked },
    plan,
    forecasts: { list: forecasts },
  };
}

/** Bytes and key of each variation's file, for tests that put them into the bucket themselves. */
export function renderedOf(
  tenant: string,
  plan: BattlePlan,
  count = 3,
): (RenderedVariation & { bytes: Buffer })[] {
  return plan.variations.slice(0, count).map(({ id }) => {
    const bytes = Buffer.from(`the video of ${id}`);
    return {
      variationId: id,
      thumbnailKey: `${tenant}/renders/${id}/thumb.jpg`,
      bytes,
      renditions: [
        {
          format: '9:16' as const,
          key: `${tenant}/renders/${id}/hash-9x16.mp4`,
          width: 1080,
          height: 1920,
          durationMs: 15_000,
          sizeBytes: bytes.length,
          compliance: { passed: true, checks: [] },
        },
      ],
    };
  });
}

/** A launch as it stands in no account at all, for tasks that only pass it on. */
export function publishedOf(plan: BattlePlan, count = 3): Published {
  const variations = plan.variations.slice(0, count);
  return {
    accountId: '1010101010101010',
    currency: 'USD',
    dailyBudgetMinor: 2_000,
    campaignId: '501',
    adSetId: '502',
    videos: variations.map(({ id }, index) => ({ variationId: id, videoId: `60${index}` })),
    ads: variations.map(({ id }, index) => ({
      variationId: id,
      creativeId: `70${index}`,
      adId: `80${index}`,
    })),
  };
}
