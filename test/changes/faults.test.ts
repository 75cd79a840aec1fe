// Is a change applied once, whichever step of its execution fails, and is its record kept when the tables will not take it?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINUTE_MS, startChangeRig, type ChangeRig } from '../faults/change-rig.ts';
import { EXECUTOR_STATES, fastRows, playAll, playChangeRow, tableRows } from '../faults/change-rows.ts';
import { appliedTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  rig = await startChangeRig();
}, 120_000);
afterAll(() => rig.close());

it('has states to break', () => {
  expect(EXECUTOR_STATES.map(({ name }) => name)).toContain('ApplyChange');
});

describe.each(EXECUTOR_STATES)('change-execution $name', (state) => {
  playAll(fastRows(state), () => rig);
});

it('a step whose tables are away puts the change back, and it is applied once they are there again', async () => {
  const [apply] = EXECUTOR_STATES.filter(({ name }) => name === 'ApplyChange');
  for (const row of tableRows(apply!).slice(0, 1)) {
    const { troubles, hits } = await playChangeRow(rig, row);
    expect(troubles).toEqual([]);
    expect(hits).toBeGreaterThan(0);
  }
});

it('a record that the tables refuse waits in the bucket, calls somebody, and is merged: nothing is applied again', async () => {
  const { cloud, sandbox } = rig.world;
  const subject = await rig.subject();
  const tables = { service: 'dynamodb', when: 'before', effect: { kind: 'throttle' } } as const;
  rig.break(subject, { ...tables, function: 'record-change' });
  const sweep = cloud.faults.add({ function: 'sweep-changes', invocation: 'kill', when: 'before' });
  await rig.queue(subject);
  await cloud.until(async () => (await rig.records(subject)).length === 1);
  expect((await rig.change(subject)).status).toBe('EXECUTING');
  expect(sandbox.meta.effects(subject.account.id)).toHaveLength(1);
  const kept = cloud.metrics().filter(({ name, value }) => name === 'kept_records_total' && value > 0);
  expect(kept.length).toBeGreaterThan(0);

  // The bucket has it for as long as it takes; a sweep writes it when it can.
  sweep.remove();
  await rig.over(subject, 2 * MINUTE_MS);
  cloud.faults.clear();
  await cloud.advance(15 * MINUTE_MS);
  expect((await rig.change(subject)).lease).toBe(1);
  expect(
    (await appliedTroubles(rig, subject)).filter((trouble) => !trouble.includes('scheduledTime')),
  ).toEqual([]);
  await rig.retire(subject);
});
