// What shall become of a change that was taken up?
import * as z from 'zod';
import { CONFIGURED_STATUSES } from './change.ts';

/** An amount in minor units or a configured status. */
export const Value = z.union([z.enum(CONFIGURED_STATUSES), z.number().int()]);
export type Value = z.infer<typeof Value>;

const because = {
  /** A word to count by: `velocity`, `kill-switch`, `moved`, … */
  code: z.string(),
  /** A sentence for a person. */
  reason: z.string(),
};

/**
 * The first no wins: a step that receives one passes it on. Times are epoch milliseconds.
 *
 * `apply`: nothing speaks against it so far. `applied`: the platform took it now, or an earlier try had reached it. `checked`:
 * validated or decided without a write, as its mode says. `needless`: somebody had set the wanted value already. `defer`: later,
 * from `retryAt`. `hold`: a person is asked. `block`: not allowed. `fail`: the platform refuses this value for good. `expire`: too late.
 */
export const Verdict = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('apply'), before: Value, applied: Value }),
  z.object({
    decision: z.literal('applied'),
    before: Value,
    applied: Value,
    executedAt: z.number().int(),
    /** The platform's own id of its answer; absent when the answer was lost and the object told. */
    responseId: z.string().optional(),
  }),
  z.object({ decision: z.literal('checked'), before: Value, applied: Value, ...because }),
  z.object({ decision: z.literal('needless'), before: Value, ...because }),
  z.object({
    decision: z.literal('defer'),
    retryAt: z.number().int(),
    /** Nobody could look at the object: whether an earlier try reached it is still open. */
    unseen: z.boolean().optional(),
    ...because,
  }),
  z.object({ decision: z.literal('hold'), ...because }),
  z.object({ decision: z.literal('block'), ...because }),
  z.object({ decision: z.literal('fail'), ...because }),
  z.object({ decision: z.literal('expire'), ...because }),
]);
export type Verdict = z.infer<typeof Verdict>;
export type Decision = Verdict['decision'];

export const defer = (retryAt: number, code: string, reason: string): Verdict => ({
  decision: 'defer',
  retryAt: Math.ceil(retryAt),
  code,
  reason,
});
export const block = (code: string, reason: string): Verdict => ({ decision: 'block', code, reason });
export const hold = (code: string, reason: string): Verdict => ({ decision: 'hold', code, reason });
