// Does a run whose plan nobody approved end as rejected, once, and is that told?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/record-rejection.task.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const REASONS = ['Only 0 of 5 variations reached the threshold; 3 are needed.'];
const reject = (job: Job) =>
  job.run(task, { plan: creativeRun(job.tenant).plan, verdicts: { list: [] }, reasons: REASONS });
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
