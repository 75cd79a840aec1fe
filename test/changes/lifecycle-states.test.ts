// Can a change's own states be reached in any order that breaks a promise? Every order is tried.
//
// Two dispatchers, executions with leases that crash at any point, a platform that does or does not do what it is asked and whose
// replies get lost, people, the clock and the kill switch: breadth-first over every state that any interleaving reaches. Who may
// write what is the product's own table (lifecycle.ts); what the actors know is what they read before.
import { expect, it } from 'vitest';
import { explore } from './model/explore.ts';
import { mayMove, MOVES, type MoveName, type Position } from '../../lambdas/changes/lifecycle.ts';

it('every interleaving keeps every promise', () => {
  const { visited, violations } = explore(mayMove);
  process.stdout.write(`states visited: ${visited}, violations: ${violations.length}\n`);
  expect(violations).toEqual([]);
  expect(visited).toBeGreaterThan(1_000);
});

/** The table with one rule less. */
const broken: readonly [what: string, rule: (name: MoveName, at: Position, lease?: number) => boolean][] = [
  [
    'leased moves ask for no lease',
    (name, at, lease) => mayMove(name, at, MOVES[name].leased ? at.lease : lease),
  ],
  [
    'what may have been written can be withdrawn',
    (name, at, lease) => mayMove(name, { ...at, touched: false }, lease),
  ],
  [
    'what is over can be taken up again',
    (name, at, lease) => mayMove(name, at, lease) || (name === 'dispatch' && at.status === 'COMPLETED'),
  ],
  [
    'what is being executed can be cancelled',
    (name, at, lease) => mayMove(name, at, lease) || (name === 'cancel' && at.status === 'EXECUTING'),
  ],
  ['nothing is ever reclaimed', (name, at, lease) => name !== 'reclaim' && mayMove(name, at, lease)],
  [
    'nothing that is held is let go',
    (name, at, lease) =>
      !['release', 'approve', 'reject', 'cancel', 'expire', 'supersede'].includes(name) &&
      mayMove(name, at, lease),
  ],
];

it.each(broken)('notices when %s', (_what, rule) => {
  expect(explore(rule, { mostViolations: 1 }).violations).not.toEqual([]);
});
