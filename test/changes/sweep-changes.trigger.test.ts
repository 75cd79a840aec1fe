// Does every change that somebody took up and nobody works on come back, and only such?
import { describe, expect, it } from 'vitest';
import type { Change } from '../../lambdas/changes/change.ts';
import { trigger } from '../../lambdas/changes/sweep-changes.trigger.ts';
import { LEASE_MS } from '../../lambdas/changes/leases.ts';
import { stateMachineNeed } from '../../lambdas/runtime/state-machine.ts';
import { ACCOUNT, useChangeRig, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const sweep = () =>
  trigger.run({ scheduledTime: '2026-03-01T00:00:00Z' }, rig.openAll(trigger.needs) as never);
const machine = () => rig.open(stateMachineNeed('change-execution', 'start', 'stop', 'describe'));
const metric = (name: string) =>
  rig
    .metrics()
    .filter((one) => one.name === name)
    .map(({ value }) => value);

/** Known to the sweep, alone. */
async function swept(chosen: Parameters<typeof rig.account>[0] = {}): Promise<ChangeAccount> {
  const settings = rig.table('settings');
  const known = await settings.queryAll({
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': 'platform#tenant' },
  });
  for (const { pk, sk } of known) await settings.delete({ Key: { pk, sk } });
  const account = await rig.account(chosen);
  await settings.put({ Item: { pk: 'platform#tenant', sk: account.tenant } });
  return account;
}
/** Claimed by an execution that runs. */
async function running(account: ChangeAccount): Promise<Change> {
  const change = await account.taken();
  await machine().start(`${change.id}-${change.lease}`, {});
  return change;
}
const intent = { lease: 1, at: 0, before: 5_000, applied: 5_500, tries: 1 };

describe('SweepChanges', () => {
  it('leaves alone what an execution works on', async () => {
    const account = await swept();
    const change = await running(account);
    rig.clock.advance(20 * MINUTE);
    await sweep();
    expect(await account.get(change.id)).toMatchObject({ status: 'CLAIMED', lease: 1 });
    expect(metric('oldest_lease_seconds')).toEqual([1_200]);
    expect(metric('change_sweep_succeeded_total')).toEqual([1]);
  });

  it('takes back what an execution left that was stopped, after the last call of it can no longer arrive', async () => {
    const account = await swept();
    const change = await running(account);
    await rig.leases.begin(change, 1, intent, { accountId: ACCOUNT }, rig.clock.now());
    const name = `${change.id}-1`;
    await machine().stop(name, 'Stopped', 'by hand');
    const stoppedAt = (await machine().describe(name))?.stoppedAt ?? 0;
    await sweep();
    expect(await account.get(change.id)).toMatchObject({
      status: 'PENDING',
      statusCode: 'lease-lost',
      statusReason: 'Its execution ended as ABORTED without saying what came of it.',
      intent,
      attempts: 0,
      notBefore: stoppedAt + MINUTE,
    });
    const next = await account.dispatched(await account.queue({ to: 5_300 }));
    expect((await account.claimed(next)).status).toBe('CLAIMED');
  });

  it('takes back what nobody knows an execution of', async () => {
    const account = await swept();
    const change = await account.taken();
    await sweep();
    expect(await account.get(change.id)).toMatchObject({
      status: 'PENDING',
      statusCode: 'lease-lost',
      notBefore: rig.clock.now() + MINUTE,
    });
  });

  it('takes back a lease that lapsed although its execution still runs', async () => {
    const account = await swept();
    const change = await running(account);
    rig.clock.advance(LEASE_MS - 1);
    await sweep();
    expect((await account.get(change.id)).status).toBe('CLAIMED');
    rig.clock.advance(1);
    await sweep();
    expect(await account.get(change.id)).toMatchObject({ status: 'PENDING', statusCode: 'lease-lost' });
    // The execution, should it wake up, writes nothing any more.
    await expect(
      rig.leases.begin(change, 1, intent, { accountId: ACCOUNT }, rig.clock.now()),
    ).rejects.toMatchObject({ name: 'Conflict' });
    expect((await account.get(change.id)).intent).toBeUndefined();
  });

  it('starts what is due, also what nobody was told of', async () => {
    const account = await swept();
    const change = await account.queue({ notBefore: rig.clock.now() + MINUTE });
    await sweep();
    expect((await account.get(change.id)).lease).toBe(0);
    rig.clock.advance(MINUTE);
    await sweep();
    expect(await rig.executions()).toContain(`${change.id}-1`);
  });

  it('goes on with the other accounts when one cannot be swept, and says that it did not succeed', async () => {
    const first = await swept();
    const broken = await first.taken();
    const second = await rig.account();
    await rig.table('settings').put({ Item: { pk: 'platform#tenant', sk: second.tenant } });
    const fine = await second.taken();
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'Query',
      resource: `${first.tenant}#${ACCOUNT}`,
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await sweep();
    expect((await first.get(broken.id)).status).toBe('CLAIMED');
    expect((await second.get(fine.id)).status).toBe('PENDING');
    expect(metric('change_sweep_succeeded_total')).toEqual([]);
  });

  it('two at once take nothing back twice', async () => {
    const account = await swept();
    const change = await account.taken();
    await Promise.all([sweep(), sweep(), sweep()]);
    expect(await account.get(change.id)).toMatchObject({ status: 'PENDING', deferrals: 1 });
    const story = await rig.histories.story(account.tenant, change.id);
    expect(story.filter(({ move }) => move === 'reclaim')).toHaveLength(1);
  });
});
