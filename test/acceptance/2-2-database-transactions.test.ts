// 2.2 Database transaction integrity: is a queued change claimed by exactly one worker?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHistory } from '../../lambdas/changes/history.ts';
import { openKillSwitches } from '../../lambdas/changes/kill-switches.ts';
import { openLeases, type Leases } from '../../lambdas/changes/leases.ts';
import { openLocks } from '../../lambdas/changes/locks.ts';
import { EXECUTOR_ARN, startChangeRig, type ChangeRig, type ChangeSubject } from '../faults/change-rig.ts';
import { appliedTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
let leases: Leases;
beforeAll(async () => {
  rig = await startChangeRig();
  const { world, changes } = rig;
  leases = openLeases({
    changes,
    switches: openKillSwitches(world.table('changes')),
    history: openHistory(world.table('history')),
    locks: openLocks(world.table('limits')),
    audit: world.table('audit').name,
  });
}, 120_000);
afterAll(() => rig.close());

/** Queued, and dispatched under its first lease. */
async function dispatched(): Promise<ChangeSubject> {
  const subject = await rig.subject();
  const change = await rig.queue(subject);
  expect(await leases.dispatch(change, rig.world.cloud.clock.now())).toBe(1);
  return subject;
}

const claim = ({ tenant, id }: ChangeSubject, holder: string, lease = 1) =>
  leases.claim(tenant, id, { lease, holder }, rig.world.cloud.clock.now());

describe('2.2: claiming is atomic', () => {
  it('gives a change to the first claimer and nothing to the second', async () => {
    const subject = await dispatched();
    const claimed = await claim(subject, 'worker-1');
    expect(claimed.claimed && claimed.change.id).toBe(subject.id);

    const claimed2 = await claim(subject, 'worker-2');
    expect(claimed2.claimed).toBe(false);
    expect(await rig.change(subject)).toMatchObject({ status: 'CLAIMED', holder: 'worker-1' });
  });

  it('lets one of a hundred racing claimers win', async () => {
    const subject = await dispatched();
    const racers = Array.from({ length: 100 }, (_, index) => `worker-${index}`);
    const claims = await Promise.all(racers.map((holder) => claim(subject, holder)));
    const winners = racers.filter((_, index) => claims[index]?.claimed === true);
    expect(winners).toHaveLength(1);
    expect((await rig.change(subject)).holder).toBe(winners[0]);
    const story = await rig.histories.story(subject.tenant, subject.id);
    expect(story.map(({ move }) => move)).toEqual(['claim']);
  });

  it('lets one dispatcher of a hundred name the next lease', async () => {
    const subject = await rig.subject();
    const change = await rig.queue(subject);
    const nowMs = rig.world.cloud.clock.now();
    const named = await Promise.all(Array.from({ length: 100 }, () => leases.dispatch(change, nowMs)));
    expect(named.filter((lease) => lease !== undefined)).toEqual([1]);
  });

  it('refuses the lease of an earlier dispatch', async () => {
    const subject = await dispatched();
    await leases.dispatch(await rig.change(subject), rig.world.cloud.clock.now());
    expect((await claim(subject, 'late', 1)).claimed).toBe(false);
    expect((await claim(subject, 'current', 2)).claimed).toBe(true);
  });

  it('writes nothing at all of what does not fit together', async () => {
    const [kept, other] = [await rig.subject(), await rig.subject()];
    await rig.queue(kept);
    const nowMs = rig.world.cloud.clock.now();
    const both = rig.changes.queueing(
      [other, kept].map(({ tenant, request }) => ({ tenant, request, status: 'PENDING' as const, nowMs })),
    );
    await expect(rig.changes.transact(both.actions)).rejects.toThrow();
    expect(await rig.changes.get(other.tenant, other.id)).toBeUndefined();
  });

  it('applies once though thirty executions want the same change', async () => {
    const { cloud } = rig.world;
    const subject = await dispatched();
    const { tenant, id } = subject;
    const arns: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      const runId = `run-${String(index).padStart(26, '0')}`;
      const { executionArn } = await cloud.call('states', 'StartExecution', {
        stateMachineArn: EXECUTOR_ARN,
        name: runId,
        input: JSON.stringify({
          run: { id: runId, tenant, attempt: 1 },
          request: { changeId: id, lease: 1 },
        }),
      });
      arns.push(executionArn);
    }
    await rig.over(subject);
    await cloud.advance(60_000);
    const ended = await Promise.all(
      arns.map((executionArn) => cloud.call('states', 'DescribeExecution', { executionArn })),
    );
    const outcomes = ended.map(({ status, output }) => [status, JSON.parse(output ?? '{}').outcome]);
    expect(outcomes.filter(([, outcome]) => outcome === 'applied')).toHaveLength(1);
    expect(outcomes.filter(([status]) => status !== 'SUCCEEDED')).toEqual([]);
    // Its own run never began: an execution of another name has it.
    const troubles = await appliedTroubles(rig, subject);
    expect(troubles.filter((trouble) => !trouble.startsWith('the history row says'))).toEqual([]);
  });
});
