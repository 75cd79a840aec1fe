// Does a run end properly when no state of it could?
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openClaimlessRuns } from './claimless-runs.ts';
import { listDebts } from '../../lambdas/runtime/debts.ts';
import { keepIntents, openEffects } from '../../lambdas/runtime/intents.ts';
import { listSteps } from '../../lambdas/runtime/steps.ts';
import type { World } from '../../lib/laptop/world.ts';
import { testWorld } from '../support/world.ts';
import {
  adAccount,
  campaignOf,
  drain,
  executionArn,
  freshRunId,
  listen,
  queueUrl,
  runRow,
  startDoomed,
  stopExecution,
} from './operations.ts';

let world: World;
let heard: Awaited<ReturnType<typeof listen>>;
beforeAll(async () => {
  world = await testWorld();
  heard = await listen(world);
});
afterAll(() => world.close());
beforeEach(async () => {
  world.cloud.faults.clear();
  await drain(world, 'creative-dead-letters');
  await heard();
});

const failures = async () => (await heard()).filter(({ name }) => name.endsWith('.failed'));
const debts = () => listDebts(world.table('runs'));
const metrics = (name: string) => world.cloud.metrics().filter((metric) => metric.name === name);

/** The event as EventBridge would deliver it once more. */
async function deliverAgain(runId: string, detail: Record<string, unknown> = {}): Promise<void> {
  const described = (await world.cloud.call('states', 'DescribeExecution', {
    executionArn: executionArn(runId),
  })) as Record<string, unknown>;
  await world.cloud.call('sqs', 'SendMessage', {
    QueueUrl: await queueUrl(world, 'settle-run'),
    MessageBody: JSON.stringify({
      detail: {
        ...described,
        startDate: world.cloud.clock.now(),
        stopDate: world.cloud.clock.now(),
        ...detail,
      },
    }),
  });
  await world.cloud.settle();
}

describe('a run that fails', () => {
  it('is closed with its reason, is a dead letter without its input, and is announced', async () => {
    const runId = await startDoomed(world);
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({
      status: 'failed',
      error: { name: 'InvalidInput', state: 'IngestVideo' },
    });
    const [letter, ...more] = await drain(world, 'creative-dead-letters');
    expect(more).toEqual([]);
    expect(letter).toEqual({
      kind: 'run',
      executionArn: executionArn(runId),
      run: { id: runId, tenant: 'demo' },
      stateMachine: 'creative-generation',
      state: 'IngestVideo',
      error: 'InvalidInput',
      cause: expect.stringContaining('uploads/demo/video') as string,
    });
    expect(JSON.stringify(letter)).not.toContain('Lumo');
    expect(await failures()).toEqual([
      {
        name: 'creative-generation.failed',
        detail: expect.objectContaining({
          tenant: 'demo',
          runId,
          state: 'IngestVideo',
          error: 'InvalidInput',
        }) as unknown,
      },
    ]);
    expect(metrics('workflow_executions_total').map(({ dimensions }) => dimensions)).toContainEqual({
      workflow: 'creative-generation',
      status: 'failed',
    });
    expect(metrics('workflow_duration_seconds').length).toBeGreaterThan(0);
  });

  it('has no step left that says it is running, although its function was killed', async () => {
    const runId = freshRunId(world);
    world.cloud.faults.add({
      function: 'ingest-video',
      callIndex: 3,
      when: 'after',
      effect: { kind: 'kill' },
      event: runId,
    });
    await startDoomed(world, { runId });
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed' });
    const steps = await listSteps(world.table('runs'), 'demo', runId);
    expect(steps).toMatchObject([
      { state: 'IngestVideo', status: 'failed', tries: 4, error: { name: 'NoAnswer' } },
    ]);
    expect(Date.parse(steps[0]?.endedAt ?? '')).toBeGreaterThan(0);
  });

  it('is settled once, however often its end is told', async () => {
    const runId = await startDoomed(world);
    await world.cloud.settle();
    await deliverAgain(runId);
    await deliverAgain(runId);
    expect(await drain(world, 'creative-dead-letters')).toHaveLength(1);
    expect(await failures()).toHaveLength(1);
  });

  it('leaves the next attempt alone when its own end is told late', async () => {
    const runId = await startDoomed(world);
    await world.cloud.settle();
    await openClaimlessRuns(world).reopen('demo', runId, world.cloud.clock.now());
    await campaignOf(world, runId, 2);
    const before = adAccount(world);
    await deliverAgain(runId);
    expect(await runRow(world, runId)).toMatchObject({ status: 'running', attempt: 2 });
    expect(adAccount(world)).toBe(before);
    // Its second attempt was never started, which the sweep finds.
    await world.cloud.advance(20 * 60_000);
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed', attempt: 2 });
    expect(adAccount(world)).toBe('[]');
  });

  it('is failed even if its last step had called it a success', async () => {
    const runId = freshRunId(world);
    const runs = openClaimlessRuns(world);
    await runs.open({
      tenant: 'demo',
      runId,
      stateMachine: 'creative-generation',
      request: {},
      nowMs: world.cloud.clock.now(),
    });
    await runs.close('demo', runId, { status: 'succeeded', nowMs: world.cloud.clock.now() });
    await startDoomed(world, { runId });
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed' });
  });

  it('stays a success when what it made was kept and only the answer of its last step was lost', async () => {
    const runId = freshRunId(world);
    const runs = openClaimlessRuns(world);
    await runs.open({
      tenant: 'demo',
      runId,
      stateMachine: 'creative-generation',
      request: {},
      nowMs: world.cloud.clock.now(),
    });
    await campaignOf(world, runId);
    await keepIntents(world.table('runs'), { tenant: 'demo', id: runId });
    await runs.close('demo', runId, { status: 'succeeded', nowMs: world.cloud.clock.now() });
    const launched = adAccount(world);
    await drain(world, 'creative-dead-letters');
    await startDoomed(world, { runId });
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'succeeded' });
    expect(adAccount(world)).toBe(launched);
    expect(await drain(world, 'creative-dead-letters')).toEqual([]);
  });

  it('without a history row gets one', async () => {
    const runId = freshRunId(world);
    world.cloud.faults.add({ function: 'ingest-video', invocation: 'error', event: runId });
    await startDoomed(world, { runId });
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed', tenant: 'demo' });
  });
});

