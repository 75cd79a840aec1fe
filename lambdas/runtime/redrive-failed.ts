// Which failed runs of a tenant match, and which of them could be started again?
import * as z from 'zod';
import type { Clock } from './clock.ts';
import { Conflict, InvalidInput } from './errors.ts';
import type { Redrive } from './redrive.ts';
import { RunId } from './run-id.ts';
import type { Run, Runs } from './runs.ts';

/** As long as dead letters are kept. */
const LOOK_BACK_MS = 14 * 24 * 60 * 60 * 1000;
/** Runs looked at by one request: starting one takes a handful of calls, and the gateway waits 30 s. */
const PAGE = 50;

export const FailedRuns = z
  .object({
    error: z.string().min(1).max(200).optional().describe('Name of the failure, `Unavailable`'),
    state: z.string().min(1).max(80).optional().describe('State that failed'),
    stateMachine: z.string().min(1).max(80).optional(),
    from: z.iso
      .datetime({ offset: true })
      .transform((text) => new Date(text).toISOString())
      .optional()
      .describe('Started at or after; 14 days ago when absent'),
    cursor: z.string().max(2_000).optional(),
  })
  .refine(({ error, state, stateMachine }) => (error ?? state ?? stateMachine) !== undefined, {
    path: ['error'],
    error: 'say which: error, state or stateMachine',
  });
export type FailedRuns = z.output<typeof FailedRuns>;

export const RedrivenRuns = z.object({
  redriven: z.array(z.object({ id: RunId, attempt: z.number().int(), executionArn: z.string() })),
  /** Could not be started again, and why. */
  left: z.array(z.object({ id: RunId, reason: z.string() })),
  /** There may be more: ask again with it. */
  cursor: z.string().optional(),
});

/**
 * Starts up to 50 failed runs of this tenant again, newest first. A repeat does not start them twice: they have failed no more.
 * @throws InvalidInput (`cursor`); Unavailable, RateLimited when a start failed: those before it run, a repeat does the rest.
 */
export async function redriveFailed(
  { runs, redrive, clock }: { runs: Pick<Runs, 'list'>; redrive: Redrive; clock: Clock },
  tenant: string,
  { stateMachine, from, cursor, ...filter }: FailedRuns,
): Promise<z.input<typeof RedrivenRuns>> {
  const page = await runs.list(tenant, {
    status: 'failed',
    from: from ?? new Date(clock.now() - LOOK_BACK_MS).toISOString(),
    limit: PAGE,
    ...(stateMachine === undefined ? {} : { stateMachine }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const done: z.input<typeof RedrivenRuns> = { redriven: [], left: [], cursor: page.cursor };
  for (const { runId: id } of page.runs.filter((run) => matches(run, filter))) {
    try {
      const { attempt, executionArn } = await redrive.run(tenant, id);
      done.redriven.push({ id, attempt, executionArn });
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof InvalidInput)) throw error;
      done.left.push({ id, reason: error.message });
    }
  }
  return done;
}

function matches({ error }: Run, wanted: Pick<FailedRuns, 'error' | 'state'>): boolean {
  return (
    (wanted.error === undefined || wanted.error === error?.name) &&
    (wanted.state === undefined || wanted.state === error?.state)
  );
}
