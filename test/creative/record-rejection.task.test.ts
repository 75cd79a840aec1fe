// Does a run whose plan nobody approved end as rejected, once, and is that told?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/record-rejection.task.ts';
import { creativeRun, requestOf } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const REASONS = ['Only 0 of 5 variations reached the threshold; 3 are needed.'];
const sidecarsOf = ({ tenant, runId }: Job) => ({
  captionsKey: `uploads/${tenant}/sidecar-${runId}.vtt`,
  labelsKey: `uploads/${tenant}/sidecar-${runId}.json`,
});
const reject = (job: Job, request = requestOf(job.tenant, { sidecars: sidecarsOf(job) })) =>
  job.run(task, { request, plan: creativeRun(job.tenant).plan, verdicts: { list: [] }, reasons: REASONS });
const uploads = async (job: Job) => (await rig.media.list(`uploads/${job.tenant}/`)).map(({ key }) => key);
async function upload(job: Job): Promise<void> {
  for (const key of [`uploads/${job.tenant}/video`, ...Object.values(sidecarsOf(job))])
    await rig.media.put(key, 'an upload');
}
const counted = () =>
  rig
    .metrics()
    .filter(({ name, dimensions }) => name === 'workflow_executions_total' && dimensions['workflow']);

describe('RecordRejection', () => {
  it('closes the run as rejected, with the reasons', async () => {
    const job = await rig.job();
    const output = await reject(job);
    expect(output).toEqual({ outcome: 'rejected', plan: creativeRun(job.tenant).plan.id, reasons: REASONS });
    expect(await job.row()).toMatchObject({ status: 'rejected', output });
    expect((await job.row())?.endedAt).toBeDefined();
    expect(await rig.said()).toEqual([
      {
        name: 'creative-generation.succeeded',
        detail: { tenant: job.tenant, runId: job.runId, summary: output },
      },
    ]);
    expect(counted()).toMatchObject([{ dimensions: { status: 'rejected' } }]);
  });

  it('also a run that waits for a person', async () => {
    const job = await rig.job();
    await rig.table('runs').update({
      Key: { pk: `${job.tenant}#run#${job.runId}`, sk: 'run' },
      UpdateExpression: 'SET #status = :waiting',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':waiting': 'needs-review' },
    });
    await reject(job);
    expect((await job.row())?.status).toBe('rejected');
  });

  it('run again changes and counts nothing', async () => {
    const job = await rig.job();
    const first = await reject(job);
    const row = await job.row();
    rig.clock.advance(60_000);
    expect(await reject(job)).toEqual(first);
    expect(await job.row()).toEqual(row);
    expect(counted()).toHaveLength(1);
  });

  it('leaves nothing of what was uploaded for it', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await upload(job);
    await upload(other);
    await reject(job);
    expect(await uploads(job)).toEqual([]);
    expect(await uploads(other)).toHaveLength(3);
  });

  it('deletes no other tenant’s upload, and does not close the run then', async () => {
    const [job, other] = [await rig.job(), await rig.job()];
    await upload(other);
    await expect(reject(job, requestOf(other.tenant))).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(await uploads(other)).toHaveLength(3);
    expect((await job.row())?.status).toBe('running');
  });

  it('is over although the bucket fails, and says what is left', async () => {
    const job = await rig.job();
    await upload(job);
    rig.cloud.faults.add({ service: 's3', when: 'before', effect: { kind: 'throttle' } });
    await reject(job);
    expect((await job.row())?.status).toBe('rejected');
    rig.cloud.faults.clear();
    expect(await uploads(job)).toHaveLength(3);
  });

  it('leaves the run open when the bus fails', async () => {
    const job = await rig.job();
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'ThrottlingException' },
      times: 2,
    });
    await expect(reject(job)).rejects.toMatchObject({ name: 'RateLimited' });
    expect((await job.row())?.status).toBe('running');
  });
});
