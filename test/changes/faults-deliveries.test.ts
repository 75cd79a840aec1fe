// Is a change applied once although hints arrive twice, and executions are stopped, run out of time, or are two?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MINUTE_MS, startChangeRig, type ChangeRig } from '../faults/change-rig.ts';
import { playStop, playTimeout, STOPPABLE } from '../faults/change-stops.ts';
import { appliedTroubles } from '../faults/change-verify.ts';

let rig: ChangeRig;
beforeAll(async () => {
  rig = await startChangeRig();
}, 120_000);
afterAll(() => rig.close());

describe('a hint', () => {
  it.each(['impresario-dev-wake-changes', 'impresario-dev-sweep-changes'])(
    'of %s that comes twice starts nothing twice',
    async (name) => {
      const { cloud } = rig.world;
      const subject = await rig.subject();
      const others = cloud.faults.add({
        function: name.includes('sweep') ? 'wake-changes' : 'sweep-changes',
        invocation: 'kill',
        when: 'before',
      });
      const twice = cloud.faults.add({ function: name, invocation: 'duplicate' });
      await rig.queue(subject);
      await rig.over(subject, 10 * MINUTE_MS);
      for (const fault of [others, twice]) fault.remove();
      await cloud.advance(2 * MINUTE_MS);
      expect(twice.hits).toBeGreaterThan(0);
      expect(await rig.executions(subject)).toHaveLength(1);
      const troubles = await appliedTroubles(rig, subject);
      expect(troubles.filter((trouble) => !/(wake|sweep)-changes-dead-letters/.test(trouble))).toEqual([]);
      await rig.retire(subject);
    },
  );
});

describe('an execution', () => {
  it.each(STOPPABLE)('stopped in $name is taken up by another', async (state) => {
    const { troubles, hits } = await playStop(rig, state, 'entry');
    expect(troubles).toEqual([]);
    expect(hits, 'the execution never came there').toBe(1);
  });

  it.each([4, 8, 12])(
    'stopped at request %i of ApplyChange, which goes on, is taken up by another',
    async (index) => {
      const [apply] = STOPPABLE.filter(({ name }) => name === 'ApplyChange');
      const { troubles, hits } = await playStop(rig, apply!, { index, when: 'after' });
      expect(troubles).toEqual([]);
      expect(hits, 'the function never came there').toBe(1);
    },
  );

  it('out of time in ApplyChange is taken up by another', async () => {
    const [apply] = STOPPABLE.filter(({ name }) => name === 'ApplyChange');
    const { troubles, hits } = await playTimeout(rig, apply!);
    expect(troubles).toEqual([]);
    expect(hits).toBeGreaterThan(0);
  });
});
