// Does a change survive every failure of every step of its execution, at every request that it sends?
//
// STATE=ApplyChange plays this state alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALL_KINDS } from '../faults/kinds.ts';
import { startChangeRig, type ChangeRig } from '../faults/change-rig.ts';
import { playStop, playTimeout } from '../faults/change-stops.ts';
import {
  callRow,
  EXECUTOR_STATES,
  invocationRows,
  lostWrites,
  playAll,
  playChangeRow,
  tableRows,
} from '../faults/change-rows.ts';

const ONLY = process.env['STATE'];
const MINE = EXECUTOR_STATES.filter(({ name }) => ONLY === undefined || name === ONLY);
/** More requests than any step sends. */
const MOST_REQUESTS = 100;

let rig: ChangeRig;
beforeAll(async () => {
  rig = await startChangeRig();
}, 300_000);
afterAll(() => rig.close());

it('has states to break', () => {
  expect(MINE.length).toBeGreaterThan(0);
});

describe.each(MINE)('change-execution $name', (state) => {
  playAll([...invocationRows(state), lostWrites(state), ...tableRows(state)], () => rig);

  it.each(CALL_KINDS)('survives $name, at each of its requests', async ({ name }) => {
    const found: string[] = [];
    let played = 0;
    for (let index = 1; index <= MOST_REQUESTS; index += 1) {
      const { troubles, hits } = await playChangeRow(rig, callRow(state, name, index));
      // The step sends fewer requests than this.
      if (hits === 0) break;
      played += 1;
      found.push(...troubles.map((trouble) => `request ${index}: ${trouble}`));
    }
    process.stdout.write(`${state.name}: ${name}: ${played} requests, ${found.length} troubles\n`);
    expect(found).toEqual([]);
    expect(played).toBeGreaterThan(0);
  });

  it('is taken up by another execution when its own is stopped at any of its requests, and it goes on', async () => {
    const found: string[] = [];
    let played = 0;
    for (let index = 1; index <= MOST_REQUESTS; index += 1) {
      for (const when of ['before', 'after'] as const) {
        const { troubles, hits } = await playStop(rig, { ...state, type: 'Task' }, { index, when });
        played += hits;
        found.push(...troubles.map((trouble) => `${when} request ${index}: ${trouble}`));
      }
      if (played < 2 * index) break;
    }
    process.stdout.write(`${state.name}: stopped: ${played} moments, ${found.length} troubles\n`);
    expect(found).toEqual([]);
    expect(played).toBeGreaterThan(0);
  });

  it('is taken up by another execution when the time of its own is over', async () => {
    const { troubles, hits } = await playTimeout(rig, { ...state, type: 'Task' });
    expect(troubles).toEqual([]);
    expect(hits).toBeGreaterThan(0);
  });
});
