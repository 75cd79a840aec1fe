// Which rights does a function need to read, start or end runs?
import { claimsNeed as claims } from './claims-need.ts';
import type { Need } from './need.ts';
import { openRuns, type Runs } from './runs.ts';
import { tableNeed, type TableAction } from './table.ts';

const ACTIONS = {
  read: ['GetItem', 'Query'],
  /** open, reopen, setStatus, close and the stored request. */
  write: ['GetItem', 'PutItem', 'UpdateItem'],
  close: ['GetItem', 'UpdateItem'],
  end: ['GetItem', 'Query', 'UpdateItem'],
} as const satisfies Record<string, readonly TableAction[]>;

/** `read`: get, list, openBefore. `write`: open, request, setStatus, close, reopen. `close`: get, setStatus, close. `end`: that and closeSteps. */
export function runsNeed(...access: readonly (keyof typeof ACTIONS)[]): Need<Runs> {
  const table = tableNeed('runs', [
    ...new Set(access.flatMap((kind): readonly TableAction[] => ACTIONS[kind])),
  ]);
  const claimsToo = access.includes('write');
  return {
    grants: claimsToo ? [...table.grants, ...claims.grants] : table.grants,
    env: claimsToo ? { ...table.env, ...claims.env } : table.env,
    open(env, context) {
      const absent = { getJson: () => notGranted(), putJson: () => notGranted() };
      return openRuns(table.open(env, context), claimsToo ? claims.open(env, context) : absent);
    },
  };
}

function notGranted(): Promise<never> {
  return Promise.reject(new Error("Starting runs and reading their requests needs runsNeed('write')."));
}
