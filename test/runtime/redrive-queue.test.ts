// Is what waits on a dead-letter queue done again, once?
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redriveFrom } from '../../lambdas/runtime/redrive.ts';
import { redriveQueue, type LetterFilter } from '../../lambdas/runtime/redrive-queue.ts';
import type { World } from '../../lib/laptop/world.ts';
import { MEDIA_BUCKET, testWorld } from '../support/world.ts';
import { openClaimlessRuns } from './claimless-runs.ts';
import { drain, freshRunId, queueUrl, runRow, startDoomed } from './operations.ts';

const LETTERS = 'creative-dead-letters';
let world: World;
beforeAll(async () => {
  world = await testWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.cloud.faults.clear();
  await drain(world, LETTERS);
});

function redriveAll(queue: string, filter: LetterFilter = {}) {
  const env = {
    AWS_ENDPOINT_URL: world.cloud.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    TABLE_RUNS: 'impresario-dev-runs',
    BUCKET_MEDIA: MEDIA_BUCKET,
    STATE_MACHINES: 'arn:aws:states:us-east-1:000000000000:stateMachine:impresario-dev-*',
  };
  const redrive = redriveFrom(env, world.cloud.clock);
  return redriveQueue({ env, redrive, runs: openClaimlessRuns(world) }, `impresario-dev-${queue}`, filter);
}

async function failedRun(): Promise<string> {
  const runId = await startDoomed(world);
  await world.cloud.settle();
  return runId;
}

async function put(queue: string, body: unknown): Promise<void> {
  await world.cloud.call('sqs', 'SendMessage', {
    QueueUrl: await queueUrl(world, queue),
    MessageBody: JSON.stringify(body),
  });
}

const waiting = async (queue: string) => {
  const { Attributes } = (await world.cloud.call('sqs', 'GetQueueAttributes', {
    QueueUrl: await queueUrl(world, queue),
    AttributeNames: ['All'],
  })) as { Attributes: Record<string, string> };
  return (
    Number(Attributes['ApproximateNumberOfMessages']) +
    Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  );
};

const variationLetter = (runId: string, variation: string) => ({
  kind: 'variation',
  stateMachine: 'creative-generation',
  run: { id: runId, tenant: 'demo' },
  variation: { id: variation, seconds: 15 },
  error: 'Unavailable',
  cause: 'ffmpeg was killed',
});

