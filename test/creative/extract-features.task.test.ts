// Is every scene measured, and does each have its middle frame in the bucket?
import { beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/extract-features.task.ts';
import { openFfmpeg, type Ffmpeg } from '../../lambdas/creative/media/ffmpeg.ts';
import type { Scene, Video } from '../../lambdas/creative/types.ts';
import { makeClip, type Clip } from '../support/clip.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
let clip: Clip;
let mute: Clip;
beforeAll(async () => {
  clip = await makeClip(await rig.file('clip.mp4'), { hasAudio: true });
  mute = await makeClip(await rig.file('mute.mp4'), { hasAudio: false });
});

async function stored(job: Job, { video, bytes, sha256 }: Clip): Promise<Video> {
  const key = `${job.tenant}/sources/${sha256}`;
  await rig.media.put(key, bytes);
  return { ...video, key };
}
/** As the clip was made. */
function scenes({ cutsMs, video }: Clip): { list: Scene[] } {
  const edges = [0, ...cutsMs, video.durationMs];
  return {
    list: edges.slice(1).map((endMs, index) => ({ id: `s0${index + 1}`, startMs: edges[index] ?? 0, endMs })),
  };
}

describe('ExtractFeatures', () => {
  it('measures picture and sound of each scene and keeps a JPEG of each', async () => {
    const job = await rig.job();
    const { list } = (await job.run(task, { video: await stored(job, clip), scenes: scenes(clip) })).measured;
    expect(list.map(({ id, startMs, endMs }) => ({ id, startMs, endMs }))).toEqual(scenes(clip).list);
    for (const scene of list) {
      for (const level of [
        scene.motion,
        scene.brightness,
        scene.contrast,
        scene.saturation,
        scene.sharpness,
      ]) {
        expect(level).toBeGreaterThanOrEqual(0);
        expect(level).toBeLessThanOrEqual(1);
      }
      expect(scene.loudnessLufs).toBeGreaterThan(-40);
      expect(scene.silenceRatio).toBe(0);
      expect(scene.frameKey).toBe(`${job.tenant}/frames/${clip.sha256}/${scene.id}.jpg`);
      const frame = await rig.media.get(scene.frameKey);
      expect(frame?.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    }
    expect(new Set(list.map(({ saturation }) => saturation)).size).toBe(list.length);
    expect((await rig.media.head(list[0]?.frameKey ?? ''))?.contentType).toBe('image/jpeg');
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
    await job.run(task, { video: await stored(job, clip), scenes: scenes(clip) }, { ffmpeg });
    expect(new Set(limits)).toEqual(new Set([570_000]));
    expect(task.ephemeralStorageMb).toBeGreaterThan(2048);
  });

  it('says null, not zero, of sound that a video does not have', async () => {
    const job = await rig.job();
    const { list } = (await job.run(task, { video: await stored(job, mute), scenes: scenes(mute) })).measured;
    expect(list.map(({ loudnessLufs, silenceRatio }) => [loudnessLufs, silenceRatio])).toEqual(
      list.map(() => [null, null]),
    );
  });

  it('is remembered for the tenant’s next run', async () => {
    const job = await rig.job();
    const video = await stored(job, mute);
    const first = await job.run(task, { video, scenes: scenes(mute) });
    await rig.media.delete(video.key);
    const next = await rig.job({ tenant: job.tenant });
    expect(await next.run(task, { video, scenes: scenes(mute) })).toEqual(first);
  });

  it('remembers nothing when a frame could not be kept', async () => {
    const job = await rig.job();
    const video = await stored(job, mute);
    rig.cloud.faults.add({
      service: 's3',
      operation: 'PutObject',
      resource: 's03.jpg',
      when: 'before',
      effect: { kind: 'error', code: 'InternalError', status: 500 },
      // A body that streams from a file is sent once.
      times: 1,
    });
    await expect(job.run(task, { video, scenes: scenes(mute) })).rejects.toMatchObject({
      name: 'Unavailable',
    });
    expect(await rig.media.list(`${job.tenant}/analysis/`)).toEqual([]);
    expect((await job.run(task, { video, scenes: scenes(mute) })).measured.list).toHaveLength(4);
  });

  it('refuses a video that is no longer in the bucket', async () => {
    const job = await rig.job();
    const key = `${job.tenant}/sources/${clip.sha256}`;
    await expect(
      job.run(task, { video: { ...clip.video, key }, scenes: scenes(clip) }),
    ).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});
