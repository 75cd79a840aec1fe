// Does every step survive every failure, at every request that it sends, and may a run be stopped at any of them?
//
// SLICE=1/4 plays every fourth state, beginning with the first; STATES=IngestVideo,WaitForVideos plays these. Both: a slice of these.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALL_KINDS } from '../faults/kinds.ts';
import { callRows, invocationRows, lostWrites, playAll, STATES, type NamedRow } from '../faults/matrix.ts';
import { startRig, type Rig } from '../faults/rig.ts';
import { FOR_GOOD, playRow, type RowResult } from '../faults/rows.ts';
import { playStop, stopAll, STOPPABLE, TAKES_TIME, timeOutAll } from '../faults/stops.ts';
import { queueTroubles } from '../faults/verify.ts';

/** More requests than any step sends. */
const MOST_REQUESTS = 400;
const HOUR_MS = 3_600_000;

const MINE = chosen(process.env['SLICE'] ?? '1/1', process.env['STATES']?.split(','));

/** @throws Error when the slice is none, or nothing is called so */
function chosen(slice: string, names: readonly string[] | undefined): typeof STOPPABLE {
  const [part = 0, parts = 0] = slice.split('/').map(Number);
  if (!(part >= 1 && part <= parts)) throw new Error(`SLICE=${slice} is not like 1/4.`);
  const unknown = names?.filter((name) => STOPPABLE.every((state) => state.name !== name)) ?? [];
  if (unknown.length > 0) throw new Error(`There are no states ${unknown.join(', ')}.`);
  return STOPPABLE.filter(({ name }) => names === undefined || names.includes(name)).filter(
    (_, index) => index % parts === part - 1,
  );
}

const isMine = ({ machine, name }: { machine: string; name: string }): boolean =>
  MINE.some((state) => state.machine === machine && state.name === name);

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

/** Request after request, until the step sends none any more: how many there were, and what was not as it must be. */
async function atEachRequest(
  what: string,
  play: (index: number) => Promise<RowResult>,
): Promise<{ played: number; found: string[] }> {
  const found: string[] = [];
  let played = 0;
  for (let index = 1; index <= MOST_REQUESTS; index += 1) {
    const { troubles, hits } = await play(index);
    if (hits === 0) break;
    played += 1;
    found.push(...troubles.map((trouble) => `request ${index}: ${trouble}`));
  }
  process.stdout.write(`${what}: ${played} requests, ${found.length} troubles\n`);
  return { played, found };
}

const TASKS = STATES.filter(isMine);

describe.runIf(TASKS.length > 0).each(TASKS)('$machine $name', (state) => {
  playAll([...invocationRows(state, [1, FOR_GOOD]), lostWrites(state)].filter(playable), () => rig);

  it.each(CALL_KINDS)('survives $name, at each of its requests', async ({ name }) => {
    const { played, found } = await atEachRequest(`${state.name}, ${name}`, (index) =>
      playRow(rig, STATES, state, { ...callRows(state, name, index), redrive: false }),
    );
    expect(found).toEqual([]);
    expect(played).toBeGreaterThan(0);
  });

  it.each(['before', 'after'] as const)('may be stopped %s each of its requests', async (when) => {
    const { played, found } = await atEachRequest(`${state.name}, stopped ${when}`, (index) =>
      playStop(rig, { ...state, type: 'Task' }, { index, when }, false),
    );
    expect(found).toEqual([]);
    expect(played).toBeGreaterThan(0);
  });
});

describe.runIf(MINE.length > 0)('an execution', () => {
  const entries = MINE.map((state) => ({ state, moment: 'entry' as const }));
  const questions = MINE.filter(({ name }) => name === 'AskForReview').map((state) => ({
    state,
    moment: 'question' as const,
  }));
  stopAll([...entries, ...questions], true, () => rig);
  timeOutAll(TAKES_TIME.filter(isMine), true, () => rig);

  it('leaves nothing in any queue', async () => {
    // A message that is shown again after its visibility timeout finds its work done.
    await rig.world.cloud.advance(HOUR_MS);
    expect(await queueTroubles(rig)).toEqual([]);
  });
});
