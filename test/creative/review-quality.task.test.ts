// Do the judges let good plans through, mend or stop bad ones, and call a person when they must?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/review-quality.task.ts';
import { RUBRICS, type RubricName } from '../../lambdas/creative/rubric.ts';
import type { BattlePlan } from '../../lambdas/creative/types.ts';
import { BRIEF, creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const JUDGES = { env: { MODEL_PROVIDER: 'openai' } };

function review(job: Job, change: (plan: BattlePlan) => BattlePlan = (plan) => plan) {
  const { request, video, plan, features, forecasts } = creativeRun(job.tenant);
  return job.run(task, { request, video, plan: change(plan), features, forecasts });
}
const ledger = (job: Job, variationId: string) =>
  rig.table('predictions').get({ pk: `${job.tenant}#prediction#${variationId}`, sk: job.runId });

/** A model that gives every item this share of its points. */
function judgeWith(share: (rubric: RubricName) => number): void {
  rig.sandbox.openai.script(({ system }) => {
    const rubric = (Object.keys(RUBRICS) as RubricName[]).find((name) => system.includes(`by its ${name}`));
    if (rubric === undefined) return undefined;
    return {
      items: RUBRICS[rubric].map(({ item, max }) => ({ item, points: max * share(rubric), note: '' })),
    };
  });
}

describe('ReviewQuality, by rubric', () => {
  it('judges every variation with four judges, approves at the threshold, and repeats itself', async () => {
    const job = await rig.job();
    const reviewed = await review(job);
    expect(reviewed.verdicts.list.map(({ variationId }) => variationId)).toEqual(
      reviewed.plan.variations.map(({ id }) => id),
    );
    for (const { judges, score, approved } of reviewed.verdicts.list) {
      expect(judges.map(({ judge, weight }) => [judge, weight])).toEqual([
        ['creative', 0.4],
        ['psychology', 0.3],
        ['logic', 0.2],
        ['ctr', 0.1],
      ]);
      expect(approved).toBe((score ?? 0) >= 85);
    }
    expect(reviewed.approved.length).toBeGreaterThanOrEqual(3);
    expect(reviewed.reviewReasons).toEqual([]);
    expect(await review(job)).toEqual(reviewed);
  });

  it('mends a dishonest variation, forecasts the new one and writes that down', async () => {
    const job = await rig.job();
    const original = creativeRun(job.tenant).plan.variations[0];
    const reviewed = await review(job, (plan) => ({
      ...plan,
      variations: plan.variations.map((one, index) =>
        index === 0
          ? {
              ...one,
              headline: 'Guaranteed, 100 % proven, hurry',
              primaryText: 'Best lamp. Last chance.',
              hashtags: [],
            }
          : one,
      ),
    }));
    const [mended] = reviewed.plan.variations;
    expect(mended?.id).not.toBe(original?.id);
    expect(`${mended?.headline} ${mended?.primaryText}`).not.toMatch(
      /guarantee|proven|hurry|best|last chance/i,
    );
    expect(reviewed.verdicts.list[0]).toMatchObject({ variationId: mended?.id });
    expect(reviewed.verdicts.list[0]?.rewrites).toBeGreaterThan(0);
    expect(reviewed.forecasts.list[0]?.variationId).toBe(mended?.id);
    expect(await ledger(job, mended?.id ?? '')).toMatchObject({ forecast: reviewed.forecasts.list[0] });
  });

  it('calls a person when the tenant asks for more than the plan reaches', async () => {
    const { reviewReasons, approved } = await review(
      await rig.job({ settings: { council: { threshold: 100 } } }),
    );
    expect(approved).toEqual([]);
    expect(reviewReasons).toEqual([
      `Only 0 of ${BRIEF.count} variations reached the threshold; 3 are needed.`,
    ]);
  });

  it('calls a person for a plan that says it needs one', async () => {
    const { reviewReasons, approved } = await review(await rig.job(), (plan) => ({
      ...plan,
      needsReview: true,
    }));
    expect(approved.length).toBeGreaterThanOrEqual(3);
    expect(reviewReasons).toHaveLength(1);
  });

  it('lets a fallback score judge nobody', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'GetItem',
      resource: 'test-models',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    const { verdicts } = await review(job);
    for (const { judges } of verdicts.list)
      expect(judges.at(-1)).toMatchObject({ judge: 'ctr', score: null, answeredBy: 'nobody' });
  });
});

describe('ReviewQuality, by a model', () => {
  it('approves what the model praises', async () => {
    const job = await rig.job(JUDGES);
    judgeWith(() => 1);
    const { verdicts, approved } = await review(job);
    expect(approved).toHaveLength(BRIEF.count);
    expect(verdicts.list[0]?.judges.slice(0, 3).map(({ answeredBy, score }) => [answeredBy, score])).toEqual([
      ['model', 100],
      ['model', 100],
      ['model', 100],
    ]);
  });

  it('calls a person when judges are far apart', async () => {
    const job = await rig.job(JUDGES);
    judgeWith((rubric) => (rubric === 'logic' ? 0.45 : 1));
    const { reviewReasons } = await review(job);
    expect(reviewReasons.join(' ')).toMatch(/The judges differ by more than 40 points on v-[0-9a-f]{12}/);
  });

  it('goes on without a judge that says nothing', async () => {
    const job = await rig.job(JUDGES);
    rig.sandbox.openai.script(({ system }) => {
      const rubric = (Object.keys(RUBRICS) as RubricName[]).find((name) => system.includes(`by its ${name}`));
      if (rubric === undefined || rubric === 'logic') return { nothing: true };
      return { items: RUBRICS[rubric].map(({ item, max }) => ({ item, points: max, note: '' })) };
    });
    const { verdicts, approved } = await review(job);
    expect(approved).toHaveLength(BRIEF.count);
    expect(verdicts.list[0]?.judges.map(({ answeredBy }) => answeredBy)).toEqual([
      'model',
      'model',
      'nobody',
      'ctr-model',
    ]);
  });

  it.each(['expired-token', 'server-error'] as const)(
    'fails when the model judged nothing at all (%s): the state machine asks again, then the rubrics',
    async (failure) => {
      const job = await rig.job(JUDGES);
      rig.sandbox.openai.fail({ with: failure, times: 1_000 });
      await expect(review(job)).rejects.toMatchObject({
        name: 'Unavailable',
        message: expect.stringMatching(
          /^The model judged none of 5 variations: (Refused|Unavailable): /,
        ) as string,
      });
    },
  );

  it('fails when the stage names no model', async () => {
    const job = await rig.job({ env: { MODEL_PROVIDER: 'openai', MODEL_NAME: '' } });
    await expect(review(job)).rejects.toThrow(/MODEL_NAME is not set/);
  });
});