describe('dead letters of runs', () => {
  it('start each run again once, and leave the queue', async () => {
    const runs = [await failedRun(), await failedRun()];
    const { redriven, left } = await redriveAll(LETTERS);
    expect(new Map(redriven.map(({ runId, attempt }) => [runId, attempt]))).toEqual(
      new Map(runs.map((runId) => [runId, 2])),
    );
    expect(redriven).toHaveLength(2);
    expect(left).toEqual([]);
    expect(await waiting(LETTERS)).toBe(0);
    await world.cloud.settle();
    for (const runId of runs)
      expect(await runRow(world, runId)).toMatchObject({ attempt: 2, status: 'failed' });
    // Failed again: one new letter each.
    expect(await waiting(LETTERS)).toBe(2);
  });

  it('of several variations of one run start it once', async () => {
    const runId = await failedRun();
    await drain(world, LETTERS);
    await put(LETTERS, variationLetter(runId, 'v-1'));
    await put(LETTERS, variationLetter(runId, 'v-2'));
    expect((await redriveAll(LETTERS)).redriven).toMatchObject([{ runId, attempt: 2 }]);
    expect(await waiting(LETTERS)).toBe(0);
    await world.cloud.settle();
  });

  it('stay when they do not match the filter or cannot be redriven', async () => {
    const [wanted, other] = [await failedRun(), await failedRun()];
    const { redriven } = await redriveAll(LETTERS, { runId: wanted });
    expect(redriven.map(({ runId }) => runId)).toEqual([wanted]);
    // The other one is there at once for whoever looks next.
    expect((await drain(world, LETTERS)).map(({ run }) => (run as { id: string }).id)).toEqual([other]);
    await world.cloud.settle();

    const unknown = freshRunId(world);
    await put(LETTERS, variationLetter(unknown, 'v-1'));
    const { left } = await redriveAll(LETTERS, { runId: unknown, tenant: 'demo', error: 'Unavailable' });
    expect(left).toEqual([{ runId: unknown, reason: `There is no run ${unknown}.` }]);
    expect(await runRow(world, other)).toMatchObject({ attempt: 1 });
  });

  it('are chosen by state and state machine, which parts of runs have no state of', async () => {
    const runId = await failedRun();
    await put(LETTERS, variationLetter(freshRunId(world), 'v-1'));
    for (const filter of [{ state: 'PublishAds' }, { stateMachine: 'budget-optimization' }])
      expect(await redriveAll(LETTERS, filter)).toMatchObject({ redriven: [], left: [] });
    const filter = { state: 'IngestVideo', stateMachine: 'creative-generation', error: undefined };
    expect(await redriveAll(LETTERS, filter)).toMatchObject({ redriven: [{ runId, attempt: 2 }], left: [] });
    expect(await waiting(LETTERS)).toBe(1);
    await world.cloud.settle();
  });

  it('are outdated when the run was started again since', async () => {
    const runId = await failedRun();
    const [letter] = await drain(world, LETTERS);
    await put(LETTERS, letter);
    await put(LETTERS, letter);
    expect(await redriveAll(LETTERS)).toMatchObject({ redriven: [{ runId, attempt: 2 }] });
    await world.cloud.settle();
    await drain(world, LETTERS);
    await put(LETTERS, letter);
    expect(await redriveAll(LETTERS)).toMatchObject({ redriven: [], outdated: 1 });
    expect(await runRow(world, runId)).toMatchObject({ attempt: 2 });
  });

  it('stay on the queue when the start fails', async () => {
    await failedRun();
    world.cloud.faults.add({
      service: 'states',
      operation: 'StartExecution',
      when: 'before',
      effect: { kind: 'error', code: 'ServiceUnavailable', status: 503 },
    });
    await expect(redriveAll(LETTERS)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await waiting(LETTERS)).toBe(1);
  });
});

describe('dead letters of triggers', () => {
  it('go back to their queue and are done', async () => {
    const runId = freshRunId(world);
    // The settling fails until its message is a dead letter.
    const fault = world.cloud.faults.add({ function: 'settle-run', invocation: 'error', event: runId });
    // The sweep would send another one every five minutes.
    const sweep = world.cloud.faults.add({ function: 'sweep-runs', invocation: 'error' });
    await startDoomed(world, { runId });
    await world.cloud.settle();
    expect(await waiting('settle-run-dead-letters')).toBe(1);
    expect(await runRow(world, runId)).toMatchObject({ status: 'running' });
    fault.remove();
    sweep.remove();
    expect(await redriveAll('settle-run-dead-letters')).toMatchObject({ moving: true });
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed' });
  });

  it('that no queue sent there stay, and the refusal says what to do', async () => {
    for (const queue of ['announcements-dead-letters', 'sweep-runs-dead-letters']) {
      await drain(world, queue);
      await put(queue, { detail: 'undelivered' });
      await expect(redriveAll(queue)).rejects.toMatchObject({
        name: 'InvalidInput',
        message: expect.stringMatching(/a schedule.*read the messages, then purge/i) as string,
      });
      expect(await drain(world, queue)).toHaveLength(1);
    }
  });

  it('have no filter; and a queue must exist', async () => {
    const filtered = redriveAll('settle-run-dead-letters', { tenant: 'demo' });
    await expect(filtered).rejects.toMatchObject({ name: 'InvalidInput' });
    await expect(redriveAll('no-such-dead-letters')).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});
