// Does every step of the first part of a run fail as the requirements say?
// Of each step two kinds of failure in turn; test/long/whole-matrix.test.ts plays all kinds at all steps.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastRows, playAll, STATES } from './matrix.ts';
import { startRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

// As much work in either file: they run side by side.
const SPLIT = Math.ceil(STATES.length * 0.45);
const MINE = STATES.slice(0, SPLIT);

it('has states to break', () => {
  expect(SPLIT).toBeGreaterThan(0);
});

it('has two kinds at least for each step, and all kinds for all steps together', () => {
  const rows = STATES.map((state) => fastRows(state));
  expect(rows.filter(({ length }) => length < 2)).toEqual([]);
  const kinds = new Set(rows.flat().map(({ name, state }) => name.slice(`${state.name}: `.length)));
  expect([...kinds].toSorted()).toEqual([
    'Conflict once',
    'InvalidInput once',
    'RateLimited once',
    'Refused once',
    'Unavailable once',
    'a bug for good',
    'a kill after the handler once',
    'the replies to its writes are lost',
  ]);
});

describe.each(MINE)('$machine $name', (state) => {
  playAll(fastRows(state), () => rig);
});
