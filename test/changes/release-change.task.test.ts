// Does a change whose execution went wrong come back, later and later, and is enough enough?
import { describe, expect, it } from 'vitest';
import { locksNeed } from '../../lambdas/changes/locks.ts';
import { releaseOf } from '../../lambdas/changes/release.ts';
import { task } from '../../lambdas/changes/release-change.task.ts';
import { ACCOUNT, useChangeRig, type ChangeAccount } from '../support/change-rig.ts';

const rig = useChangeRig();
const MINUTE = 60_000;
const bug = { Error: 'TypeError', Cause: JSON.stringify({ errorMessage: 'x is not a function' }) };
const outage = { Error: 'Unavailable', Cause: 'The platform is down.' };
const intent = { lease: 1, at: 0, before: 5_000, applied: 5_500, tries: 1 };

const released = async (account: ChangeAccount, failure: typeof bug) => {
  const change = await account.taken();
  const answer = await account.run(task, change, { change, failure });
  return { answer, change: await account.get(change.id) };
};

describe('ReleaseChange', () => {
  it('puts it back with the reason that people read, and counts the attempt', async () => {
    const account = await rig.account();
    const { answer, change } = await released(account, bug);
    expect(answer).toEqual({ released: true });
    expect(change).toMatchObject({
      status: 'PENDING',
      statusCode: 'failed-once',
      statusReason: 'TypeError: x is not a function',
      attempts: 1,
      deferrals: 1,
      notBefore: rig.clock.now() + 2 * MINUTE,
    });
    expect((await rig.histories.story(account.tenant, change.id)).at(-1)).toMatchObject({
      move: 'reclaim',
      actor: 'ReleaseChange',
      status: 'PENDING',
    });
  });

  it('counts no attempt while somebody is out of reach', async () => {
    const account = await rig.account();
    const { change } = await released(account, outage);
    expect(change).toMatchObject({ statusCode: 'unreachable', attempts: 0, deferrals: 1 });
  });

  it('keeps in mind what may have reached the platform, also when it was recorded after the claim', async () => {
    const account = await rig.account();
    const change = await account.taken();
    await rig.leases.begin(change, 1, intent, { accountId: ACCOUNT }, rig.clock.now());
    await account.run(task, change, { change, failure: bug });
    expect(await account.get(change.id)).toMatchObject({ status: 'PENDING', intent });
  });

  it('frees the object for the next', async () => {
    const account = await rig.account();
    const { change } = await released(account, bug);
    expect(await rig.open(locksNeed('GetItem')).holder(change)).toBeUndefined();
    const next = await account.dispatched(await account.queue({ to: 5_300 }));
    expect((await account.claimed(next)).status).toBe('CLAIMED');
  });

  it('leaves alone what is somebody else’s by now', async () => {
    const account = await rig.account();
    const change = await account.taken();
    await rig.changes.move(change, { move: 'reclaim', lease: 1, nowMs: rig.clock.now() });
    const now = await account.claimed(await account.dispatched(await account.get(change.id)));
    expect(await account.run(task, change, { change, failure: bug })).toEqual({ released: false });
    expect(await account.get(change.id)).toEqual(await account.get(now.id));
    expect(await account.get(change.id)).toMatchObject({ status: 'CLAIMED', lease: 2, attempts: 0 });
  });

  it('again, after a lost answer, is no second time', async () => {
    const account = await rig.account();
    const change = await account.taken();
    await account.run(task, change, { change, failure: bug });
    const once = await account.get(change.id);
    await account.run(task, change, { change, failure: bug });
    expect(await account.get(change.id)).toEqual(once);
  });

  it('gives up at the fifth attempt that went wrong by itself', async () => {
    const account = await rig.account();
    let change = await account.queue();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      rig.clock.advance(20 * MINUTE);
      change = await account.claimed(await account.dispatched(change));
      await account.run(task, change, { change, failure: bug });
      change = await account.get(change.id);
      expect(change.status).toBe(attempt < 5 ? 'PENDING' : 'FAILED');
    }
    expect(change).toMatchObject({ attempts: 5, statusCode: 'failed' });
  });
});

describe('how long it waits', () => {
  const waits = (failure: typeof bug) =>
    Array.from({ length: 7 }, (_, times) => {
      const change =
        failure === bug
          ? { attempts: Math.min(times, 3), deferrals: times }
          : { attempts: 0, deferrals: times };
      return (releaseOf(change, failure, 0).set?.notBefore ?? 0) / MINUTE;
    });

  it('doubles from a minute up to a quarter of an hour', () => {
    expect(waits(outage)).toEqual([1, 2, 4, 8, 15, 15, 15]);
    const bugs = waits(bug);
    expect(bugs[0]).toBe(2);
    expect(Math.max(...bugs)).toBe(15);
    expect(releaseOf({ attempts: 0, deferrals: 10_000 }, outage, 0).set?.notBefore).toBe(15 * MINUTE);
  });

  it.each([
    'Unavailable',
    'RateLimited',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
  ])('%s is nobody’s attempt, however often', (Error) => {
    const { step, set } = releaseOf({ attempts: 4, deferrals: 900 }, { Error }, 0);
    expect([step.move, step.code, set?.attempts]).toEqual(['reclaim', 'unreachable', 4]);
  });

  it('never gives up on what may have reached the platform', () => {
    const { step, keepIntent } = releaseOf({ attempts: 99, deferrals: 0, intent }, bug, 0);
    expect([step.move, keepIntent]).toEqual(['reclaim', true]);
    expect(releaseOf({ attempts: 4, deferrals: 0 }, bug, 0).step.move).toBe('fail');
    expect(releaseOf({ attempts: 3, deferrals: 0 }, bug, 0).step.move).toBe('reclaim');
  });

  it('shows a cause that is no document as it is, and no more than 500 characters', () => {
    expect(releaseOf({ attempts: 0, deferrals: 0 }, outage, 0).step.reason).toBe(
      'Unavailable: The platform is down.',
    );
    const long = { Error: 'TypeError', Cause: 'x'.repeat(9_000) };
    expect(releaseOf({ attempts: 0, deferrals: 0 }, long, 0).step.reason).toHaveLength(500);
  });
});
