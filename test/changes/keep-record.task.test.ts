// Does a record that the tables would not take wait, whole, until they do?
import { describe, expect, it } from 'vitest';
import { keptRecordKey } from '../../lambdas/changes/kept-records.ts';
import { task } from '../../lambdas/changes/keep-record.task.ts';
import { trigger } from '../../lambdas/changes/sweep-changes.trigger.ts';
import { silentLog } from '../../lambdas/runtime/log.ts';
import { sweepAccount, type SweepContext } from '../../lambdas/changes/sweep-account.ts';
import { ACCOUNT, useChangeRig, type Asked, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const sweep = ({ tenant }: ChangeAccount) =>
  sweepAccount(tenant, ACCOUNT, { ...rig.openAll(trigger.needs), log: silentLog } as unknown as SweepContext);

async function kept(account: ChangeAccount, asked: Asked = {}) {
  const walk = account.walk(await account.taken(asked));
  await walk.read();
  await walk.policy();
  await walk.reserve();
  await walk.apply();
  await walk.verify();
  const { change, verdict, mode, seen, reserved, after } = walk;
  const answer = await account.run(task, change, { change, verdict, mode, seen, reserved, after });
  return { walk, change, answer, key: keptRecordKey(account.tenant, change.id) };
}

describe('KeepRecord', () => {
  it('puts it into the bucket, says so, and counts it for the alarm', async () => {
    const account = await rig.account();
    const { change, answer, key } = await kept(account);
    expect(answer).toEqual({
      outcome: 'kept',
      changeId: change.id,
      reason: 'Its record waits until the tables take it.',
    });
    expect(key.startsWith(`${account.tenant}/records/`)).toBe(true);
    expect(await rig.bucket.getJson(key)).toMatchObject({
      change: { id: change.id, lease: 1 },
      verdict: { decision: 'applied', applied: 5_500 },
      after: 5_500,
      at: rig.clock.now(),
    });
    expect(rig.metrics().map(({ name }) => name)).toContain('kept_records_total');
  });

  it('needs no table', async () => {
    expect(task.withoutHistory).toBe(true);
    const grants = Object.entries(task.needs)
      .filter(([name]) => name === 'bucket')
      .flatMap(([, need]) => need.grants);
    expect(
      grants.flatMap(({ actions }) => actions).filter((action) => action.startsWith('dynamodb:')),
    ).toEqual([]);
    const account = await rig.account();
    const change = await account.taken();
    rig.cloud.faults.add({ service: 'dynamodb', when: 'before', effect: { kind: 'throttle' } });
    const verdict = { decision: 'block', code: 'x', reason: 'y' } as const;
    const answer = await account.run(task, change, {
      change,
      verdict,
      mode: 'live',
      seen: null,
      reserved: null,
      after: null,
    });
    expect(answer.outcome).toBe('kept');
  });
});

describe('a record that waits', () => {
  it('is written by the next sweep, as if nothing had been, and is gone', async () => {
    const account = await rig.account();
    const { change, key } = await kept(account);
    const executedAt = rig.clock.now();
    rig.clock.advance(60_000);
    await sweep(account);
    expect(await account.get(change.id)).toMatchObject({
      status: 'COMPLETED',
      result: { before: 5_000, applied: 5_500, executedAt },
    });
    expect((await rig.ledgers.get(account.tenant, ACCOUNT)).edits).toMatchObject([{ outcome: 'applied' }]);
    expect(await rig.bucket.getJson(key)).toBeUndefined();
    expect(await sweep(account)).toEqual({ oldestLeaseMs: 0 });
    expect(await rig.histories.story(account.tenant, change.id)).toHaveLength(3);
    expect(rig.effects()).toHaveLength(1);
  });

  it('keeps waiting, and keeps its change from being started again, while the tables refuse', async () => {
    const account = await rig.account();
    const { change, key } = await kept(account);
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(sweep(account)).rejects.toMatchObject({ name: 'RateLimited' });
    expect(await account.get(change.id)).toMatchObject({ status: 'EXECUTING', lease: 1 });
    expect(await rig.bucket.getJson(key)).toBeDefined();
    rig.cloud.faults.clear();
    await sweep(account);
    expect((await account.get(change.id)).status).toBe('COMPLETED');
  });

  it('is whole wherever RecordChange broke off before it', async () => {
    for (const operation of ['PutItem', 'TransactWriteItems']) {
      const account = await rig.account();
      const { walk, change, key } = await kept(account);
      rig.cloud.faults.add({
        service: 'dynamodb',
        operation,
        ...(operation === 'PutItem' ? { resource: '#ledger' } : {}),
        when: 'before',
        effect: { kind: 'throttle' },
      });
      await expect(walk.record()).rejects.toMatchObject({ name: 'RateLimited' });
      rig.cloud.faults.clear();
      expect((await account.get(change.id)).status).toBe('EXECUTING');
      await sweep(account);
      expect((await account.get(change.id)).status).toBe('COMPLETED');
      expect((await rig.ledgers.get(account.tenant, ACCOUNT)).edits).toMatchObject([{ outcome: 'applied' }]);
      expect(await rig.bucket.getJson(key)).toBeUndefined();
    }
  });

  it('marks what an undo took back', async () => {
    const account = await rig.account();
    const taken = await account.queue({ to: 5_300 });
    const { change } = await kept(account, {
      origin: { area: 'undo', id: 'undo-1', actor: 'dana' },
      entity: { kind: 'adset', id: account.adSetIds[1] ?? '' },
      undoes: [taken.id],
    });
    await sweep(account);
    expect((await account.get(taken.id)).undoneBy).toBe(change.id);
  });

  it('is thrown away when somebody else went on with the change', async () => {
    const account = await rig.account();
    const { change, key } = await kept(account);
    await rig.changes.move(change, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    await account.claimed(await account.dispatched(await account.get(change.id)));
    await sweep(account);
    expect(await rig.bucket.getJson(key)).toBeUndefined();
    expect((await account.get(change.id)).result).toBeUndefined();
  });
});
