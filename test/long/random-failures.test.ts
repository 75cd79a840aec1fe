// Do a thousand runs at once keep every promise while parts of the world fail at random?
//
// SEED=<number> plays the same failures again; RUNS=<number> sets how many runs (default 1,000).
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom, integer, type Random } from '../../lib/sandbox/corpus/shots.ts';
import type { CloudService } from '../../lib/local/types.ts';
import { INVOCATION_KINDS } from '../faults/kinds.ts';
import { STATES } from '../faults/matrix.ts';
import { isOpen, startRig, type Rig, type RunFault, type Subject } from '../faults/rig.ts';
import { troubles } from '../faults/verify.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const RUNS = Number(process.env['RUNS'] ?? 1_000);
/** One failure for every run, each of up to three calls. */
const FAILURES = Math.max(20, RUNS);
const HOUR_MS = 3_600_000;

const SERVICES: readonly CloudService[] = [
  'dynamodb',
  'sqs',
  's3',
  'events',
  'states',
  'lambda',
  'secretsmanager',
];
const FUNCTIONS = [
  ...new Set(STATES.map(({ functionName }) => functionName)),
  'impresario-dev-settle-run',
  'impresario-dev-sweep-runs',
];

let rig: Rig;
beforeAll(async () => {
  process.stdout.write(`SEED=${SEED} RUNS=${RUNS}\n`);
  rig = await startRig({ seed: SEED });
}, 300_000);
afterAll(() => rig.close());

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[integer(random, 0, values.length - 1)];
  if (value === undefined) throw new Error('Nothing to pick from.');
  return value;
}

function randomFault(random: Random): RunFault {
  const times = integer(random, 1, 3);
  const functionName = pick(random, FUNCTIONS);
  const when = pick(random, ['before', 'after'] as const);
  switch (integer(random, 0, 4)) {
    case 0:
      return { ...pick(random, INVOCATION_KINDS).of(functionName), times };
    case 1:
      // Killed at any of its requests.
      return {
        function: functionName,
        callIndex: integer(random, 1, 30),
        when,
        effect: { kind: 'kill' },
        times,
      };
    case 2:
      return {
        function: functionName,
        callIndex: integer(random, 1, 30),
        when: 'after',
        effect: { kind: 'lost-reply' },
        times,
      };
    case 3:
      return {
        host: '/meta/',
        when,
        effect: pick(random, [{ kind: 'lost-reply' }, { kind: 'throttle' }, { kind: 'timeout' }] as const),
        times,
      };
    default: {
      const effect = pick(random, [
        { kind: 'throttle' },
        { kind: 'lost-reply' },
        { kind: 'error', code: 'InternalServerError', status: 500 },
      ] as const);
      return { service: pick(random, SERVICES), function: functionName, when, effect, times };
    }
  }
}

it('keeps every promise', async () => {
  const random = seededRandom(SEED);
  const { world } = rig;
  const subjects: Subject[] = [];
  for (let made = 0; made < RUNS; made += 1) subjects.push(await rig.subject());
  const faults = Array.from({ length: FAILURES }, () => world.cloud.faults.add(randomFault(random)));

  const ended = new Set<string>();
  const off = world.cloud.onTransition(({ type, status, executionArn }) => {
    if (type === 'execution' && status !== 'RUNNING') ended.add(executionArn);
  });
  await Promise.all(subjects.map((subject) => rig.start(subject)));
  const all = subjects.flatMap(({ executions }) => executions);
  await world.cloud.until(() => all.every((arn) => ended.has(arn)), { stuckAfterMs: 300_000 });
  off();
  // What is settled late is settled by the sweep, which nothing hinders any more.
  world.cloud.faults.clear();
  await world.cloud.advance(2 * HOUR_MS, { stuckAfterMs: 300_000 });

  const found: string[] = [];
  const endings = { published: 0, nothing: 0 };
  for (const subject of subjects) {
    const { status } = await rig.describe(subject);
    const row = await rig.runs.get(subject.tenant, subject.runId);
    const says = (what: string): void => void found.push(`${subject.runId}: ${what}`);
    if (row === undefined || isOpen(row)) says(`the history says ${row?.status}, the execution ${status}`);
    const ending = row?.status === 'succeeded' ? 'published' : 'nothing';
    if ((status === 'SUCCEEDED') !== (row?.status === 'succeeded' || row?.status === 'rejected'))
      says(`the execution ${status}, the row ${row?.status}`);
    endings[ending] += 1;
    for (const trouble of await troubles(rig, subject, ending)) says(trouble);
  }
  const hits = faults.reduce((sum, fault) => sum + fault.hits, 0);
  const { published, nothing } = endings;
  process.stdout.write(`SEED=${SEED}: ${hits} failures, ${published} published, ${nothing} with nothing\n`);
  expect(found).toEqual([]);
  // Otherwise nothing was tried.
  expect(hits).toBeGreaterThan(FAILURES / 4);
  expect(endings.published).toBeGreaterThan(RUNS / 2);
});
