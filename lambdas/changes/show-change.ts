// What is known about one change: what was asked, what happened since, and what does it wait for?
import * as z from 'zod';
import { executionName } from '../runtime/run-id.ts';
import { ChangeView, ValueView, viewOf } from './change-view.ts';
import type { Change } from './change.ts';
import type { Unmet } from './dependencies.ts';
import type { StoryEntry } from './history.ts';
import { stoppedBy, type KillSwitch } from './kill-switch.ts';
import { MOVES } from './lifecycle.ts';

const Told = z.object({
  at: z.string(),
  move: z.string().describe('queue, claim, begin, defer, complete, approve, …'),
  status: z.string().describe('After the move'),
  actor: z.string(),
  reason: z.string(),
  code: z.string().optional(),
  lease: z.number().int(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export const WholeChange = ChangeView.extend({
  evidence: z.record(z.string(), z.unknown()),
  intent: z
    .object({ before: ValueView, applied: ValueView, at: z.string(), tries: z.number().int() })
    .optional()
    .describe('What may have been written to the platform, while nobody has looked yet'),
  waitsFor: z
    .object({
      reason: z.string(),
      until: z.string().optional(),
      final: z.boolean().describe('It will never be met'),
    })
    .nullable(),
  story: z.array(Told).describe('Oldest first'),
  executions: z.array(z.string()).describe('Names of its executions, newest first; the latest 100'),
});
export type WholeChange = z.infer<typeof WholeChange>;

const MOST_EXECUTIONS = 100;
const iso = (ms: number): string => new Date(ms).toISOString();

export interface Surroundings {
  story: readonly StoryEntry[];
  unmet: Unmet | undefined;
  switches: readonly KillSwitch[];
  nowMs: number;
}

/** Pure. */
export function wholeOf(change: Change, around: Surroundings): WholeChange {
  const { intent, lease } = change;
  const leases = Array.from({ length: Math.min(lease, MOST_EXECUTIONS) }, (_, index) => lease - index);
  return {
    ...viewOf(change),
    evidence: change.evidence,
    ...(intent === undefined
      ? {}
      : {
          intent: { before: intent.before, applied: intent.applied, at: iso(intent.at), tries: intent.tries },
        }),
    waitsFor: waitsFor(change, around),
    story: [asked(change), ...around.story.toSorted(asItWent).map(toldOf)],
    executions: leases.map((number) => executionName(change.id, number)),
  };
}

const ORDER = Object.keys(MOVES);

/** Moves of one millisecond follow each other as they can. */
function asItWent(a: StoryEntry, b: StoryEntry): number {
  return a.at - b.at || a.lease - b.lease || ORDER.indexOf(a.move) - ORDER.indexOf(b.move);
}

function toldOf({ at, move, status, actor, reason, code, lease, details }: StoryEntry): z.infer<typeof Told> {
  return {
    at: iso(at),
    move,
    status,
    actor,
    reason,
    lease,
    ...(code === undefined ? {} : { code }),
    ...(details === undefined ? {} : { details }),
  };
}

/** Queueing is one write, so the change itself tells of it. */
function asked(change: Change): z.infer<typeof Told> {
  const { createdAt, origin, reason } = change;
  return { at: iso(createdAt), move: 'queue', status: 'PENDING', actor: origin.actor, reason, lease: 0 };
}

/** What is in its way, the hardest to change first. */
function waitsFor(change: Change, { unmet, switches, nowMs }: Surroundings): WholeChange['waitsFor'] {
  const { status, statusReason, notBefore, accountId, origin } = change;
  if (status === 'HELD') return { reason: statusReason || 'It waits for an approval.', final: false };
  if (status !== 'PENDING') return null;
  if (unmet !== undefined) return unmet;
  const stopped = stoppedBy(switches, { accountId, rule: origin.rule });
  if (stopped !== undefined)
    return { reason: `${stopped.actor} stopped the ${stopped.scope.kind}: ${stopped.comment}`, final: false };
  if (notBefore <= nowMs) return null;
  return {
    reason: statusReason || 'It may not be applied before that time.',
    until: iso(notBefore),
    final: false,
  };
}
