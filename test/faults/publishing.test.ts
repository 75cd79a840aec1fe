// Does the ad account end as it began, or with every object once, whatever Meta does to one call?
// Each call and each failure once; test/long/publishing.test.ts plays every failure of every call.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALL_FAILURES, DELETIONS, playCall, playDeletion, playSilence, SILENCES } from './publish-calls.ts';
import { startRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

describe('one call of publishing', () => {
  const failures = CALL_FAILURES.filter(({ inTurn }) => inTurn);
  it.each(failures)('$what: $failure', async (failure) => {
    const { troubles, hits } = await playCall(rig, failure);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});

describe('one call of publishing that is never answered', () => {
  const silences = SILENCES.filter(({ fast }) => fast);
  it.each(silences)('$edge: the time runs out $when it was applied', async (silence) => {
    const { troubles, hits } = await playSilence(rig, silence);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});

describe('undoing', () => {
  const deletions = DELETIONS.filter(({ fast }) => fast);
  it.each(deletions)('goes on after $after deletions when the next met $failure', async (deletion) => {
    const { troubles, hits } = await playDeletion(rig, deletion);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});