describe('a run that is stopped', () => {
  it('leaves the ad account as it was, and is no dead letter', async () => {
    const before = adAccount(world);
    const runId = freshRunId(world);
    await campaignOf(world, runId);
    expect(adAccount(world)).not.toBe(before);
    await startDoomed(world, { runId });
    await stopExecution(world, runId);
    await world.cloud.settle();
    expect(await runRow(world, runId)).toMatchObject({
      status: 'stopped',
      error: { name: 'Stopped', cause: 'by a person' },
    });
    expect(adAccount(world)).toBe(before);
    expect(await drain(world, 'creative-dead-letters')).toEqual([]);
    expect(await debts()).toEqual([]);
  });

  it('owes what it could not undo, and pays when the vendor is back', async () => {
    const before = adAccount(world);
    const runId = freshRunId(world);
    await campaignOf(world, runId);
    world.cloud.faults.add({ function: 'undo-publish', invocation: 'error', when: 'before', times: 1 });
    await startDoomed(world, { runId });
    await stopExecution(world, runId);
    await world.cloud.until(async () => (await debts()).length > 0);
    expect(await debts()).toMatchObject([{ tenant: 'demo', runId, effect: 'campaign', subject: 'launch' }]);
    expect(await runRow(world, runId)).toMatchObject({ status: 'stopped' });
    expect(adAccount(world)).not.toBe(before);

    await world.cloud.settle();
    expect(await debts()).toEqual([]);
    expect(adAccount(world)).toBe(before);
    const said = (await heard()).filter(({ name }) => name === 'compensation.debt-recorded');
    expect(said.map(({ detail }) => detail)).toMatchObject([
      { runId, effect: 'campaign', subject: 'launch' },
    ]);
  });

  it('owes what names no undo', async () => {
    const runId = freshRunId(world);
    const effects = openEffects(world.table('runs'), { tenant: 'demo', id: runId }, world.cloud.clock.now);
    await effects.begin('campaign', 'launch', {});
    await startDoomed(world, { runId });
    await stopExecution(world, runId);
    await world.cloud.settle();
    expect(await debts()).toMatchObject([
      { runId, error: expect.stringContaining('names no task') as string },
    ]);
    await effects.undone('campaign', 'launch');
    await deliverAgain(runId);
    expect(await debts()).toEqual([]);
  });
});
