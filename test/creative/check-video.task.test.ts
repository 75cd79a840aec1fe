// Is a good file described, and is a bad one refused in a sentence that a person understands?
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/check-video.task.ts';
import { makeClip, makeSound, type Clip } from '../support/clip.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
let clip: Clip;
beforeAll(async () => {
  clip = await makeClip(await rig.file('clip.mp4'), { hasAudio: true });
});

async function check(job: Job, bytes: Buffer) {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const source = { sha256, key: `${job.tenant}/sources/${sha256}`, sizeBytes: bytes.length };
  await rig.media.put(source.key, bytes);
  return job.run(task, { source });
}

describe('CheckVideo', () => {
  it('describes a video, the same each time', async () => {
    const job = await rig.job();
    const first = await check(job, clip.bytes);
    expect(first).toEqual({ video: { ...clip.video, key: `${job.tenant}/sources/${clip.sha256}` } });
    expect(await check(job, clip.bytes)).toEqual(first);
  });

  it.each([
    [
      'a letter',
      () => Buffer.from('Dear sir or madam. '.repeat(50)),
      /^This is not a video file, or it is damaged beyond reading\.$/,
    ],
    ['half of it', () => clip.bytes.subarray(0, clip.bytes.length / 2), /^The file is truncated: /],
    ['two bytes', () => Buffer.from('hi'), /^This is not a video file, or it is damaged beyond reading\.$/],
  ])('refuses %s', async (_what, bytes, message) => {
    await expect(check(await rig.job(), bytes())).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses what only sounds', async () => {
    const sound = await makeSound(await rig.file('sound.m4a'));
    await expect(check(await rig.job(), sound)).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The file has no video stream.',
    });
  });

  it('refuses a source that is no longer there', async () => {
    const job = await rig.job();
    const key = `${job.tenant}/sources/${clip.sha256}`;
    await expect(job.run(task, { source: { sha256: clip.sha256, key, sizeBytes: 1 } })).rejects.toMatchObject(
      {
        name: 'InvalidInput',
        message: `The source video ${key} is no longer in the media bucket; upload it again.`,
      },
    );
  });

  it('says nothing of the file when the bucket cannot be read', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 's3',
      operation: 'GetObject',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(check(job, clip.bytes)).rejects.toMatchObject({ name: 'RateLimited' });
  });
});
