// What becomes of a run whose review nobody answers?
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isOpen, startRig, type Rig } from '../faults/rig.ts';
import { troubles } from '../faults/verify.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 300_000);
afterAll(() => rig.close());

it('ends rejected after a day, and nothing is rendered or published', async () => {
  const subject = await rig.subject();
  rig.break(subject, { function: 'draft-battle-plan', invocation: 'error', errorType: 'Refused' });
  await rig.start(subject);
  await rig.world.cloud.until(async () => (await rig.review(subject))?.status === 'open');
  const row = await rig.runs.get(subject.tenant, subject.runId);
  expect(row && isOpen(row)).toBe(true);
  const askedAt = rig.world.cloud.clock.now();
  expect((await rig.ended(subject)).status).toBe('SUCCEEDED');
  expect(rig.world.cloud.clock.now() - askedAt).toBeGreaterThanOrEqual(24 * 3_600_000 - 60_000);
  expect((await rig.runs.get(subject.tenant, subject.runId))?.status).toBe('rejected');
  expect(await troubles(rig, subject, 'nothing')).toEqual([]);
});
