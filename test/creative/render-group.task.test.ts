// Are the variations of a group real, compliant files in the bucket, and is nothing rendered twice?
import { beforeAll, describe, expect, it } from 'vitest';
import { openFfmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import { probeVideo } from '../../lambdas/creative/media/probe.ts';
import { task } from '../../lambdas/creative/render-group.task.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { renderInput } from '../support/rendering.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip(await rig.file('clip.mp4'), { hasAudio: true });
});

async function groupOf(job: Job, count: number) {
  const input = await renderInput(rig, job, clip);
  return { ...input, variations: input.plan.variations.slice(0, count).map(({ id }) => id) };
}
const keys = async (job: Job) => (await rig.media.list(`${job.tenant}/renders/`)).map(({ key }) => key);

describe('RenderGroup', () => {
  it('leaves a file and a picture of each variation, goes on where it was cut short, and renders nothing twice', async () => {
    const job = await rig.job();
    const input = await groupOf(job, 2);
    const [first = '', second = ''] = input.variations;
    // As a group leaves it that was cut short after its first variation.
    await job.run(task, { ...input, variations: [first] });
    const kept = await keys(job);
    expect(kept.map((key) => key.includes(first))).toEqual([true, true, true]);
    const before = await Promise.all(kept.map((key) => rig.media.head(key)));

    const percents: number[] = [];
    const output = await job.run(task, input, { progress: (percent) => void percents.push(percent) });
    expect(output.failed).toEqual([]);
    expect(output.rendered.map(({ variationId }) => variationId)).toEqual([first, second]);
    expect(await Promise.all(kept.map((key) => rig.media.head(key)))).toEqual(before);
    expect(percents.at(-1)).toBeGreaterThan(90);
    for (const { variationId, renditions, thumbnailKey } of output.rendered) {
      const [rendition, ...others] = renditions;
      expect(others).toEqual([]);
      expect(rendition).toMatchObject({
        format: '1:1',
        width: 1080,
        height: 1080,
        compliance: { passed: true },
      });
      expect(rendition?.key).toMatch(
        new RegExp(`^${job.tenant}/renders/${variationId}/[0-9a-f]{64}-1x1\\.mp4$`),
      );
      const path = await rig.file(`${variationId}.mp4`);
      await rig.media.download(rendition?.key ?? '', path);
      const found = await probeVideo(openFfmpeg(process.env), path);
      expect(found).toMatchObject({
        width: 1080,
        height: 1080,
        hasAudio: true,
        sizeBytes: rendition?.sizeBytes,
      });
      expect(Math.abs(found.durationMs - (rendition?.durationMs ?? 0))).toBeLessThanOrEqual(50);
      expect((await rig.media.get(thumbnailKey))?.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    }
    const [one = '', other = ''] = output.rendered.map(({ renditions }) => renditions[0]?.key ?? '');
    expect(await rig.media.get(one)).not.toEqual(await rig.media.get(other));

    // Neither the source nor the right to write is needed for what is there.
    await rig.media.delete(input.video.key);
    rig.cloud.faults.add({
      service: 's3',
      operation: 'PutObject',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    expect(await job.run(task, input)).toEqual(output);
    expect(await keys(job)).toHaveLength(6);
  });

  it('refuses a variation that is not in the plan, a scene that is not in the video, and a source that is gone', async () => {
    const job = await rig.job();
    const input = await groupOf(job, 1);
    await expect(job.run(task, { ...input, variations: ['v-ffffffffffff'] })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The plan has no variation v-ffffffffffff.',
    });
    await expect(job.run(task, { ...input, features: { list: [] } })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(
        /^Variation v-\w+ cites scene s0\d, which the video does not have\.$/,
      ) as string,
    });
    await rig.media.delete(input.video.key);
    await expect(job.run(task, input)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: `The source video ${input.video.key} is no longer in the media bucket; upload it again.`,
    });
    expect(await keys(job)).toEqual([]);
  });

  it('needs to be told how to render', async () => {
    const job = await rig.job({ env: { RENDER_PRESET: 'fast' } });
    await expect(job.run(task, await groupOf(job, 1))).rejects.toThrow(/RENDER_PRESET is not valid/);
  });
});
