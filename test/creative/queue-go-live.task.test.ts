// Are all activations of a launch queued together, once, and held unless the tenant chose otherwise?
import { describe, expect, it } from 'vitest';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import { task } from '../../lambdas/creative/queue-go-live.task.ts';
import { creativeRun, publishedOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

function queue(job: Job) {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  return job.run(task, { request, plan, forecasts, published: publishedOf(plan) });
}
const changes = () => openChanges(rig.table('changes'));
const waiting = async (job: Job) => [
  ...(await changes().inStatus(job.tenant, 'HELD')),
  ...(await changes().inStatus(job.tenant, 'PENDING')),
];
const experimentOf = (job: Job) => openCreatives(rig.table('creatives')).experiment(job.tenant, job.runId);

describe('QueueGoLive', () => {
  it('holds one activation each of campaign, ad set and ads, parents first', async () => {
    const job = await rig.job();
    const { plan, forecasts } = creativeRun(job.tenant);
    const { goLive } = await queue(job);
    expect(goLive.status).toBe('HELD');
    expect(goLive.changeIds).toHaveLength(5);
    const queued = await Promise.all(goLive.changeIds.map((id) => changes().get(job.tenant, id)));
    expect(queued.map((change) => [change?.entity.kind, change?.entity.id])).toEqual([
      ['campaign', '501'],
      ['adset', '502'],
      ['ad', '800'],
      ['ad', '801'],
      ['ad', '802'],
    ]);
    const [campaign, adSet, ...ads] = queued;
    expect(campaign).toMatchObject({
      status: 'HELD',
      kind: 'ACTIVATE',
      from: 'PAUSED',
      to: 'ACTIVE',
      mode: 'live',
      after: [],
      origin: { area: 'creative', id: job.runId },
      notBefore: rig.clock.now(),
      expiresAt: rig.clock.now() + 14 * 86_400_000,
    });
    expect(adSet?.after).toEqual([campaign?.id]);
    for (const [index, ad] of ads.entries()) {
      expect(ad?.after).toEqual([adSet?.id]);
      expect(ad?.evidence).toMatchObject({
        variationId: plan.variations[index]?.id,
        predictedCtr: forecasts.list[index]?.ctr.probability,
        ctrSource: 'model',
      });
    }
    expect(await waiting(job)).toHaveLength(5);
  });

  it('ties the variations that were published together into one experiment', async () => {
    const job = await rig.job();
    await queue(job);
    const { plan, forecasts } = creativeRun(job.tenant);
    expect(await experimentOf(job)).toMatchObject({
      tenant: job.tenant,
      runId: job.runId,
      campaignId: '501',
      publishedAt: rig.clock.now(),
      arms: plan.variations.slice(0, 3).map(({ id }, index) => ({
        variationId: id,
        adId: `80${index}`,
        predictedCtr: forecasts.list[index]?.ctr.probability,
      })),
    });
  });

  it('makes them due where the tenant chose so, once the run that queued them has ended', async () => {
    const job = await rig.job({ settings: { goLive: 'auto' } });
    expect((await queue(job)).goLive.status).toBe('PENDING');
    expect(await changes().inStatus(job.tenant, 'HELD')).toEqual([]);
    const pending = await changes().inStatus(job.tenant, 'PENDING');
    expect(pending.map(({ notBefore }) => notBefore - rig.clock.now())).toEqual(
      Array.from({ length: 5 }, () => 300_000),
    );
  });

  it('run twice queues nothing twice, and leaves alone what a person has decided meanwhile', async () => {
    const job = await rig.job();
    const first = await queue(job);
    const [, , ad] = first.goLive.changeIds;
    await changes().cancel(job.tenant, ad ?? '', 'Not this one.', rig.clock.now());
    const before = await Promise.all(first.goLive.changeIds.map((id) => changes().get(job.tenant, id)));
    rig.clock.advance(60_000);
    expect(await queue(job)).toEqual(first);
    expect(await Promise.all(first.goLive.changeIds.map((id) => changes().get(job.tenant, id)))).toEqual(
      before,
    );
    expect(await waiting(job)).toHaveLength(4);
  });

  it('writes all or nothing', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      resource: 'test-changes',
      when: 'before',
      effect: { kind: 'throttle' },
      times: 2,
    });
    await expect(queue(job)).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await waiting(job)).toEqual([]);
    expect(await experimentOf(job)).toBeUndefined();
    // The intent was there first: an undo finds whatever may have been queued.
    expect(await job.intents()).toMatchObject([
      { effect: 'go-live', subject: '501', status: 'begun', details: { changeIds: { length: 5 } } },
    ]);
    await queue(job);
    expect(await waiting(job)).toHaveLength(5);
    expect(await job.intents()).toMatchObject([{ status: 'applied' }]);
  });

  it('recognises what it queued when the reply was lost', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      resource: 'test-changes',
      when: 'after',
      effect: { kind: 'lost-reply' },
      times: 2,
    });
    const answer = await queue(job).catch((error: unknown) => error);
    expect(answer).toMatchObject({ name: expect.stringMatching(/^(Unavailable|Conflict)$/) as string });
    expect(await waiting(job)).toHaveLength(5);
    expect((await queue(job)).goLive.changeIds).toHaveLength(5);
    expect(await waiting(job)).toHaveLength(5);
  });

  it('keeps tenants apart, even with the same objects', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    const [mine, theirs] = [await queue(job), await queue(other)];
    expect(mine.goLive.changeIds.filter((id) => theirs.goLive.changeIds.includes(id))).toEqual([]);
    expect(await waiting(job)).toHaveLength(5);
    expect(await changes().get(other.tenant, mine.goLive.changeIds[0] ?? '')).toBeUndefined();
  });

  it('refuses a launch without a budget', async () => {
    const job = await rig.job();
    const { request, plan, forecasts } = creativeRun(job.tenant);
    const published = { ...publishedOf(plan), dailyBudgetMinor: 0 };
    await expect(job.run(task, { request, plan, forecasts, published })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'published.dailyBudgetMinor',
    });
  });
});
