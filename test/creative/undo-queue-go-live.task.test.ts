// Is every queued activation taken back, and nothing that is already being applied lied about?
import { describe, expect, it } from 'vitest';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import { keepIntents } from '../../lambdas/runtime/intents.ts';
import { task as queueGoLive } from '../../lambdas/creative/queue-go-live.task.ts';
import { task } from '../../lambdas/creative/undo-queue-go-live.task.ts';
import { creativeRun, publishedOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

async function queue(job: Job): Promise<string[]> {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  const { goLive } = await job.run(queueGoLive, { request, plan, forecasts, published: publishedOf(plan) });
  return goLive.changeIds;
}
const undo = (job: Job) => job.run(task, {});
const statuses = async (job: Job, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await openChanges(rig.table('changes')).get(job.tenant, id))?.status));
const experimentOf = (job: Job) => openCreatives(rig.table('creatives')).experiment(job.tenant, job.runId);

describe('UndoQueueGoLive', () => {
  it.each(['held', 'auto'] as const)(
    'cancels all that was queued (%s) and forgets the experiment',
    async (goLive) => {
      const job = await rig.job({ settings: { goLive } });
      const ids = await queue(job);
      expect(await undo(job)).toEqual({ cancelled: 5 });
      expect(await statuses(job, ids)).toEqual(ids.map(() => 'CANCELLED'));
      expect(await openChanges(rig.table('changes')).inStatus(job.tenant, 'CANCELLED')).toHaveLength(5);
      expect(await experimentOf(job)).toBeUndefined();
      expect(await job.intents()).toEqual([]);
      expect(await undo(job)).toEqual({ cancelled: 0 });
    },
  );

  it('succeeds where nothing was queued, or where it was only intended', async () => {
    expect(await undo(await rig.job())).toEqual({ cancelled: 0 });
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
    expect(await undo(job)).toEqual({ cancelled: 0 });
    expect(await job.intents()).toEqual([]);
  });

  it('finds what was queued although the reply was lost', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      resource: 'test-changes',
      when: 'after',
      effect: { kind: 'lost-reply' },
      times: 2,
    });
    await expect(queue(job)).rejects.toBeInstanceOf(Error);
    expect(await openChanges(rig.table('changes')).inStatus(job.tenant, 'HELD')).toHaveLength(5);
    expect(await undo(job)).toEqual({ cancelled: 5 });
  });

  it('stops at a change that is being applied, and leaves the rest to a retry', async () => {
    const job = await rig.job();
    const [first = '', ...rest] = await queue(job);
    const setStatus = (status: string) =>
      rig.table('changes').update({
        Key: { pk: `${job.tenant}#change`, sk: first },
        UpdateExpression: 'SET #status = :status',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':status': status },
      });
    await setStatus('EXECUTING');
    await expect(undo(job)).rejects.toMatchObject({ name: 'Conflict' });
    expect((await statuses(job, [first]))[0]).toBe('EXECUTING');
    expect(await job.intents()).toHaveLength(1);
    await setStatus('HELD');
    expect(await undo(job)).toEqual({ cancelled: 1 + rest.length });
  });

  it('takes back only what a later attempt added to a launch that had succeeded', async () => {
    const job = await rig.job();
    const { request, plan, forecasts } = creativeRun(job.tenant);
    const all = publishedOf(plan);
    const firstTwo = { ...all, ads: all.ads.slice(0, 2) };
    const { goLive: launched } = await job.run(queueGoLive, {
      request,
      plan,
      forecasts,
      published: firstTwo,
    });
    await keepIntents(rig.table('runs'), { tenant: job.tenant, id: job.runId });
    const before = await experimentOf(job);
    const { goLive: added } = await job.run(queueGoLive, { request, plan, forecasts, published: all });
    expect(added.changeIds).toHaveLength(launched.changeIds.length + 1);
    expect((await experimentOf(job))?.arms).toHaveLength(3);

    expect(await undo(job)).toEqual({ cancelled: 1 });
    expect(await statuses(job, launched.changeIds)).toEqual(launched.changeIds.map(() => 'HELD'));
    expect(await experimentOf(job)).toEqual(before);
  });

  it('lets a later attempt queue again what the undo took back, but not what a person cancelled', async () => {
    const job = await rig.job();
    const [first = '', second = '', ...rest] = await queue(job);
    await openChanges(rig.table('changes')).cancel(job.tenant, second, 'Not this one.', rig.clock.now());
    await undo(job);
    expect(await queue(job)).toEqual([first, second, ...rest]);
    expect(await statuses(job, [first, second, ...rest])).toEqual([
      'HELD',
      'CANCELLED',
      ...rest.map(() => 'HELD'),
    ]);
  });

  it('is not overtaken by a straggler: after the undo it can queue nothing', async () => {
    const job = await rig.job();
    const lost = rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      resource: 'test-changes',
      when: 'before',
      effect: { kind: 'throttle' },
      times: 2,
    });
    await expect(queue(job)).rejects.toMatchObject({ name: 'RateLimited' });
    lost.remove();
    const effects = job.effects;
    await effects.begin('go-live', '501', { changeIds: [], experimentBefore: null });
    await undo(job);
    await expect(
      openChanges(rig.table('changes')).transact(effects.guard('go-live', '501')),
    ).rejects.toMatchObject({ name: 'Conflict' });
  });

  it('leaves the same launch of another tenant alone', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await queue(job);
    const theirs = await queue(other);
    await undo(job);
    expect(await statuses(other, theirs)).toEqual(theirs.map(() => 'HELD'));
    expect(await experimentOf(other)).toBeDefined();
  });

  it('retries when the table does not answer', async () => {
    const job = await rig.job();
    const ids = await queue(job);
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      resource: 'test-changes',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
      times: 2,
    });
    await expect(undo(job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await undo(job)).toEqual({ cancelled: ids.length });
  });
});
