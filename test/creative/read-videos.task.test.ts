// Are ads made only of videos that the platform has processed?
import { describe, expect, it } from 'vitest';
import type { Published } from '../../lambdas/creative/publish-input.ts';
import { task } from '../../lambdas/creative/read-videos.task.ts';
import { requestOf } from '../support/creative-run.ts';
import { launchCampaign, PROCESSING_MS } from '../support/launch.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const read = (job: Job, published: Published) => job.run(task, { request: requestOf(job.tenant), published });

describe('ReadVideos', () => {
  it('is processing until the last one is done, and asks without changing anything', async () => {
    const job = await rig.job();
    const published = await launchCampaign(rig, job);
    const before = rig.account();
    expect(await read(job, published)).toEqual({ status: 'processing' });
    expect(rig.account()).toBe(before);
    rig.clock.advance(PROCESSING_MS);
    expect(await read(job, published)).toEqual({ status: 'ready' });
    expect(await read(job, published)).toEqual({ status: 'ready' });
  });

  it('says which one the platform could not process, and why', async () => {
    const job = await rig.job();
    rig.sandbox.meta.fail({
      match: { method: 'POST', path: /\/advideos$/ },
      with: 'fails-later',
      after: 5,
    });
    const published = await launchCampaign(rig, job);
    rig.clock.advance(PROCESSING_MS);
    await expect(read(job, published)).rejects.toMatchObject({
      name: 'Refused',
      message: `The platform could not process the video of ${published.videos[1]?.variationId}: The video file you have selected is in a format that we do not support.`,
    });
  });

  it('says that a video is gone', async () => {
    const job = await rig.job();
    const published = await launchCampaign(rig, job);
    const videos = [{ variationId: published.videos[0]?.variationId ?? '', videoId: '4242' }];
    await expect(read(job, { ...published, videos })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(
        /^The platform could not process the video of v-[0-9a-f]+: it is gone\.$/,
      ) as string,
    });
  });

  it.each([
    ['throttle', 'RateLimited'],
    ['server-error', 'Unavailable'],
    ['expired-token', 'Refused'],
  ] as const)('%s → %s', async (failure, name) => {
    const job = await rig.job();
    const published = await launchCampaign(rig, job);
    rig.sandbox.meta.fail({ with: failure });
    await expect(read(job, published)).rejects.toMatchObject({ name });
  });

  it('reads with the tenant’s own account only', async () => {
    const job = await rig.job();
    const published = await launchCampaign(rig, job);
    const other = await rig.job({ settings: { adAccounts: [] } });
    await expect(read(other, published)).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});
