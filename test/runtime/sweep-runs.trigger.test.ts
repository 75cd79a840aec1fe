// Does every run end, and every debt get paid, even if all messages about them were lost?
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { openKillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { listDebts } from '../../lambdas/runtime/debts.ts';
import { openEffects } from '../../lambdas/runtime/intents.ts';
import type { World } from '../../lib/laptop/world.ts';
import { requestOf } from '../support/creative-run.ts';
import { testWorld } from '../support/world.ts';
import { openClaimlessRuns } from './claimless-runs.ts';
import {
  adAccount,
  ask,
  campaignOf,
  drain,
  freshRunId,
  runRow,
  startDoomed,
  stopExecution,
} from './operations.ts';

const MINUTE = 60_000;
let world: World;
beforeAll(async () => {
  world = await testWorld();
});
afterAll(() => world.close());
beforeEach(() => world.cloud.faults.clear());

const now = () => world.cloud.clock.now();
const debts = () => listDebts(world.table('runs'));
const metric = (name: string) => world.cloud.metrics().filter((one) => one.name === name);

async function openRun(status: 'running' | 'awaiting-upload' = 'running', tenant = 'demo'): Promise<string> {
  const runId = freshRunId(world);
  const run = { tenant, runId, stateMachine: 'creative-generation', status, request: requestOf(tenant) };
  await openClaimlessRuns(world).open({ ...run, nowMs: now() });
  return runId;
}

/** Lets the schedule come round and everything it caused end. */
async function pass(minutes: number): Promise<void> {
  await world.cloud.advance(minutes * MINUTE);
  await world.cloud.settle();
}

describe('the sweep', () => {
  it('settles a run whose end was never told', async () => {
    const runId = await openRun();
    await world.cloud.call('events', 'DisableRule', { Name: 'impresario-dev-settle-run' });
    await startDoomed(world, { runId });
    await world.cloud.settle();
    await world.cloud.call('events', 'EnableRule', { Name: 'impresario-dev-settle-run' });
    expect(await runRow(world, runId)).toMatchObject({ status: 'running' });
    await pass(20);
    expect(await runRow(world, runId)).toMatchObject({
      status: 'failed',
      error: { name: 'InvalidInput', state: 'IngestVideo' },
    });
  });

  it('fails a run that was never started, so that it can be redriven', async () => {
    const runId = await openRun();
    await pass(4);
    expect(await runRow(world, runId)).toMatchObject({ status: 'running' });
    await pass(20);
    expect(await runRow(world, runId)).toMatchObject({ status: 'failed', error: { name: 'NeverStarted' } });
    const letters = await drain(world, 'creative-dead-letters');
    expect(letters.filter(({ error }) => error === 'NeverStarted')).toMatchObject([{ run: { id: runId } }]);
  });

  it('expires a run whose upload never came, a while after its address ended', async () => {
    const runId = await openRun('awaiting-upload');
    await pass(70);
    expect(await runRow(world, runId)).toMatchObject({ status: 'awaiting-upload' });
    await pass(15);
    expect(await runRow(world, runId)).toMatchObject({ status: 'expired', error: { name: 'UploadExpired' } });
  });

  it('pays debts once the undo works again, and counts them until then', async () => {
    const before = adAccount(world);
    const runId = await openRun();
    await campaignOf(world, runId);
    const outage = world.cloud.faults.add({ function: 'undo-publish', invocation: 'error', event: runId });
    await startDoomed(world, { runId });
    await stopExecution(world, runId);
    await world.cloud.settle();
    // The queue gave up.
    expect(await drain(world, 'settle-run-dead-letters')).toHaveLength(1);
    await pass(6);
    expect(await debts()).toMatchObject([{ runId, effect: 'campaign' }]);
    expect(metric('compensation_debt_count').at(-1)).toMatchObject({
      value: 1,
      dimensions: { service: 'impresario' },
    });
    outage.remove();
    await pass(6);
    expect(await debts()).toEqual([]);
    expect(adAccount(world)).toBe(before);
    await pass(6);
    expect(metric('compensation_debt_count').at(-1)).toMatchObject({ value: 0 });
    // What comes back by itself is no dead letter.
    expect(await drain(world, 'settle-run-dead-letters')).toEqual([]);
  });

  it('forgives what a run owes that was started again and succeeded', async () => {
    const runId = await openRun();
    const effects = openEffects(
      world.table('runs'),
      { tenant: 'demo', id: runId },
      now,
      'all',
      'UndoPublish',
    );
    await effects.begin('campaign', 'launch', {});
    await effects.applied('campaign', 'launch', { id: '1' });
    await effects.debt('campaign', 'launch', 'the vendor was away');
    await openClaimlessRuns(world).close('demo', runId, { status: 'succeeded', nowMs: now() });
    await pass(6);
    expect(await debts()).toEqual([]);
    expect((await effects.open('campaign')).map(({ status }) => status)).toEqual(['applied']);
  });

  it('counts the changes that wait, over all tenants', async () => {
    const changes = openChanges(world.table('changes'));
    // Otherwise they would not wait for long.
    const scope = { kind: 'tenant' } as const;
    const off = { scope, actor: 'test', comment: 'Nothing now.', since: now() };
    await openKillSwitches(world.table('changes')).turnOn('demo', off);
    const request = (id: string) => ({
      accountId: '10101',
      entity: { kind: 'ad' as const, id },
      kind: 'ACTIVATE' as const,
      from: 'PAUSED' as const,
      to: 'ACTIVE' as const,
      currency: 'USD',
      reason: 'Launch',
      origin: { area: 'creative', id: 'r', actor: 'test' },
      expiresAt: now() + 86_400_000,
    });
    const { actions } = changes.queueing([
      { tenant: 'demo', request: request('1'), status: 'PENDING', nowMs: now() },
      { tenant: 'demo', request: request('2'), status: 'PENDING', nowMs: now() },
      { tenant: 'demo', request: request('3'), status: 'HELD', nowMs: now() },
    ]);
    await changes.transact(actions);
    const oldest = now();
    await pass(6);
    expect(metric('pending_ad_changes_count').at(-1)).toMatchObject({
      value: 2,
      dimensions: { service: 'impresario' },
    });
    expect(metric('sweep_succeeded_total').at(-1)).toMatchObject({
      value: 1,
      dimensions: { service: 'impresario' },
    });

    const { body } = await ask(world, null, 'GET', '/health');
    expect(body).toMatchObject({ pendingChanges: 2 });
    expect(Number(body['oldestPendingSeconds'])).toBeGreaterThanOrEqual((now() - oldest) / 1_000);
  });
});
