// Does every step survive every failure, at every request that it sends?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALL_KINDS } from '../faults/kinds.ts';
import { callRows, invocationRows, lostWrites, playAll, STATES, type NamedRow } from '../faults/matrix.ts';
import { startRig, type Rig } from '../faults/rig.ts';
import { FOR_GOOD, playRow } from '../faults/rows.ts';

/** More requests than any step sends. */
const MOST_REQUESTS = 400;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 300_000);
afterAll(() => rig.close());

/**
 * settle-run waits inside its own invocation for an undo that never ends, and virtual time stands still while an invocation
 * runs: that one row can only be played in real time.
 */
const playable = ({ name, state, times }: NamedRow): boolean =>
  !(state.name.startsWith('Undo') && times === FOR_GOOD && name.includes('a timeout'));

describe.each(STATES)('$machine $name', (state) => {
  playAll([...invocationRows(state, [1, FOR_GOOD]), lostWrites(state)].filter(playable), () => rig);

  it.each(CALL_KINDS)('survives $name, at each of its requests', async ({ name }) => {
    const found: string[] = [];
    let played = 0;
    for (let index = 1; index <= MOST_REQUESTS; index += 1) {
      const row = { ...callRows(state, name, index), redrive: false };
      const { troubles, hits } = await playRow(rig, STATES, state, row);
      // The step sends fewer requests than this.
      if (hits === 0) break;
      played += 1;
      found.push(...troubles.map((trouble) => `request ${index}: ${trouble}`));
    }
    expect(found).toEqual([]);
    expect(played).toBeGreaterThan(0);
  });
});
