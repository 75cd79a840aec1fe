// Is a file taken away exactly when it is no usable video?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/discard-video.task.ts';
import { requestOf, SHA256 } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();

async function stored(job: Job): Promise<void> {
  await rig.media.put(`uploads/${job.tenant}/video`, 'no video');
  await rig.media.put(`${job.tenant}/sources/${SHA256}`, 'no video');
}
const keys = async (job: Job) =>
  [...(await rig.media.list(`${job.tenant}/`)), ...(await rig.media.list(`uploads/${job.tenant}/`))].map(
    ({ key }) => key,
  );
const discard = (job: Job, error: string, request = requestOf(job.tenant)) =>
  job.run(task, {
    request,
    source: { sha256: SHA256, key: `${job.tenant}/sources/${SHA256}`, sizeBytes: 8 },
    failure: { Error: error, Cause: 'This is not a video file.' },
  });

describe('DiscardVideo', () => {
  it('leaves nothing of a file that is no video, however often it is asked', async () => {
    const job = await rig.job();
    await stored(job);
    expect(await discard(job, 'InvalidInput')).toEqual({ discarded: true });
    expect(await keys(job)).toEqual([]);
    expect(await discard(job, 'InvalidInput')).toEqual({ discarded: true });
  });

  it('takes the files beside the upload away too', async () => {
    const job = await rig.job();
    const sidecars = {
      captionsKey: `uploads/${job.tenant}/sidecar-${job.runId}.vtt`,
      labelsKey: `uploads/${job.tenant}/sidecar-${job.runId}.json`,
    };
    await stored(job);
    for (const key of Object.values(sidecars)) await rig.media.put(key, 'beside it');
    await discard(job, 'InvalidInput', requestOf(job.tenant, { sidecars }));
    expect(await keys(job)).toEqual([]);
  });

  it.each(['Unavailable', 'States.Timeout', 'Runtime.OutOfMemory', 'TypeError'])(
    'keeps the file when the check itself failed (%s)',
    async (error) => {
      const job = await rig.job();
      await stored(job);
      expect(await discard(job, error)).toEqual({ discarded: false });
      expect(await keys(job)).toHaveLength(2);
    },
  );

  it('takes away only what was fetched when there was no upload', async () => {
    const job = await rig.job();
    await stored(job);
    await discard(
      job,
      'InvalidInput',
      requestOf(job.tenant, { source: { kind: 'drive', fileId: 'drive-file' } }),
    );
    expect(await keys(job)).toEqual([`uploads/${job.tenant}/video`]);
  });

  it('refuses to delete another tenant’s upload', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await stored(other);
    await expect(discard(job, 'InvalidInput', requestOf(other.tenant))).rejects.toMatchObject({
      name: 'InvalidInput',
      message: 'The upload belongs to another tenant.',
    });
    expect(await keys(other)).toHaveLength(2);
  });
});
