// Which rights does a step need that says: what this run made stays?
import { keepIntents, type EffectsOwner } from './intents.ts';
import type { Need } from './need.ts';
import { tableNeed } from './table.ts';

export interface Intents {
  /** The run has succeeded: see keepIntents. */
  keep(run: EffectsOwner): Promise<void>;
}

const table = tableNeed('runs', ['Query', 'UpdateItem', 'ConditionCheckItem']);

export const intentsNeed: Need<Intents> = {
  ...table,
  open(env, context) {
    const rows = table.open(env, context);
    return { keep: (run) => keepIntents(rows, run) };
  },
};
