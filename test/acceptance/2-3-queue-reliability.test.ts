// 2.3 Queue processing reliability: is a queued change applied although the worker crashes, and without anybody restarting it?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultHandle } from '../../lib/local/faults.ts';
import { isOver } from '../../lambdas/changes/lifecycle.ts';
import { EXECUTOR_STATES } from '../faults/change-rows.ts';
import { MINUTE_MS, startChangeRig, type ChangeRig, type ChangeSubject } from '../faults/change-rig.ts';
import { appliedTroubles, letterTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  // Without the delay that spreads the load, of up to 18 s more.
  rig = await startChangeRig({ jitterSeconds: { min: 0, max: 0 } });
}, 120_000);
afterAll(() => rig.close());

/** Every function that takes changes from the queue or works on one dies as soon as it is called. */
function crashWorker(functions: readonly string[]): { restart(): void } {
  const { faults } = rig.world.cloud;
  const down: FaultHandle[] = functions.map((name) =>
    faults.add({ function: name, invocation: 'kill', when: 'before' }),
  );
  return { restart: () => down.forEach((fault) => fault.remove()) };
}
const DISPATCHERS = ['impresario-dev-wake-changes', 'impresario-dev-sweep-changes'];
const STEPS = EXECUTOR_STATES.map(({ functionName }) => functionName);

async function doneWithin(subject: ChangeSubject, ms: number): Promise<void> {
  const { cloud } = rig.world;
  const from = cloud.clock.now();
  await cloud.until(async () => isOver((await rig.change(subject)).status), { withinMs: 10 * MINUTE_MS });
  expect(cloud.clock.now() - from).toBeLessThanOrEqual(ms);
  await cloud.advance(2 * MINUTE_MS);
  expect(await appliedTroubles(rig, subject)).toEqual([]);
}

describe('2.3: the worker crashes', () => {
  it('before it took the job: the job stays PENDING and is done within a minute of the restart', async () => {
    const worker = crashWorker([...DISPATCHERS, ...STEPS]);
    const subject = await rig.subject();
    await rig.queue(subject);
    await rig.world.cloud.advance(10_000);
    expect((await rig.change(subject)).status).toBe('PENDING');
    worker.restart();
    await doneWithin(subject, MINUTE_MS);
  });

  it('again and again in the middle of the job: it is PENDING again with a time and a reason', async () => {
    const { cloud } = rig.world;
    const worker = crashWorker(STEPS.filter((name) => !/claim|release|read-live/.test(name)));
    const subject = await rig.subject();
    await rig.queue(subject);
    await cloud.until(async () => (await rig.change(subject)).statusCode === 'failed-once');
    const { status, statusReason, notBefore } = await rig.change(subject);
    expect(status).toBe('PENDING');
    expect(statusReason).toContain('Runtime.ExitError');
    expect(notBefore).toBeGreaterThan(cloud.clock.now());
    worker.restart();
    await cloud.advance(notBefore - cloud.clock.now());
    await doneWithin(subject, MINUTE_MS);
  });

  it('and its execution is aborted: the sweep takes the change back and starts it again', async () => {
    const { cloud } = rig.world;
    const subject = await rig.subject();
    const off = cloud.onTransition(({ type, stateName, executionArn }) => {
      if (type !== 'entered' || stateName !== 'ReadLive') return;
      const input = { executionArn, error: 'Crashed', cause: 'by a test' };
      void cloud.states.call('StopExecution', input, { principal: { kind: 'administrator' } });
      off();
    });
    await rig.queue(subject);
    await cloud.settle();
    expect((await rig.executions(subject)).map(({ status }) => status)).toEqual(['ABORTED']);
    expect((await rig.change(subject)).status).toBe('CLAIMED');
    const stoppedAt = cloud.clock.now();
    await rig.over(subject);
    await cloud.advance(MINUTE_MS);
    const story = await rig.histories.story(subject.tenant, subject.id);
    expect(story.map(({ move, lease }) => [lease, move])).toEqual([
      [1, 'claim'],
      [1, 'reclaim'],
      [2, 'claim'],
      [2, 'begin'],
      [2, 'complete'],
    ]);
    const [, taken, again] = story;
    expect(taken).toMatchObject({ status: 'PENDING', reason: expect.stringContaining('ABORTED') as string });
    expect((taken?.at ?? 0) - stoppedAt).toBeLessThanOrEqual(MINUTE_MS);
    // What the execution asked of the platform last may still arrive for a minute; then the next sweep starts it.
    expect((again?.at ?? 0) - stoppedAt).toBeLessThanOrEqual(2 * MINUTE_MS);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
  });

  it.each([
    { lost: 'stream', still: 'sweep', name: 'impresario-dev-wake-changes', withinMs: MINUTE_MS },
    { lost: 'sweep', still: 'stream', name: 'impresario-dev-sweep-changes', withinMs: 0 },
  ])('and the $lost is lost: the $still alone starts it', async ({ name, withinMs }) => {
    const worker = crashWorker([name]);
    const subject = await rig.subject();
    const { createdAt } = await rig.queue(subject);
    await rig.over(subject);
    worker.restart();
    await rig.world.cloud.advance(MINUTE_MS);
    const [claimed] = await rig.histories.story(subject.tenant, subject.id);
    expect(claimed?.move).toBe('claim');
    expect((claimed?.at ?? 0) - createdAt).toBeLessThanOrEqual(withinMs);
    expect(await letterTroubles(rig, true)).toEqual([]);
    expect(await appliedTroubles(rig, subject)).toEqual([]);
  });
});
