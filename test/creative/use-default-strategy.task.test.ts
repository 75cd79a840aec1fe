// Is there a plan when the Director failed, and does a person hear of it?
import { describe, expect, it } from 'vitest';
import { task as draft } from '../../lambdas/creative/draft-battle-plan.task.ts';
import { task } from '../../lambdas/creative/use-default-strategy.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();

function inputOf(tenant: string) {
  const { request, video, features, ranked } = creativeRun(tenant);
  return {
    request,
    video,
    features,
    ranked,
    failure: { Error: 'Refused', Cause: 'The model answered outside the schema.' },
  };
}

describe('UseDefaultStrategy', () => {
  it('writes the plan that is written without a model, and asks for a person', async () => {
    const job = await rig.job();
    const { plan } = await job.run(task, inputOf(job.tenant));
    expect(plan).toMatchObject({
      writtenBy: 'default-strategy',
      needsReview: true,
      reasons: ['The Director failed (Refused), so the default strategy wrote the plan.'],
    });
    const usual = await job.run(draft, inputOf(job.tenant));
    expect(plan.variations).toEqual(usual.plan.variations);
    expect(await job.run(task, inputOf(job.tenant))).toEqual({ plan });
  });

  it('needs no model, table or bucket', async () => {
    const job = await rig.job({ env: { MODEL_PROVIDER: 'openai' } });
    for (const service of ['dynamodb', 's3', 'secretsmanager'] as const)
      rig.cloud.faults.add({ service, when: 'before', effect: { kind: 'throttle' } });
    expect((await job.run(task, inputOf(job.tenant))).plan.variations).toHaveLength(5);
    expect(rig.sandbox.openai.requests).toEqual([]);
  });

  it('refuses a brief without what an ad needs', async () => {
    const job = await rig.job();
    const { request, ...input } = inputOf(job.tenant);
    const unfinished = { ...request, brief: { ...request.brief, offer: '' } };
    await expect(job.run(task, { ...input, request: unfinished })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'request.brief.offer',
    });
  });
});
