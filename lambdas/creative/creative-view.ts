// What did a run make, as its owner sees it?
import * as z from 'zod';
import { RUN_STATUSES, type Run } from '../runtime/runs.ts';
import { GoLive } from './go-live.ts';
import { Published } from './publish-input.ts';
import { usedFallbackScores, type Report } from './report.ts';
import { Forecast, Format } from './types.ts';

/** Addresses of files are good for this long. */
export const FILE_URL_SECONDS = 900;

const File = z.object({
  format: Format,
  width: z.number(),
  height: z.number(),
  durationMs: z.number(),
  sizeBytes: z.number(),
  compliant: z.boolean(),
  /** Good for a quarter of an hour. */
  url: z.string(),
});

const VariationView = z.object({
  variationId: z.string(),
  title: z.string(),
  hook: z.string(),
  /** The council's, 0..100; null below quorum. */
  score: z.number().nullable(),
  approved: z.boolean(),
  forecast: Forecast.optional(),
  files: z.array(File),
  thumbnailUrl: z.string().optional(),
  adId: z.string().optional(),
});

export const CreativeView = z.object({
  runId: z.string(),
  status: z.enum(RUN_STATUSES),
  attempt: z.number(),
  percent: z.number(),
  phase: z.string().optional(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  error: z.object({ name: z.string(), cause: z.string(), state: z.string().optional() }).optional(),
  /** Once there is a report. */
  outcome: z
    .object({
      title: z.string(),
      scenes: z.number(),
      variations: z.array(VariationView),
      /** Paused in the ad account. */
      published: Published.omit({ videos: true }).nullable(),
      goLive: GoLive.nullable(),
      usedFallbackScores: z.boolean(),
    })
    .optional(),
});
export type CreativeView = z.infer<typeof CreativeView>;

/** `sign` makes an address of a key. */
export async function viewOf(
  run: Run,
  report: Report | undefined,
  sign: (key: string) => Promise<string>,
): Promise<CreativeView> {
  const { runId, status, attempt, percent, phase, startedAt, endedAt, error } = run;
  const head = { runId, status, attempt, percent, phase, startedAt, endedAt, error };
  if (report === undefined) return head;
  const { plan, published } = report;
  const variations = plan.variations.map(async ({ id, title, hook }) => {
    const verdict = report.verdicts.list.find((one) => one.variationId === id);
    const rendered = report.rendered.find((one) => one.variationId === id);
    const files = (rendered?.renditions ?? []).map(async ({ key, compliance, ...file }) => ({
      ...file,
      compliant: compliance.passed,
      url: await sign(key),
    }));
    return {
      variationId: id,
      title,
      hook: hook.text,
      score: verdict?.score ?? null,
      approved: verdict?.approved ?? false,
      forecast: report.forecasts.list.find((one) => one.variationId === id),
      files: await Promise.all(files),
      thumbnailUrl: rendered && (await sign(rendered.thumbnailKey)),
      adId: published?.ads.find((ad) => ad.variationId === id)?.adId,
    };
  });
  return {
    ...head,
    outcome: {
      title: plan.title,
      scenes: report.features.list.length,
      variations: await Promise.all(variations),
      published,
      goLive: report.goLive,
      usedFallbackScores: usedFallbackScores(report),
    },
  };
}
