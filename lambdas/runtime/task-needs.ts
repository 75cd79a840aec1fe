// Which rights does every task have beside its own?
import { claimsNeed } from './claims-need.ts';
import type { ClaimStore } from './claims.ts';
import type { Need } from './need.ts';
import { tableNeed, type Table } from './table.ts';

/** Merged into the needs of every task, so that the stacks see all grants in one place. */
export interface TaskRuntimeNeeds {
  history: Need<Table>;
  claims: Need<ClaimStore>;
  // An index signature, as `Needs` asks for.
  [name: string]: Need<Table> | Need<ClaimStore>;
}

/** History rows, memos and intents in the table runs; large payloads below claims/. */
export function taskRuntimeNeeds(options: {
  effects: boolean;
  undoes: boolean;
  memoised: boolean;
}): TaskRuntimeNeeds {
  return {
    history: tableNeed('runs', [
      'PutItem',
      'UpdateItem',
      // Outputs of earlier attempts, and what an effect finds when it was begun before.
      ...(options.effects || options.memoised ? (['GetItem'] as const) : []),
      ...(options.effects || options.undoes ? (['Query'] as const) : []),
      // An effect begins only while nobody undoes its attempt.
      ...(options.effects ? (['ConditionCheckItem'] as const) : []),
    ]),
    claims: claimsNeed,
  };
}
