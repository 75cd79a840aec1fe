// Does what the last states are given stay below what Step Functions carries, also for a large video?
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sceneCtrFeatures } from '../../lambdas/creative/ctr-features.ts';
import { predictCtr } from '../../lambdas/creative/ctr-model.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { defaultPlan } from '../../lambdas/creative/director.ts';
import { forecastAll } from '../../lambdas/creative/forecasting.ts';
import { rankScenes } from '../../lambdas/creative/media/rank.ts';
import { reviewPlan } from '../../lambdas/creative/quality.ts';
import { Format, type RenderedVariation, type SceneFeatures } from '../../lambdas/creative/types.ts';
import { checkIn, type ClaimStore } from '../../lambdas/runtime/claims.ts';
import { stageConfig } from '../../lib/aws/stages.ts';
import { statesOf } from '../../lib/aws/asl.ts';
import { BRIEF, publishedOf, requestOf, scenesOf, SHA256, videoOf } from '../support/creative-run.ts';

const OWNER = { tenant: 'tenant-of-usual-length', runId: `run-${'0'.repeat(26)}` };
/** Step Functions ends an execution beyond 262,144 bytes of UTF-8; the rest is for the envelope of other fields. */
const MOST_BYTES = 250_000;
const SCENES = 80;
const VARIATIONS = 10;
const definition = readFileSync(
  join(import.meta.dirname, '../../statemachines/creative-generation.asl.json'),
  'utf8',
);
const store: ClaimStore = { getJson: () => Promise.resolve(undefined), putJson: () => Promise.resolve(true) };
const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Four seconds each, twelve words in them, ten objects and three texts seen. */
function largeVideo(): SceneFeatures[] {
  const usual = scenesOf(OWNER.tenant);
  return Array.from({ length: SCENES }, (_, index): SceneFeatures => {
    const like = usual[index % usual.length];
    if (like === undefined) throw new Error('no scene');
    const startMs = index * 4_000;
    const id = `s${String(index + 1).padStart(2, '0')}`;
    return {
      ...like,
      id,
      startMs,
      endMs: startMs + 4_000,
      motion: 0.123_456_789_012 + index / 1_000,
      frameKey: `${OWNER.tenant}/frames/${SHA256}/${id}.jpg`,
      objects: Array.from({ length: 10 }, (__, at) => ({
        name: `Household appliance ${at}`,
        count: at,
        confidence: 0.987_654_321,
      })),
      texts: ['Warm light that follows your day', 'Lumo lamp', 'Only at lumo.example'],
      words: Array.from({ length: 12 }, (__, at) => ({
        text: `sentence${at}`,
        startMs: startMs + at * 300,
        endMs: startMs + at * 300 + 280,
        confidence: 0.987_654_321,
      })),
    };
  });
}

/** What each state leaves, as its task checks it in. */
async function variablesOf(): Promise<Record<string, unknown>> {
  const formats = [...Format.options];
  const request = requestOf(OWNER.tenant, { brief: { ...BRIEF, count: VARIATIONS, formats } });
  const features = { list: largeVideo() };
  const video = videoOf(OWNER.tenant, { durationMs: SCENES * 4_000 });
  const ranked = { list: rankScenes(features.list, { heightPixels: 720 }) };
  const predictor = {
    source: 'model' as const,
    modelVersion: PRIOR_MODEL.version,
    predict: (subject: string, of: Parameters<typeof predictCtr>[2]) => predictCtr(PRIOR_MODEL, subject, of),
  };
  const forecastBaseline = { roas: 2, ctrPercent: 1 };
  const plan = {
    ...defaultPlan({
      brief: request.brief,
      scenes: features.list,
      ranked: ranked.list,
      sourceSha256: SHA256,
    }),
    writtenBy: 'model' as const,
    needsReview: false,
    reasons: [],
  };
  const forecasts = { list: forecastAll(plan.variations, features.list, predictor, forecastBaseline) };
  const reviewed = await reviewPlan(
    { request, video, plan, features, forecasts },
    { council: { threshold: 85, minimumApproved: 3, maximumDisagreement: 40 }, forecastBaseline },
    { predictor, model: null, seed: 1 },
  );
  const rendered = reviewed.plan.variations.map(({ id }): RenderedVariation => ({
    variationId: id,
    thumbnailKey: `${OWNER.tenant}/renders/${id}/${SHA256}.jpg`,
    renditions: formats.map((format) => ({
      format,
      key: `${OWNER.tenant}/renders/${id}/${SHA256}-${format.replace(':', 'x')}.mp4`,
      width: 1080,
      height: 1920,
      durationMs: 15_000,
      sizeBytes: 12_345_678,
      compliance: {
        passed: true,
        checks: Array.from({ length: 12 }, (_, at) => ({
          name: `compliance check ${at}`,
          passed: true,
          detail: 'measured 1080 × 1920 at 30 pictures per second, allowed are 1080 × 1920',
        })),
      },
    })),
  }));
  const groupSize = Number(stageConfig('dev').config.workflows['RenderGroupSize']);
  const groups: unknown[] = [];
  for (let at = 0; at < rendered.length; at += groupSize) {
    const group = { rendered: rendered.slice(at, at + groupSize), failed: [] };
    groups.push(...((await checkIn(group, store, OWNER)) as typeof group).rendered);
  }
  const predictions = {
    list: features.list.map((scene) => predictor.predict(scene.id, sceneCtrFeatures(scene))),
  };
  const found: Record<string, unknown> = { request, video, rendered: groups };
  for (const output of [
    { features, ranked },
    { predictions },
    reviewed,
    { published: publishedOf(reviewed.plan, VARIATIONS) },
    { goLive: { status: 'HELD', changeIds: Array.from({ length: 12 }, () => 'chg-'.padEnd(40, '0')) } },
  ])
    Object.assign(found, await checkIn(output, store, OWNER));
  return found;
}

it.each(['RecordOutcome', 'PublishAds', 'PublishCampaign'])('a large video fits through %s', async (name) => {
  const variables = await variablesOf();
  const state = statesOf(definition).find((one) => one.name === name);
  const input = state?.Arguments?.['input'] as Record<string, string>;
  const carried = Object.fromEntries(
    Object.keys(input).map((field) => {
      expect(variables[field], field).toBeDefined();
      return [field, variables[field]];
    }),
  );
  const bytes = bytesOf({ run: OWNER, state: name, input: carried });
  expect(bytes, JSON.stringify(Object.entries(carried).map(([k, v]) => [k, bytesOf(v)]))).toBeLessThan(
    MOST_BYTES,
  );
  expect(Object.keys(carried).length).toBeGreaterThan(0);
});
