// Is one variation by itself the same file that its group would have made?
import { beforeAll, describe, expect, it } from 'vitest';
import { task as renderGroup } from '../../lambdas/creative/render-group.task.ts';
import { task } from '../../lambdas/creative/render-single.task.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { renderInput } from '../support/rendering.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip(await rig.file('clip.mp4'), { hasAudio: false });
});

async function singleOf(job: Job, index = 0) {
  const input = await renderInput(rig, job, clip);
  return { ...input, variations: [input.plan.variations[index]?.id ?? ''] };
}
const keys = async (job: Job) => (await rig.media.list(`${job.tenant}/renders/`)).map(({ key }) => key);
const kinds = async (job: Job) => (await keys(job)).map((key) => key.split('.').at(-1) ?? '').toSorted();

describe('RenderSingle', () => {
  it('renders the one under the key of its group, is complete with the last object, and belongs to one tenant', async () => {
    const job = await rig.job();
    const input = await singleOf(job);
    rig.cloud.faults.add({
      service: 's3',
      operation: 'PutObject',
      resource: '.jpg',
      when: 'before',
      effect: { kind: 'error', code: 'InternalError', status: 500 },
      times: 1,
    });
    await expect(job.run(task, input)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await kinds(job)).toEqual(['mp4']);

    const output = await job.run(task, input);
    expect(output).toMatchObject({
      rendered: [
        { variationId: input.variations[0], renditions: [{ format: '1:1', width: 1080, height: 1080 }] },
      ],
      failed: [],
    });
    expect(await rig.media.head(output.rendered[0]?.renditions[0]?.key ?? '')).toMatchObject({
      contentType: 'video/mp4',
      sizeBytes: output.rendered[0]?.renditions[0]?.sizeBytes,
    });
    expect(await kinds(job)).toEqual(['jpg', 'json', 'mp4']);

    await rig.media.delete(input.video.key);
    expect(await job.run(renderGroup, input)).toEqual(output);
    expect(await job.run(task, input)).toEqual(output);

    const other = await rig.job();
    const theirs = await singleOf(other);
    await rig.media.delete(theirs.video.key);
    await expect(other.run(task, theirs)).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(await keys(other)).toEqual([]);
  });

  it('refuses a variation that is not in the plan, and none at all', async () => {
    const job = await rig.job();
    const input = await singleOf(job);
    await expect(job.run(task, { ...input, variations: ['v-ffffffffffff'] })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The plan has no variation v-ffffffffffff.',
    });
    await expect(job.run(task, { ...input, variations: [] })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'variations',
    });
  });
});
