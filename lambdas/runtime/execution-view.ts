// What does a person see of a run?
import * as z from 'zod';
import { RUN_STATUSES, type Run } from './runs.ts';
import type { Step } from './steps.ts';

const Time = z.string().describe('ISO 8601, UTC');

export const ExecutionSummary = z.object({
  id: z.string(),
  stateMachine: z.string(),
  status: z.enum(RUN_STATUSES),
  attempt: z.number().int(),
  percent: z.number(),
  /** State that was entered last. */
  phase: z.string().optional(),
  startedAt: Time,
  updatedAt: Time,
  endedAt: Time.optional(),
  /** Since it was first started, until it ended. */
  elapsedSeconds: z.number(),
  error: z.object({ name: z.string(), cause: z.string(), state: z.string().optional() }).optional(),
  startedBy: z.string().optional(),
});

const StepView = z.object({
  state: z.string(),
  /** Which item of a Map. */
  subject: z.string().optional(),
  status: z.enum(['running', 'succeeded', 'failed']),
  tries: z.number().int(),
  /** Attempt of the run in which it last began. */
  attempt: z.number().int(),
  startedAt: Time,
  endedAt: Time.optional(),
  durationMs: z.number().optional(),
  remembered: z.boolean().optional().describe('Answered from an earlier attempt without running'),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
});

export const ExecutionView = ExecutionSummary.extend({
  phasePercent: z.number().optional(),
  message: z.string().optional(),
  states: z.array(StepView),
  output: z.unknown().optional(),
  review: z
    .object({ reasons: z.array(z.string()), until: Time })
    .optional()
    .describe('What a person is asked, while the status is needs-review'),
});

export function summaryOf(run: Run, nowMs: number): z.input<typeof ExecutionSummary> {
  const endMs = run.endedAt === undefined ? nowMs : Date.parse(run.endedAt);
  const { runId, stateMachine, status, attempt, percent, phase, startedAt, updatedAt, endedAt } = run;
  return {
    id: runId,
    stateMachine,
    status,
    attempt,
    percent,
    phase,
    startedAt,
    updatedAt,
    endedAt,
    elapsedSeconds: Math.max(0, Math.round((endMs - Date.parse(startedAt)) / 1_000)),
    error: run.error,
    startedBy: run.startedBy,
  };
}

export function viewOf(run: Run, steps: readonly Step[], nowMs: number): z.input<typeof ExecutionView> {
  return {
    ...summaryOf(run, nowMs),
    phasePercent: run.phasePercent,
    message: run.message,
    states: steps.map(({ subject, ...step }) => ({ ...step, ...(subject === '' ? {} : { subject }) })),
    output: run.output,
    review: run.review === undefined ? undefined : { ...run.review, reasons: [...run.review.reasons] },
  };
}
