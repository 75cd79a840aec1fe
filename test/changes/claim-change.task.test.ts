// Does exactly one execution get a change, and only one that may go ahead?
import { describe, expect, it } from 'vitest';
import { task } from '../../lambdas/changes/claim-change.task.ts';
import type { Change } from '../../lambdas/changes/change.ts';
import { jitterSeconds } from '../../lambdas/changes/jitter.ts';
import { locksNeed } from '../../lambdas/changes/locks.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import { ACCOUNT, useChangeRig, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const claim = (account: ChangeAccount, change: Change, lease = change.lease) =>
  account.run(task, { id: change.id, lease }, { request: { changeId: change.id, lease } });
const outcomeOf = async ({ tenant }: ChangeAccount, { id }: Change) =>
  (await rig.open(runsNeed('read')).get(tenant, id))?.output;

describe('ClaimChange', () => {
  it('takes a due change under its lease and says how long to wait', async () => {
    const account = await rig.account({ jitterSeconds: { min: 3, max: 18 } });
    const change = await account.dispatched(await account.queue());
    const claimed = await claim(account, change);
    expect(claimed).toMatchObject({
      claimed: true,
      waitSeconds: jitterSeconds(change.id, { min: 3, max: 18 }),
      change: { id: change.id, status: 'CLAIMED', lease: 1 },
    });
    expect(await account.get(change.id)).toMatchObject({
      status: 'CLAIMED',
      holder: `${change.id}-1`,
      leasedUntil: rig.clock.now() + 31 * 60_000,
    });
    expect(await rig.histories.story(account.tenant, change.id)).toMatchObject([
      { move: 'claim', lease: 1, status: 'CLAIMED', at: rig.clock.now(), actor: `${change.id}-1` },
    ]);
  });

  it('gives it to exactly one of a hundred who ask at once', async () => {
    const account = await rig.account();
    const change = await account.dispatched(await account.queue());
    const claims = await Promise.all(
      Array.from({ length: 100 }, (_, worker) =>
        rig.leases.claim(
          account.tenant,
          change.id,
          { lease: 1, holder: `worker-${worker}` },
          rig.clock.now(),
        ),
      ),
    );
    const winners = claims.flatMap((one, worker) => (one.claimed ? [`worker-${worker}`] : []));
    expect(winners).toHaveLength(1);
    expect(await account.get(change.id)).toMatchObject({ status: 'CLAIMED', holder: winners[0] });
    expect(await rig.histories.story(account.tenant, change.id)).toHaveLength(1);
  });

  it('gives it again to the one who has it, whose first answer was lost', async () => {
    const account = await rig.account();
    const change = await account.dispatched(await account.queue());
    rig.cloud.faults.add({
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'after',
      effect: { kind: 'lost-reply' },
      times: 1,
    });
    const first = await claim(account, change);
    const second = await claim(account, change);
    expect([first.claimed, second.claimed]).toEqual([true, true]);
    expect(second.change).toMatchObject({ holder: `${change.id}-1`, lease: 1 });
    expect(await rig.histories.story(account.tenant, change.id)).toHaveLength(1);
  });

  it.each([
    ['an earlier lease', 0],
    ['a lease that nobody named yet', 2],
  ])('refuses %s, and ends the run by saying so', async (_, off) => {
    const account = await rig.account();
    const first = await account.dispatched(await account.queue());
    const change = off === 0 ? await account.dispatched(first) : first;
    const stranger = off === 0 ? 1 : 2;
    const answer = await claim(account, change, stranger);
    expect(answer).toMatchObject({ claimed: false, change: null, waitSeconds: 0 });
    expect(answer.reason).toContain(`under lease ${change.lease}, not ${stranger}`);
    expect(await account.get(change.id)).toMatchObject({ status: 'PENDING', lease: change.lease });
  });

  it('closes the run of an execution that has nothing to do', async () => {
    const account = await rig.account();
    const change = await account.dispatched(await account.queue());
    await rig.changes.cancel(account.tenant, change.id, 'Never mind.', rig.clock.now());
    const { reason } = await claim(account, change);
    expect(reason).toBe(`${change.id} is CANCELLED under lease 1, not 1.`);
    expect(await outcomeOf(account, change)).toEqual({
      outcome: 'not-claimed',
      changeId: change.id,
      reason,
    });
  });

  it.each(['HELD', 'CANCELLED', 'CLAIMED'] as const)('refuses a change that is %s', async (status) => {
    const account = await rig.account();
    const change = await account.dispatched(await account.queue());
    const nowMs = rig.clock.now();
    if (status === 'HELD') await rig.changes.move(change, { move: 'hold', nowMs });
    if (status === 'CANCELLED') await rig.changes.cancel(account.tenant, change.id, '', nowMs);
    if (status === 'CLAIMED')
      await rig.leases.claim(account.tenant, change.id, { lease: 1, holder: 'x' }, nowMs);
    expect(await claim(account, change)).toMatchObject({ claimed: false });
    expect((await account.get(change.id)).status).toBe(status);
  });

  it('refuses an unknown change and another tenant’s', async () => {
    const account = await rig.account();
    const strange = await account.dispatched(await account.queue());
    const other = await rig.account();
    expect(await claim(other, strange)).toMatchObject({
      claimed: false,
      reason: `There is no change ${strange.id}.`,
    });
    expect(await account.get(strange.id)).toMatchObject({ status: 'PENDING' });
  });

  it('refuses while what it follows is not applied, or what it stands behind is not over', async () => {
    const account = await rig.account();
    const entity = { kind: 'adset', id: account.adSetIds[1] ?? '' } as const;
    const parent = await account.queue({ entity });
    const child = await account.dispatched(await account.queue({ after: [parent.id] }));
    const later = await account.dispatched(
      await account.queue({ entity: { ...entity, id: account.adSetIds[2] ?? '' }, behind: [parent.id] }),
    );
    expect((await claim(account, child)).reason).toBe(
      `It waits until ${parent.id} is applied, which is PENDING.`,
    );
    expect((await claim(account, later)).reason).toBe(
      `It waits until ${parent.id} is over, which is PENDING.`,
    );
    await rig.changes.cancel(account.tenant, parent.id, '', rig.clock.now());
    expect((await claim(account, child)).reason).toBe(
      `${parent.id} had to be applied first and is CANCELLED.`,
    );
    expect(await claim(account, later)).toMatchObject({ claimed: true });
  });

  it('refuses while another change of the same object is being applied, and takes over the lock of one that is not', async () => {
    const account = await rig.account();
    const first = await account.taken();
    const second = await account.dispatched(await account.queue({ to: 5_400 }));
    const elsewhere = await account.dispatched(
      await account.queue({ entity: { kind: 'adset', id: account.adSetIds[1] ?? '' } }),
    );
    expect((await claim(account, second)).reason).toBe(
      `${first.id} is changing adset/${account.adSetIds[0]} right now.`,
    );
    expect(await claim(account, elsewhere)).toMatchObject({ claimed: true });

    // Its lease is given up without a word to the lock, as when the sweep died in between.
    await rig.changes.move(first, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    const locks = rig.open(locksNeed('GetItem', 'DeleteItem'));
    expect(await locks.holder(second)).toEqual({ changeId: first.id, lease: 1 });
    expect(await claim(account, second)).toMatchObject({ claimed: true });
    expect(await locks.holder(second)).toEqual({ changeId: second.id, lease: 1 });
    // The one that lost it frees nothing of the other's.
    await locks.free(first, 1);
    expect(await locks.holder(second)).toEqual({ changeId: second.id, lease: 1 });
  });

  it('lets one of two changes of one object through when both ask at once', async () => {
    const account = await rig.account();
    const both = await Promise.all(
      [5_400, 5_500].map(async (to) => account.dispatched(await account.queue({ to }))),
    );
    const claims = await Promise.all(both.map((change) => claim(account, change)));
    expect(claims.filter(({ claimed }) => claimed)).toHaveLength(1);
    const statuses = await Promise.all(both.map(async ({ id }) => (await account.get(id)).status));
    expect(statuses.toSorted()).toEqual(['CLAIMED', 'PENDING']);
  });

  it('queues and takes a change that the execution brings along, once', async () => {
    const account = await rig.account();
    const change = {
      accountId: ACCOUNT,
      entity: { kind: 'adset' as const, id: account.adSetIds[0] ?? '' },
      kind: 'BUDGET_INCREASE' as const,
      from: 5_000,
      to: 5_500,
      currency: 'USD',
      reason: 'By hand.',
      origin: { area: 'person', id: 'console', actor: 'dana' },
      expiresAt: rig.clock.now() + 60_000,
    };
    const by = { id: `chg-${'0'.repeat(26)}`, lease: 1 };
    const first = await account.run(task, by, { request: { change } });
    expect(first).toMatchObject({ claimed: true, change: { status: 'CLAIMED', reason: 'By hand.' } });
    const again = await account.run(task, { ...by, lease: 2 }, { request: { change } });
    expect(again).toMatchObject({ claimed: false });
    await expect(
      account.run(task, by, { request: { change: { ...change, accountId: '99999' } } }),
    ).rejects.toMatchObject({ name: 'InvalidInput' });
  });
});

describe('a straggler whose lease has passed to another', () => {
  const intent = { at: 0, before: 5_000, applied: 5_500, tries: 1 };
  const reach = { accountId: ACCOUNT };
  const finish = { step: { move: 'complete', reason: '', code: 'applied' }, actor: 'straggler' } as const;

  it('begins, ends and gives back nothing', async () => {
    const account = await rig.account();
    const old = await account.taken();
    await rig.changes.move(old, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    const now = await account.claimed(await account.dispatched(await account.get(old.id)));
    expect(now.lease).toBe(2);
    const before = await account.get(old.id);
    const story = await rig.histories.story(account.tenant, old.id);

    const nowMs = rig.clock.now() + 1;
    const writes = [
      rig.leases.begin(old, 1, { ...intent, lease: 1 }, reach, nowMs),
      rig.leases.finish(old, 1, finish, nowMs),
      rig.leases.finish(old, 1, { ...finish, step: { ...finish.step, move: 'defer' } }, nowMs),
      rig.leases.finish(old, 1, { ...finish, step: { ...finish.step, move: 'reclaim' } }, nowMs),
    ];
    for (const write of writes) await expect(write).rejects.toMatchObject({ name: 'Conflict' });
    expect(await account.get(old.id)).toEqual(before);
    expect(await rig.histories.story(account.tenant, old.id)).toEqual(story);
    expect(await rig.open(locksNeed('GetItem')).holder(old)).toEqual({ changeId: old.id, lease: 2 });
  });

  it('finds its own end written when only the answer was lost, and another’s refused', async () => {
    const account = await rig.account();
    const change = await account.taken();
    await rig.leases.finish(change, 1, finish, rig.clock.now());
    await rig.leases.finish(change, 1, finish, rig.clock.now() + 5);
    expect(await rig.histories.story(account.tenant, change.id)).toHaveLength(2);
    await expect(
      rig.leases.finish(change, 1, { ...finish, step: { ...finish.step, move: 'fail' } }, rig.clock.now()),
    ).rejects.toMatchObject({ name: 'Conflict' });
    expect((await account.get(change.id)).status).toBe('COMPLETED');
  });

  it('can begin again under its own lease, and not once it is over', async () => {
    const account = await rig.account();
    const change = await account.taken();
    const begin = (tries: number) =>
      rig.leases.begin(change, 1, { ...intent, lease: 1, tries }, reach, rig.clock.now() + tries);
    expect([await begin(1), await begin(2)]).toEqual([undefined, undefined]);
    expect(await account.get(change.id)).toMatchObject({ status: 'EXECUTING', intent: { tries: 2 } });
    await rig.leases.finish(change, 1, finish, rig.clock.now());
    await expect(begin(3)).rejects.toMatchObject({ name: 'Conflict' });
  });
});
