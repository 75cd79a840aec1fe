// Which variations go on, and is a rewritten one forecast anew?
import { describe, expect, it } from 'vitest';
import { predictCtr } from '../../lambdas/creative/ctr-model.ts';
import { PRIOR_MODEL } from '../../lambdas/creative/ctr-prior.ts';
import { withOutlook } from '../../lambdas/creative/forecasting.ts';
import { forecast } from '../../lambdas/creative/oracle.ts';
import type { Model } from '../../lambdas/ports/model/model.ts';
import { reviewPlan } from '../../lambdas/creative/quality.ts';
import { renderSpecs } from '../../lambdas/creative/render-input.ts';
import { launchAim, launchBudgetMinor } from '../../lambdas/creative/launch.ts';
import { creativeRun } from '../support/creative-run.ts';

const run = creativeRun('t');
const predictor = {
  source: 'model',
  modelVersion: '0',
  predict: (subject: string, features: Parameters<typeof predictCtr>[2]) =>
    predictCtr(PRIOR_MODEL, subject, features),
} as const;
const judges = { predictor, model: null, seed: 1 };
const rules = {
  council: { threshold: 85, minimumApproved: 3, maximumDisagreement: 60 },
  forecastBaseline: { roas: 2, ctrPercent: 1 },
};
const [first, ...others] = run.plan.variations;
const [one] = run.forecasts.list;
if (!first || !one) throw new Error('no plan');

describe('the council’s review', () => {
  it('approves the whole default plan of a complete brief, and nobody needs to look', async () => {
    const quality = await reviewPlan(run, rules, judges);
    expect(quality.approved).toEqual(run.plan.variations.map(({ id }) => id));
    expect(quality.reviewReasons).toEqual([]);
    for (const { score } of quality.verdicts.list) expect(score).toBeGreaterThanOrEqual(85);
  });

  it('forecasts a rewritten variation anew, under its new id', async () => {
    const flawed = {
      ...first,
      hook: { type: 'urgency' as const, text: 'Hurry, only 5 left' },
      primaryText: '97% agree',
      shots: first.shots.map((shot) => ({ ...shot, textOverlay: '' })),
    };
    const quality = await reviewPlan(
      { ...run, plan: { ...run.plan, variations: [flawed, ...others] } },
      rules,
      judges,
    );
    const ids = quality.plan.variations.map(({ id }) => id);
    expect(ids[0]).not.toBe(flawed.id);
    expect(quality.forecasts.list.map(({ variationId }) => variationId)).toEqual(ids);
    expect(quality.verdicts.list.map(({ variationId }) => variationId)).toEqual(ids);
  });

  it('judges three variations side by side, and keeps their order', async () => {
    let running = 0;
    let most = 0;
    const slow = {
      async complete({ schema, system }: { schema: { parse(value: unknown): unknown }; system: string }) {
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        const items = [...system.matchAll(/(\w+) \(0 to (\d+)\)/g)].map(([, item, max]) => ({
          item,
          points: Number(max),
          note: '',
        }));
        return schema.parse({ items });
      },
    } as unknown as Model;
    const quality = await reviewPlan(run, rules, { ...judges, model: slow });
    expect(quality.verdicts.list.map(({ variationId }) => variationId)).toEqual(
      run.plan.variations.map(({ id }) => id),
    );
    // Three judges each.
    expect(most).toBe(9);
  });

  it('asks a person when too few are left, and keeps a variation only once', async () => {
    const twice = { ...run, plan: { ...run.plan, variations: [first, first] } };
    const quality = await reviewPlan(twice, rules, judges);
    expect(quality.approved).toEqual([first.id]);
    expect(quality.reviewReasons).toEqual([expect.stringMatching(/Only 1 of 1/)]);
  });
});

describe('a forecast', () => {
  it('moves return with click-through, its interval too', () => {
    const at = (probability: number) =>
      forecast(
        first,
        run.features.list,
        { ...one.ctr, probability, low: probability / 2, high: probability * 2 },
        rules.forecastBaseline,
      );
    expect(at(0.01).roas).toEqual({ expected: 2, low: 1, high: 4 });
    expect(at(0.02).roas).toEqual({ expected: 4, low: 2, high: 8 });
  });

  it('takes a model’s view of the aspects of the variations it named, and no money from it', () => {
    const view = { hook: 10, callToAction: 10, engagement: 10, conversion: 10, reason: 'strong' };
    const [mine, next] = withOutlook(run.forecasts.list, {
      forecasts: [{ ...view, variationId: one.variationId }],
    });
    expect(mine).toMatchObject({ score: 100, forecastBy: 'model', roas: one.roas, ctr: one.ctr });
    expect(mine?.reasons.at(-1)).toBe('strong');
    expect(next).toEqual(run.forecasts.list[1]);
  });
});

describe('the specs of a render', () => {
  const input = { ...run, variations: [first.id] };
  it('carry focus and heard words of each shot, and are the same every time', () => {
    const [spec] = renderSpecs(input, 'draft');
    expect(renderSpecs(input, 'draft')).toEqual([spec]);
    expect(spec?.shots).toHaveLength(first.shots.length);
    const said = run.features.list.map((scene) => ({
      ...scene,
      words: [{ text: scene.id, startMs: scene.startMs, endMs: scene.startMs + 100, confidence: 1 }],
    }));
    const [heard] = renderSpecs({ ...input, features: { list: said } }, 'draft');
    expect(heard?.shots[0]?.words?.map(({ text }) => text)).toEqual([first.shots[0]?.sceneId]);
  });
  it('refuse a variation or a scene that is not there', () => {
    expect(() => renderSpecs({ ...input, variations: ['v-000000000000'] }, 'draft')).toThrow(
      /has no variation/,
    );
    expect(() => renderSpecs({ ...input, features: { list: [] } }, 'draft')).toThrow(
      /which the video does not have/,
    );
  });
});

describe('a launch', () => {
  const account = { currency: 'USD' } as Parameters<typeof launchBudgetMinor>[0];
  const live = { currency: 'USD', minDailyBudget: { amountMinor: 100, currency: 'USD' } } as Parameters<
    typeof launchBudgetMinor
  >[2];
  it('aims at sales with a pixel and at page views without', () => {
    expect(launchAim({ ...account, pixelId: '1' })).toEqual({ objective: 'sales', goal: 'conversions' });
    expect(launchAim(account)).toEqual({ objective: 'traffic', goal: 'landing-page-views' });
  });
  it('takes the account’s budget before the tenant’s, from the platform’s minimum on, in one currency', () => {
    expect(launchBudgetMinor(account, { dailyBudgetMinor: 100 }, live)).toBe(100);
    expect(launchBudgetMinor({ ...account, dailyBudgetMinor: 700 }, { dailyBudgetMinor: 100 }, live)).toBe(
      700,
    );
    expect(() => launchBudgetMinor(account, { dailyBudgetMinor: 99 }, live)).toThrow(/below the platform/);
    expect(() => launchBudgetMinor(account, { dailyBudgetMinor: 100 }, { ...live, currency: 'EUR' })).toThrow(
      /EUR/,
    );
  });
});
