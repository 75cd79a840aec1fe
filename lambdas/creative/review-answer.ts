// What may a person say about a plan, and what does the run hear of it?
import * as z from 'zod';
import type { AuditRecord } from '../runtime/audit.ts';
import { hashOf, sha256 } from '../runtime/canonical.ts';
import { InvalidInput } from '../runtime/errors.ts';
import type { Run } from '../runtime/runs.ts';
import type { Review, ReviewDecision } from './creatives.ts';
import { BattlePlan, VariationId, Verdict } from './types.ts';

export const ReviewBody = z.object({
  /** A variation that is not named is rejected, as silence is. */
  decisions: z
    .array(
      z.object({ variationId: VariationId, approved: z.boolean(), comment: z.string().max(2000).optional() }),
    )
    .min(1)
    .max(10),
  comment: z.string().max(2000).default(''),
});
export type ReviewBody = z.infer<typeof ReviewBody>;

export const ReviewView = z.object({
  runId: z.string(),
  status: z.enum(['open', 'answered', 'expired']),
  reasons: z.array(z.string()),
  /** ISO 8601; silence until then is a rejection. */
  until: z.string(),
  plan: BattlePlan,
  verdicts: z.array(Verdict),
  decision: z
    .object({
      approved: z.array(z.string()),
      rejected: z.array(z.string()),
      actor: z.string(),
      comment: z.string(),
      comments: z.record(z.string(), z.string()),
    })
    .optional(),
});

/** @throws InvalidInput for a variation that the plan does not have or that is named twice. */
export function decisionOf(plan: BattlePlan, body: ReviewBody, actor: string): ReviewDecision {
  const ids = plan.variations.map(({ id }) => id);
  body.decisions.forEach(({ variationId }, index) => {
    const path = `decisions.${index}.variationId`;
    if (!ids.includes(variationId))
      throw new InvalidInput(`The plan has no variation ${variationId}.`, { path });
    if (body.decisions.findIndex((one) => one.variationId === variationId) !== index)
      throw new InvalidInput(`The variation ${variationId} is named twice.`, { path });
  });
  const approved = ids.filter((id) => body.decisions.some((one) => one.variationId === id && one.approved));
  return {
    approved,
    rejected: ids.filter((id) => !approved.includes(id)),
    actor,
    comment: body.comment,
    comments: Object.fromEntries(
      body.decisions.flatMap(({ variationId, comment }) =>
        comment === undefined ? [] : [[variationId, comment]],
      ),
    ),
  };
}

/** Why this answer comes too late, or undefined. The same answer again is not too late while the run still waits. */
export function reviewOver(
  review: Pick<Review, 'runId' | 'until' | 'status' | 'decision'>,
  run: Pick<Run, 'status'> | undefined,
  decision: ReviewDecision,
  nowMs: number,
): string | undefined {
  const { runId, until, status } = review;
  const sameAgain = review.decision !== undefined && hashOf(review.decision) === hashOf(decision);
  if (status === 'answered' && !(sameAgain && run?.status === 'needs-review'))
    return `The review of ${runId} was answered before.`;
  if (until <= nowMs)
    return `The review of ${runId} ended at ${new Date(until).toISOString()}: silence is a rejection.`;
  if (run?.status !== 'needs-review')
    return `Run ${runId} waits for no review; its status is ${run?.status}.`;
  return undefined;
}

/** Without the task token, which never leaves the server. */
export function reviewView(review: Review, nowMs: number): z.input<typeof ReviewView> {
  const { runId, status, reasons, plan, verdicts, until, decision } = review;
  return {
    runId,
    status: status === 'open' && until <= nowMs ? 'expired' : status,
    reasons,
    until: new Date(until).toISOString(),
    plan,
    verdicts,
    decision,
  };
}

/** A run that was started again asks again, with another token: that answer is another record. */
export function reviewRecord(
  tenant: string,
  review: Pick<Review, 'runId' | 'token' | 'reasons'>,
  decision: ReviewDecision,
  nowMs: number,
): AuditRecord {
  return {
    tenant,
    id: `review-${review.runId}-${sha256(review.token).slice(0, 12)}`,
    at: new Date(nowMs).toISOString(),
    actor: decision.actor,
    action: 'review.answered',
    subject: `creatives/${review.runId}`,
    details: { ...decision, reasons: review.reasons },
  };
}
