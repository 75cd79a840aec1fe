// Is a change queued once, and cancelled only while nobody applies it?
import { describe, expect, it } from 'vitest';
import { changeId, ChangeRequest } from '../../lambdas/changes/change.ts';
import { openChanges } from '../../lambdas/changes/changes.ts';
import { Conflict } from '../../lambdas/runtime/errors.ts';
import { useTaskRig } from '../support/task-rig.ts';

const rig = useTaskRig();
const request = (id: string): ChangeRequest => ({
  accountId: '10101',
  entity: { kind: 'ad', id },
  kind: 'ACTIVATE',
  from: 'PAUSED',
  to: 'ACTIVE',
  currency: 'USD',
  reason: 'launch',
  origin: { area: 'creative', id: 'run', actor: 'test' },
  expiresAt: 10_000,
});
const queue = async (tenant: string, status: 'HELD' | 'PENDING', ...ids: string[]) => {
  const changes = openChanges(rig.table('changes'));
  const queued = changes.queueing(ids.map((id) => ({ tenant, request: request(id), status, nowMs: 1_000 })));
  await changes.transact(queued.actions);
  return { changes, ids: queued.changes.map(({ id }) => id) };
};

describe('the queue of changes', () => {
  it('returns what was queued, by status, for its tenant only', async () => {
    const { changes, ids } = await queue('q1', 'HELD', '1', '2');
    await queue('q1', 'PENDING', '3');
    await queue('q2', 'HELD', '1');
    const held = await changes.inStatus('q1', 'HELD');
    expect(held.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(held[0]).toMatchObject({
      ...request('1'),
      entity: { kind: 'ad' },
      status: 'HELD',
      notBefore: 1_000,
      tenant: 'q1',
      after: [],
      mode: 'live',
    });
    expect(await changes.get('q1', ids[0] ?? '')).toMatchObject({ id: ids[0], entity: { id: '1' } });
    expect(await changes.get('q2', ids[1] ?? '')).toBeUndefined();
    expect(await changes.inStatus('q1', 'PENDING')).toHaveLength(1);
  });

  it('takes the whole of a launch or nothing of it', async () => {
    const { changes } = await queue('q3', 'HELD', '1');
    await expect(queue('q3', 'HELD', '2', '1')).rejects.toThrow(Conflict);
    expect(await changes.inStatus('q3', 'HELD')).toHaveLength(1);
  });

  it.each(['HELD', 'PENDING'] as const)('cancels a %s change, and again without harm', async (status) => {
    const tenant = `cancel-${status}`;
    const {
      changes,
      ids: [id = ''],
    } = await queue(tenant, status, '1');
    expect(await changes.cancel(tenant, id, 'undone', 2_000)).toBe(true);
    expect(await changes.cancel(tenant, id, 'undone', 3_000)).toBe(true);
    expect(await changes.inStatus(tenant, status)).toEqual([]);
    expect(await changes.inStatus(tenant, 'CANCELLED')).toMatchObject([{ id, status: 'CANCELLED' }]);
  });

  /** As a worker or a decision left it. */
  async function inStatus(status: string) {
    const tenant = `late-${status}`;
    const {
      changes,
      ids: [id = ''],
    } = await queue(tenant, 'PENDING', '1');
    await rig.table('changes').update({
      Key: { pk: `${tenant}#change`, sk: id },
      UpdateExpression: 'SET #status = :status',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':status': status },
    });
    return { cancel: () => changes.cancel(tenant, id, 'undone', 2_000), get: () => changes.get(tenant, id) };
  }

  it.each(['CLAIMED', 'EXECUTING'])(
    'does not cancel a change that is %s: it may be over in a moment',
    async (status) => {
      const late = await inStatus(status);
      await expect(late.cancel()).rejects.toThrow(Conflict);
      expect((await late.get())?.status).toBe(status);
    },
  );

  it.each(['COMPLETED', 'FAILED', 'BLOCKED', 'EXPIRED', 'SUPERSEDED'])(
    'has nothing to cancel of a change that is %s',
    async (status) => {
      const late = await inStatus(status);
      expect(await late.cancel()).toBe(false);
      expect((await late.get())?.status).toBe(status);
    },
  );

  it('knows nothing to cancel where nothing was queued', async () => {
    const changes = openChanges(rig.table('changes'));
    expect(await changes.cancel('nobody', 'chg-x', 'undone', 1)).toBe(false);
    expect(await changes.inStatus('nobody', 'CANCELLED')).toEqual([]);
  });

  it('lists in the order in which they are due, past a single page', async () => {
    const changes = openChanges(rig.table('changes'));
    const due = Array.from({ length: 40 }, (_, index) => (index * 37) % 40);
    for (const nowMs of due)
      await changes.transact(
        changes.queueing([
          {
            tenant: 'q4',
            request: request(`${nowMs}`),
            status: 'PENDING',
            nowMs: 10 ** (nowMs % 4) * 1000 + nowMs,
          },
        ]).actions,
      );
    const found = (await changes.inStatus('q4', 'PENDING')).map(({ notBefore }) => notBefore);
    expect(found).toHaveLength(40);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });
});

describe('a change', () => {
  it('is recognised by tenant, entity, goal and origin', () => {
    const one = changeId('t', request('1'));
    expect(one).toMatch(/^chg-[0-9a-f]{26}$/);
    expect(changeId('t', { ...request('1'), reason: 'other', expiresAt: 5 })).toBe(one);
    const others = [
      changeId('u', request('1')),
      changeId('t', request('2')),
      changeId('t', { ...request('1'), kind: 'PAUSE', from: 'ACTIVE', to: 'PAUSED' }),
      changeId('t', { ...request('1'), to: 'ARCHIVED' }),
      changeId('t', { ...request('1'), origin: { area: 'creative', id: 'other', actor: 'test' } }),
    ];
    expect(new Set([one, ...others]).size).toBe(6);
  });

  it('is refused with a fraction of a minor unit', () => {
    const budget = (to: number) =>
      ChangeRequest.safeParse({
        ...request('1'),
        entity: { kind: 'adset', id: '1' },
        kind: 'BUDGET_SET',
        from: 1000,
        to,
      }).success;
    expect(budget(1050)).toBe(true);
    for (const wrong of [10.5, -1050, 0, Number.NaN, Number.POSITIVE_INFINITY])
      expect(budget(wrong)).toBe(false);
  });
});
