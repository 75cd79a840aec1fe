// Does every example of a change run on a laptop, say what each state did, and end with the right exit code?
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemblyOfToday, makeAssembly } from '../../lib/laptop/assembly.ts';
import { CACHE_DIR } from '../../lib/laptop/laptop.ts';
import { command, ROOT } from './console.ts';

const folder = mkdtempSync(join(tmpdir(), 'impresario-'));
const cacheDir = join(folder, 'cache');
const EVENTS = join(ROOT, 'events', 'change-execution');

beforeAll(async () => {
  const { directory, isCurrent } = assemblyOfToday(CACHE_DIR);
  if (!isCurrent) await makeAssembly(directory);
  mkdirSync(cacheDir);
  symlinkSync(join(CACHE_DIR, 'cdk.out'), join(cacheDir, 'cdk.out'));
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const UP_TO_LIMITS = [
  'ClaimChange',
  'Claimed?',
  'Jitter',
  'ReadLive',
  'CheckPolicy',
  'ReserveLimits',
  'Go ahead?',
];
const APPLIED = {
  exitCode: 0,
  says: /"outcome": "applied"/,
  states: [...UP_TO_LIMITS, 'ApplyChange', 'VerifyChange', 'RecordChange'],
};

/** By the name of the file. */
const ENDINGS: Readonly<Record<string, { exitCode: number; says: RegExp; states: readonly string[] }>> = {
  'budget-increase.json': APPLIED,
  'happy.json': APPLIED,
  'degraded-too-fast.json': {
    exitCode: 0,
    says: /"outcome": "blocked"[^]*more than 20 % above/,
    states: [...UP_TO_LIMITS, 'RecordChange'],
  },
  'failing-no-ad-budget.json': {
    exitCode: 1,
    says: /An ad has no budget of its own: it is set on its ad set/,
    states: ['ClaimChange', 'Failed'],
  },
};

describe('run change-execution', () => {
  it('has an ending for every example', () => {
    expect(readdirSync(EVENTS).toSorted()).toEqual(Object.keys(ENDINGS).toSorted());
  });

  it.each(Object.entries(ENDINGS))('%s', { timeout: 60_000 }, async (name, ending) => {
    const said = await command(['run', 'change-execution', join(EVENTS, name)], { cacheDir });
    expect(said.err).toBe('');
    expect(said.exitCode).toBe(ending.exitCode);
    // A line per state, in the order in which the change passed through them.
    const states = [...said.out.matchAll(/^ {2}[✓✗–] (.+?)(?: {2,}|$)/gm)].map(([, state]) => state);
    expect(states).toEqual(ending.states);
    expect(said.out).toMatch(ending.says);
  });
});
