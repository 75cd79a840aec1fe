// Has this step already answered this input in an earlier attempt of the run?
import { hashOf } from './canonical.ts';
import { runKey } from './run-keys.ts';
import type { Table } from './table.ts';

/** Outputs of finished steps, under (run, state, hash of the input). Kept as long as the run. */
export interface Memo {
  /** `{ output }` so that an output of null is told from none. */
  recall(state: string, input: unknown): Promise<{ output: unknown } | undefined>;
  remember(state: string, input: unknown, output: unknown, expiresAt: number): Promise<void>;
}

/** Table runs: pk `<tenant>#run#<runId>`, sk `memo#<state>#<sha256 of the canonical input>`. Outputs come checked in (claims.ts). */
export function openMemo(table: Table, run: { tenant: string; id: string }): Memo {
  const key = (state: string, input: unknown) => ({
    pk: runKey(run.tenant, run.id),
    sk: `memo#${state}#${hashOf(input)}`,
  });
  return {
    async recall(state, input) {
      const item = await table.get(key(state, input));
      return item === undefined ? undefined : { output: JSON.parse(String(item['output'])) as unknown };
    },
    async remember(state, input, output, expiresAt) {
      await table.put({ Item: { ...key(state, input), output: JSON.stringify(output ?? null), expiresAt } });
    },
  };
}
