// Is the question stored before it is asked, and can its answer find it?
import { beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../lambdas/creative/ask-for-review.task.ts';
import { openCreatives } from '../../lambdas/creative/creatives.ts';
import type { BattlePlan } from '../../lambdas/creative/types.ts';
import { creativeRun } from '../support/creative-run.ts';
import { useTaskRig, type Job } from '../support/task-rig.ts';

const rig = useTaskRig();
const REASONS = ['Only 1 of 5 variations reached the threshold; 3 are needed.'];
const DAY_SECONDS = 86_400;
const ROLE = 'arn:aws:iam::000000000000:role/machine';
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:heard';
let machineArn = '';

/** Its one state waits for its token, which it sends to the queue `heard`. */
beforeAll(async () => {
  rig.cloud.iam.putRole(ROLE, {
    Statement: [
      { Effect: 'Allow', Principal: { Service: 'states.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ],
  });
  rig.cloud.iam.putRolePolicy(ROLE, 'send', {
    Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE }],
  });
  const { QueueUrl } = (await rig.cloud.call('sqs', 'GetQueueUrl', { QueueName: 'heard' })) as {
    QueueUrl: string;
  };
  const made = (await rig.cloud.call('states', 'CreateStateMachine', {
    name: 'impresario-dev-creative-generation',
    roleArn: ROLE,
    definition: JSON.stringify({
      QueryLanguage: 'JSONata',
      StartAt: 'Ask',
      States: {
        Ask: {
          Type: 'Task',
          Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
          Arguments: {
            QueueUrl,
            MessageBody: { 'detail-type': 'token', detail: { token: '{% $states.context.Task.Token %}' } },
          },
          End: true,
        },
      },
    }),
  })) as { stateMachineArn: string };
  machineArn = made.stateMachineArn;
});

const newJob = () => rig.job({ env: { STATE_MACHINE_CREATIVE_GENERATION: machineArn } });

/** An execution that waits, and what it waits on. */
async function waiting(): Promise<{ token: string; output(): Promise<unknown> }> {
  const { executionArn } = (await rig.cloud.call('states', 'StartExecution', {
    stateMachineArn: machineArn,
  })) as { executionArn: string };
  const [message] = await rig.said();
  return {
    token: String(message?.detail['token']),
    async output() {
      await rig.cloud.settle();
      const found = (await rig.cloud.call('states', 'DescribeExecution', { executionArn })) as {
        status: string;
        output?: string;
      };
      return found.output === undefined ? found.status : (JSON.parse(found.output) as unknown);
    },
  };
}

function ask(job: Job, token = 'token-1', change: Partial<BattlePlan> = {}) {
  const { request, plan, forecasts } = creativeRun(job.tenant);
  return job.run(task, {
    token,
    request,
    plan: { ...plan, ...change },
    forecasts,
    verdicts: { list: [] },
    reasons: REASONS,
    timeoutSeconds: DAY_SECONDS,
  });
}
const reviewOf = (job: Job) => openCreatives(rig.table('creatives')).review(job.tenant, job.runId);

describe('AskForReview', () => {
  it('keeps the token, marks the run and tells who listens', async () => {
    const job = await newJob();
    const until = rig.clock.now() + DAY_SECONDS * 1000;
    expect(await ask(job)).toEqual({ until });
    expect(await reviewOf(job)).toMatchObject({
      runId: job.runId,
      token: 'token-1',
      status: 'open',
      until,
      reasons: REASONS,
      plan: { id: creativeRun(job.tenant).plan.id },
    });
    expect(await job.row()).toMatchObject({
      status: 'needs-review',
      review: { reasons: REASONS, until: new Date(until).toISOString() },
    });
    expect(await rig.said()).toEqual([
      {
        name: 'creative-generation.needs-review',
        detail: {
          tenant: job.tenant,
          runId: job.runId,
          reasons: REASONS,
          until: new Date(until).toISOString(),
        },
      },
    ]);
  });

  it('has stored the token when the bus fails, and a retry stores the newer one', async () => {
    const job = await newJob();
    rig.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
      times: 2,
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'Unavailable' });
    expect((await reviewOf(job))?.token).toBe('token-1');
    await ask(job, 'token-2');
    expect(await reviewOf(job)).toMatchObject({ token: 'token-2', status: 'open' });
    expect(await rig.said()).toHaveLength(1);
  });

  it('asks nobody when the question cannot be stored', async () => {
    const job = await newJob();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'PutItem',
      resource: 'test-creatives',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await rig.said()).toEqual([]);
    expect((await job.row())?.status).toBe('running');
  });

  it('is refused when the run has ended meanwhile', async () => {
    const job = await newJob();
    await rig.table('runs').update({
      Key: { pk: `${job.tenant}#run#${job.runId}`, sk: 'run' },
      UpdateExpression: 'REMOVE openPk',
    });
    await expect(ask(job)).rejects.toMatchObject({ name: 'Conflict' });
    expect(await rig.said()).toEqual([]);
  });

  it('is invisible to another tenant', async () => {
    const [job, other] = [await newJob(), await newJob()];
    await ask(job);
    expect(await openCreatives(rig.table('creatives')).review(other.tenant, job.runId)).toBeUndefined();
  });
});

describe('AskForReview, of a run that is started again', () => {
  async function answered(job: Job, approved: readonly string[]): Promise<void> {
    await ask(job);
    const { plan } = creativeRun(job.tenant);
    const ids = plan.variations.map(({ id }) => id);
    await openCreatives(rig.table('creatives')).answerReview(
      job.tenant,
      { runId: job.runId, token: 'token-1' },
      {
        approved: [...approved],
        rejected: ids.filter((id) => !approved.includes(id)),
        actor: 'ann',
        comment: '',
        comments: {},
      },
      rig.clock.now(),
    );
    await rig.table('runs').update({
      Key: { pk: `${job.tenant}#run#${job.runId}`, sk: 'run' },
      UpdateExpression: 'SET #status = :running',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':running': 'running' },
    });
    await rig.said();
  }
  const someOf = (job: Job) =>
    creativeRun(job.tenant)
      .plan.variations.slice(1, 3)
      .map(({ id }) => id);

  it('answers with what was decided about the same plan, and asks nobody', async () => {
    const job = await newJob();
    const approved = someOf(job);
    await answered(job, approved);
    const before = await reviewOf(job);
    const { token, output } = await waiting();
    rig.clock.advance(60_000);
    expect(await ask(job, token)).toEqual({ until: before?.until });
    expect(await output()).toEqual({ approved });
    expect(await reviewOf(job)).toEqual(before);
    expect((await job.row())?.status).toBe('running');
    expect(await rig.said()).toEqual([]);
  });

  it('asks again about another plan', async () => {
    const job = await newJob();
    await answered(job, someOf(job));
    const { token, output } = await waiting();
    await ask(job, token, { title: 'Another plan' });
    expect(await output()).toBe('RUNNING');
    expect(await reviewOf(job)).toMatchObject({ token, status: 'open' });
    expect((await reviewOf(job))?.decision).toBeUndefined();
    expect(await rig.said()).toHaveLength(1);
  });

  it('asks again when nobody had answered', async () => {
    const job = await newJob();
    await ask(job);
    const { token, output } = await waiting();
    await ask(job, token);
    expect(await output()).toBe('RUNNING');
    expect(await reviewOf(job)).toMatchObject({ token, status: 'open' });
  });
});
