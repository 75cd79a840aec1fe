// Does the ad account end as it began, or with every object once, whatever Meta does to any call of publishing?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CALL_FAILURES,
  DELETIONS,
  playCall,
  playDeletion,
  playSilence,
  SILENCES,
} from '../faults/publish-calls.ts';
import { startRig, type Rig } from '../faults/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 300_000);
afterAll(() => rig.close());

describe('one call of publishing', () => {
  it.each(CALL_FAILURES)('$what: $failure', async (failure) => {
    const { troubles, hits } = await playCall(rig, failure);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});

describe('one call of publishing that is never answered', () => {
  it.each(SILENCES)('$edge: the time runs out $when it was applied', async (silence) => {
    const { troubles, hits } = await playSilence(rig, silence);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});

describe('undoing', () => {
  it.each(DELETIONS)('goes on after $after deletions when the next met $failure', async (deletion) => {
    const { troubles, hits } = await playDeletion(rig, deletion);
    expect(troubles).toEqual([]);
    expect(hits, 'the failure never met the run').toBe(1);
  });
});
