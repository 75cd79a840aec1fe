// 3.3 Meta API failure recovery: does a change wait while the platform limits us, and is it applied once it no longer does?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOver } from '../../lambdas/changes/lifecycle.ts';
import { ask } from '../support/api.ts';
import {
  HOUR_MS,
  MINUTE_MS,
  startChangeRig,
  type ChangeRig,
  type ChangeSubject,
} from '../faults/change-rig.ts';
import { appliedTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  // Without the delay that spreads the load, of up to 18 s more.
  rig = await startChangeRig({ jitterSeconds: { min: 0, max: 0 } });
}, 120_000);
afterAll(() => rig.close());

/** Until it was tried and put off. */
async function putOff(
  subject: ChangeSubject,
): Promise<{ statusCode: string; statusReason: string; notBefore: number }> {
  await rig.world.cloud.until(async () => (await rig.change(subject)).deferrals > 0, {
    withinMs: 3 * MINUTE_MS,
  });
  const change = await rig.change(subject);
  expect(change.status).toBe('PENDING');
  expect(change.notBefore).toBeGreaterThan(rig.world.cloud.clock.now());
  expect(change.statusReason).not.toBe('');
  // Waiting is no attempt.
  expect(change.attempts).toBe(0);
  return change;
}

/** Done within a minute of the moment from which it may be. */
async function doneAfter(subject: ChangeSubject, freeAtMs: number): Promise<void> {
  const { cloud } = rig.world;
  await cloud.advance(Math.max(0, freeAtMs - cloud.clock.now()));
  const from = cloud.clock.now();
  await cloud.until(async () => isOver((await rig.change(subject)).status), { withinMs: 10 * MINUTE_MS });
  expect(cloud.clock.now() - from).toBeLessThanOrEqual(MINUTE_MS);
  await cloud.advance(MINUTE_MS);
  expect(await appliedTroubles(rig, subject)).toEqual([]);
}

describe('3.3: the platform limits us', () => {
  it('the job stays PENDING with a time and a reason, and is done once the limit is gone', async () => {
    const { meta } = rig.world.sandbox;
    const subject = await rig.subject();
    meta.throttle(subject.account.id, { forMs: HOUR_MS });
    await rig.queue(subject);
    expect((await rig.change(subject)).status).toBe('PENDING');
    const { statusCode, notBefore } = await putOff(subject);
    expect(statusCode).toBe('throttled');
    const shown = await ask(rig.world, `GET /v1/changes/${subject.id}`, { tenant: subject.tenant });
    expect(shown.body).toMatchObject({ status: 'PENDING' });
    meta.throttle(subject.account.id, false);
    await doneAfter(subject, notBefore);
  });

  it.each([4, 17, 613, 80_004] as const)('with code %i', async (code) => {
    const { meta } = rig.world.sandbox;
    const subject = await rig.subject();
    meta.throttle(subject.account.id, { forMs: 20 * MINUTE_MS, code });
    await rig.queue(subject);
    const { statusCode, notBefore } = await putOff(subject);
    expect(statusCode).toBe('throttled');
    meta.throttle(subject.account.id, false);
    await doneAfter(subject, notBefore);
  });
});
