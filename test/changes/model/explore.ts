// Which states can one change reach when everything that may happen happens in every order?
import { isOver } from '../../../lambdas/changes/lifecycle.ts';
import { faultOf, FIRST, keyOf, MOST_LEASES, next, type Rule, type State } from './possible.ts';

export interface Explored {
  visited: number;
  /** Each with the shortest way there. */
  violations: string[];
}

/** Breadth-first over everything that `may` allows. Also a violation: a state from which no end can be reached. */
export function explore(may: Rule, { mostViolations = 5 } = {}): Explored {
  const from = new Map<string, string | undefined>([[keyOf(FIRST), undefined]]);
  const backwards = new Map<string, string[]>();
  const ends: string[] = [];
  const violations: string[] = [];
  const way = (key: string): string => {
    const steps = [key];
    for (let back = from.get(key); back !== undefined; back = from.get(back)) steps.unshift(back);
    return steps.join('\n');
  };
  let frontier: State[] = [FIRST];
  while (frontier.length > 0) {
    const reached: State[] = [];
    for (const state of frontier) {
      const key = keyOf(state);
      // Nobody dispatches the last lease again: that is the end of the model, not of the product.
      if (isOver(state.status) || (state.status === 'PENDING' && state.lease === MOST_LEASES)) ends.push(key);
      for (const after of next(state, may)) {
        const name = keyOf(after);
        if (name === key) continue;
        const known = backwards.get(name);
        if (known === undefined) backwards.set(name, [key]);
        else known.push(key);
        if (from.has(name)) continue;
        from.set(name, key);
        const fault = faultOf(after);
        if (fault !== undefined) {
          violations.push(`${fault}:\n${way(name)}`);
          if (violations.length >= mostViolations) return { visited: from.size, violations };
          continue;
        }
        reached.push(after);
      }
    }
    frontier = reached;
  }
  violations.push(
    ...stuck(from, backwards, ends)
      .slice(0, mostViolations)
      .map((key) => `no end can be reached:\n${way(key)}`),
  );
  return { visited: from.size, violations };
}

function stuck(
  from: ReadonlyMap<string, unknown>,
  backwards: ReadonlyMap<string, readonly string[]>,
  ends: readonly string[],
): string[] {
  const good = new Set(ends);
  const queue = [...ends];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    for (const before of backwards.get(key) ?? []) {
      if (good.has(before)) continue;
      good.add(before);
      queue.push(before);
    }
  }
  return [...from.keys()].filter((key) => !good.has(key));
}
