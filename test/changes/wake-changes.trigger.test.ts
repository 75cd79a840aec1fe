// Does what happens to a change, or to a kill switch, start what may start now?
import { expect, it } from 'vitest';
import { timeText } from '../../lambdas/changes/change-item.ts';
import type { Change } from '../../lambdas/changes/change.ts';
import { trigger } from '../../lambdas/changes/wake-changes.trigger.ts';
import type { StreamRecord } from '../../lambdas/runtime/stream-record.ts';
import { ACCOUNT, useChangeRig, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const wake = (record: Partial<StreamRecord>) =>
  trigger.run(
    { eventName: 'MODIFY', sequenceNumber: '1', expired: false, keys: {}, ...record },
    rig.openAll(trigger.needs) as never,
  );
const leaseOf = async (account: ChangeAccount, { id }: Change) => (await account.get(id)).lease;
const queued = ({ tenant }: ChangeAccount, { id, status, notBefore }: Change): Partial<StreamRecord> => ({
  eventName: 'INSERT',
  keys: { pk: `${tenant}#change`, sk: id },
  newImage: { status, notBefore: timeText(notBefore), accountId: ACCOUNT },
});

it('starts a change that was queued, once however often it is told', async () => {
  const account = await rig.account();
  const change = await account.queue();
  await wake(queued(account, change));
  await wake(queued(account, change));
  expect(await leaseOf(account, change)).toBe(1);
  expect((await rig.executions()).filter((name) => name.startsWith(change.id))).toEqual([`${change.id}-1`]);
});

it('starts what waited for a change that is over', async () => {
  const account = await rig.account();
  const first = await account.taken();
  const second = await account.queue({
    entity: { kind: 'adset', id: account.adSetIds[1] ?? '' },
    behind: [first.id],
  });
  const step = { move: 'block', reason: '', code: 'x' } as const;
  await rig.leases.finish(first, 1, { step, actor: 'test' }, rig.clock.now());
  await wake({
    keys: { pk: `${account.tenant}#change`, sk: first.id },
    oldImage: { status: 'CLAIMED', accountId: ACCOUNT },
    newImage: { status: 'BLOCKED', accountId: ACCOUNT },
  });
  expect(await leaseOf(account, second)).toBe(1);
});

it('starts everything in every account of the tenant when its switch is turned off', async () => {
  const account = await rig.account();
  const other = await rig.account();
  const change = await account.queue();
  const theirs = await other.queue();
  await wake({ eventName: 'REMOVE', keys: { pk: `${account.tenant}#switch`, sk: 'tenant' } });
  expect([await leaseOf(account, change), await leaseOf(other, theirs)]).toEqual([1, 0]);
});

it('starts nothing for what starts nothing', async () => {
  const account = await rig.account();
  const change = await account.queue();
  await wake({ ...queued(account, change), newImage: { status: 'HELD', accountId: ACCOUNT } });
  await wake({ eventName: 'INSERT', keys: { pk: `${account.tenant}#switch`, sk: 'tenant' }, newImage: {} });
  expect(await leaseOf(account, change)).toBe(0);
});

it('throws what it could not do: the stream delivers it again', async () => {
  const account = await rig.account();
  const change = await account.queue();
  rig.cloud.faults.add({
    service: 'dynamodb',
    operation: 'Query',
    when: 'before',
    effect: { kind: 'throttle' },
  });
  await expect(wake(queued(account, change))).rejects.toMatchObject({ name: 'RateLimited' });
  rig.cloud.faults.clear();
  await wake(queued(account, change));
  expect(await leaseOf(account, change)).toBe(1);
});
