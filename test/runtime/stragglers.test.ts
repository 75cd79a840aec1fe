// Does the ad account end as it began when a run is stopped whose function goes on?
import { describe, expect, it } from 'vitest';
import { task as publishCampaign } from '../../lambdas/creative/publish-campaign.task.ts';
import { task as undoPublish } from '../../lambdas/creative/undo-publish.task.ts';
import { openSettlement } from '../../lambdas/runtime/settlement.ts';
import { creativeRun, renderedOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

/** As settle-run does after StopExecution, which ends no function. */
async function settle(job: Job): Promise<void> {
  const attempt = { tenant: job.tenant, runId: job.runId, attempt: 1 };
  const settlement = openSettlement(rig.table('runs'), rig.clock.now);
  await settlement.claim(attempt, 60_000);
  await job.run(undoPublish, {});
  await settlement.settled(attempt);
}

async function publishing(job: Job) {
  const { request, plan } = creativeRun(job.tenant);
  const stored = renderedOf(job.tenant, plan);
  for (const { renditions, bytes } of stored) await rig.media.put(renditions[0]?.key ?? '', bytes);
  const rendered = stored.map(({ bytes: _bytes, ...rest }) => rest);
  return { request, plan, rendered };
}

describe('PublishCampaign of a run that is stopped', () => {
  it.each(['campaign', 'ad-set', 'video'])('while the reply about its %s is under way', async (kind) => {
    const job = await rig.job();
    const before = rig.account();
    let stopped = false;
    const effects = {
      ...job.effects,
      async begin(effect: string, subject: string, details: unknown) {
        const begun = await job.effects.begin(effect, subject, details);
        if (effect === kind && !stopped) {
          stopped = true;
          await settle(job);
        }
        return begun;
      },
    };
    const published = job.run(publishCampaign, await publishing(job), { effects });
    await expect(published).rejects.toMatchObject({
      name: expect.stringMatching(/Conflict|InvalidInput/) as string,
    });
    expect(stopped).toBe(true);
    expect(rig.account()).toBe(before);
  });

  it.each(['campaign', 'ad-set', 'video'])('after its %s, before the next object', async (kind) => {
    const job = await rig.job();
    const before = rig.account();
    let stopped = false;
    const effects = {
      ...job.effects,
      async applied(effect: string, subject: string, result: unknown) {
        await job.effects.applied(effect, subject, result);
        if (effect === kind && !stopped) {
          stopped = true;
          await settle(job);
        }
      },
    };
    const published = job.run(publishCampaign, await publishing(job), { effects });
    await expect(published).rejects.toMatchObject({ name: 'Conflict' });
    expect(stopped).toBe(true);
    expect(rig.account()).toBe(before);
  });

  it('between the undo’s look and its end', async () => {
    const job = await rig.job();
    const before = rig.account();
    let settling: Promise<void> | undefined;
    const goOn = Promise.withResolvers<void>();
    const undo = {
      ...job.effects,
      async undone(effect: string, subject: string) {
        goOn.resolve();
        await published.catch(() => undefined);
        await job.effects.undone(effect, subject);
      },
    };
    const attempt = { tenant: job.tenant, runId: job.runId, attempt: 1 };
    const effects = {
      ...job.effects,
      async begin(effect: string, subject: string, details: unknown) {
        const begun = await job.effects.begin(effect, subject, details);
        await openSettlement(rig.table('runs'), rig.clock.now).claim(attempt, 60_000);
        settling = job.run(undoPublish, {}, { effects: undo }).then(() => undefined);
        await goOn.promise;
        return begun;
      },
    };
    const published = job.run(publishCampaign, await publishing(job), { effects });
    await expect(published).rejects.toMatchObject({ name: 'Conflict' });
    await settling;
    expect(rig.account()).toBe(before);
  });
});
