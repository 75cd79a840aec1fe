// Are the cuts found where they are, without gap or overlap, and looked for once per tenant?
import { beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/detect-scenes.task.ts';
import { openFfmpeg, type Ffmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import type { Video } from '../../lambdas/creative/types.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const FRAME_MS = 40;
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip(await rig.file('clip.mp4'), { hasAudio: true });
});

async function stored(job: Job): Promise<Video> {
  const video = { ...clip.video, key: `${job.tenant}/sources/${clip.sha256}` };
  await rig.media.put(video.key, clip.bytes);
  return video;
}

describe('DetectScenes', () => {
  it('finds every cut within two frames, and its scenes partition the video', async () => {
    const job = await rig.job();
    const { scenes } = await job.run(task, { video: await stored(job) });
    const { list } = scenes;
    expect(list.map(({ id }) => id)).toEqual(['s01', 's02', 's03', 's04']);
    expect(list[0]?.startMs).toBe(0);
    expect(list.at(-1)?.endMs).toBe(clip.video.durationMs);
    list.slice(1).forEach(({ startMs }, index) => {
      expect(startMs).toBe(list[index]?.endMs);
      expect(Math.abs(startMs - (clip.cutsMs[index] ?? 0))).toBeLessThanOrEqual(2 * FRAME_MS);
    });
  });

  it('remembers them for the tenant’s next run, and for no other tenant', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    const video = await stored(job);
    const first = await job.run(task, { video });
    await rig.media.delete(video.key);
    const next = await rig.job({ tenant: job.tenant });
    expect(await next.run(task, { video })).toEqual(first);
    await expect(
      other.run(task, { video: { ...video, key: `${other.tenant}/sources/${clip.sha256}` } }),
    ).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('looks again when what it remembers is no longer of today’s shape', async () => {
    const job = await rig.job();
    const video = await stored(job);
    await rig.media.putJson(`${job.tenant}/analysis/${clip.sha256}/scenes-v1.json`, { scenes: 'many' });
    expect((await job.run(task, { video })).scenes.list).toHaveLength(4);
  });

  it('gives ffmpeg less time than the state has', async () => {
    const job = await rig.job();
    const real = openFfmpeg(process.env);
    const limits: (number | undefined)[] = [];
    const ffmpeg: Ffmpeg = {
      locate: real.locate,
      run: (args, options) => {
        limits.push(options?.timeoutMs);
        return real.run(args, options);
      },
    };
    await job.run(task, { video: await stored(job) }, { ffmpeg });
    expect(new Set(limits)).toEqual(new Set([280_000]));
    expect(task.ephemeralStorageMb).toBeGreaterThan(2048);
  });

  it('refuses a video that is no longer in the bucket', async () => {
    const job = await rig.job();
    const key = `${job.tenant}/sources/${clip.sha256}`;
    await expect(job.run(task, { video: { ...clip.video, key } })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: `The source video ${key} is no longer in the media bucket; upload it again.`,
    });
  });
});
