// Does every step of the second part of a run fail as the requirements say?
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
const MINE = STATES.slice(SPLIT);

it('has states to break', () => {
  expect(SPLIT).toBeGreaterThan(0);
});

describe.each(MINE)('$machine $name', (state) => {
  playAll(fastRows(state), () => rig);
});
