// Where does a record wait that the tables would not take?
import * as z from 'zod';
import { bucketNeed } from '../runtime/bucket.ts';
import { defineTask } from '../runtime/define-task.ts';
import { emitMetric } from '../runtime/metrics.ts';
import { keptRecordKey } from './kept-records.ts';
import { ChangeState, ExecutionMode, Outcome, Reserved, Seen } from './types.ts';
import { Value, Verdict } from './verdict.ts';

export const { handler, task } = defineTask({
  name: 'KeepRecord',
  input: z.object({
    change: ChangeState,
    verdict: Verdict,
    mode: ExecutionMode,
    seen: Seen.nullable(),
    reserved: Reserved.nullable(),
    after: Value.nullable(),
  }),
  output: z.object({ outcome: Outcome, changeId: z.string(), reason: z.string() }),
  needs: { bucket: bucketNeed([{ prefix: 'records/', access: 'write' }]) },
  // The tables are why it is here.
  withoutHistory: true,
  async run(input, { bucket, run, clock, log }) {
    const { change } = input;
    await bucket.putJson(keptRecordKey(run.tenant, change.id), { ...input, at: clock.now() });
    emitMetric('kept_records_total', 1, {});
    log.error('a record waits in the bucket until the tables take it', { changeId: change.id });
    return {
      outcome: 'kept' as const,
      changeId: change.id,
      reason: 'Its record waits until the tables take it.',
    };
  },
});
