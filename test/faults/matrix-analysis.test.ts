// Does every step up to the approved plan fail as the requirements say?
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastRows, playAll, STATES } from './matrix.ts';
import { startRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
}, 120_000);
afterAll(() => rig.close());

const SPLIT = STATES.findIndex(({ name }) => name === 'RenderGroup');
const MINE = STATES.slice(0, SPLIT);

it('has states to break', () => {
  expect(SPLIT).toBeGreaterThan(0);
});

describe.each(MINE)('$machine $name', (state) => {
  playAll(fastRows(state), () => rig);
});
