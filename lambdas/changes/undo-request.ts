// What may a person ask to be taken back?
import * as z from 'zod';
import { Conflict } from '../runtime/errors.ts';
import { Entity, type Change } from './change.ts';
import { Instant } from './new-change.ts';
import { wasApplied, type Applied } from './undo-plan.ts';

const Comment = z.string().min(1).max(400);
const Preview = z.boolean().default(false).describe('Answer the plan and queue nothing');

export const UndoOne = z.strictObject({ comment: Comment.optional(), preview: Preview });

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 31;

export const UndoMany = z
  .strictObject({
    origin: z.strictObject({ area: z.string().min(1).max(40), id: z.string().min(1).max(200) }).optional(),
    entity: Entity.optional(),
    accountId: z
      .string()
      .regex(/^\d{5,20}$/, 'is not an ad account id (digits without act_)')
      .optional(),
    from: Instant.describe('Applied at or after'),
    to: Instant.describe('Applied before'),
    comment: Comment.optional(),
    preview: Preview,
  })
  .superRefine(({ from, to }, context) => {
    if (from >= to) context.addIssue({ code: 'custom', path: ['to'], message: 'must be after from' });
    if (to - from > LONGEST_DAYS * DAY_MS)
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: `must be at most ${LONGEST_DAYS} days after from`,
      });
  });

/** @throws Conflict with a sentence saying why there is nothing to take back. Pure. */
export function appliedOnly(change: Change): Applied {
  const { id, status, mode } = change;
  if (wasApplied(change)) return change;
  if (mode !== 'live' && status === 'COMPLETED')
    throw new Conflict(`${id} was only checked (${mode}): nothing was applied.`);
  if (status === 'PENDING' || status === 'HELD') throw new Conflict(`${id} is ${status}: cancel it instead.`);
  if (status === 'CLAIMED' || status === 'EXECUTING')
    throw new Conflict(`${id} is being applied right now: take it back once it is over.`);
  throw new Conflict(
    `${id} is ${status}${change.statusReason === '' ? '' : ` (${change.statusReason})`}: nothing was applied.`,
  );
}
