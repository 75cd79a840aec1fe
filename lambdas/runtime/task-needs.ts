// Which rights does every task have beside its own?
import { bucketNeed, type Bucket } from './bucket.ts';
import type { Need } from './need.ts';
import { tableNeed, type Table } from './table.ts';

/** Merged into the needs of every task, so that the stacks see all grants in one place. */
export interface TaskRuntimeNeeds {
  history: Need<Table>;
  claims: Need<Bucket>;
  // An index signature, as `Needs` asks for.
  [name: string]: Need<Table> | Need<Bucket>;
}

/** History rows, memos and intents in the table runs; large payloads below claims/. */
export function taskRuntimeNeeds(options: { effects: boolean }): TaskRuntimeNeeds {
  return {
    history: tableNeed(
      'runs',
      options.effects ? ['GetItem', 'PutItem', 'UpdateItem', 'Query'] : ['GetItem', 'PutItem', 'UpdateItem'],
    ),
    claims: bucketNeed([
      { prefix: 'claims/', access: 'readExisting' },
      { prefix: 'claims/', access: 'write' },
    ]),
  };
}
