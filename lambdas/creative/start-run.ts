// How does a run of creative-generation come to be, whoever asks for it?
import { hashOf } from '../runtime/canonical.ts';
import type { Clock } from '../runtime/clock.ts';
import { RateLimited } from '../runtime/errors.ts';
import type { Run, Runs } from '../runtime/runs.ts';
import { runsNeed } from '../runtime/runs-need.ts';
import type { SettingsReader } from '../runtime/settings.ts';
import { stateMachineNeed, type StateMachine } from '../runtime/state-machine.ts';
import type { CreativeRequest } from './request.ts';
import { limitReached, RECENT_MS } from './run-limits.ts';

export const CREATIVE_GENERATION = 'creative-generation';

/** What starting takes, beside the tenant's settings and a clock. */
export const startNeeds = {
  runs: runsNeed('read', 'write'),
  machine: stateMachineNeed(CREATIVE_GENERATION, 'start'),
};

export interface StartContext {
  runs: Runs;
  machine: StateMachine;
  settings: SettingsReader;
  clock: Clock;
}

export interface Asked {
  tenant: string;
  runId: string;
  request: CreativeRequest;
  /** A token's subject, or `trigger:<name>`. */
  startedBy: string;
  correlationId?: string;
}

/** A run id that the same parts always give: a question that is asked twice is one run. */
export function runIdOf(...parts: readonly unknown[]): string {
  // Hex digits are a part of the id's alphabet.
  return `run-${hashOf(parts).slice(0, 26)}`;
}

/**
 * The run's history row, made before anything runs; the existing one when the id was asked for before.
 * @throws InvalidInput (`adAccountId`) when there is nowhere to publish; RateLimited above the tenant's limits.
 */
export async function openRun(
  asked: Asked,
  status: 'running' | 'awaiting-upload',
  { runs, settings, clock }: Pick<StartContext, 'runs' | 'settings' | 'clock'>,
): Promise<Run> {
  const { tenant, runId, request } = asked;
  const existing = await runs.get(tenant, runId);
  if (existing !== undefined) return existing;
  if (request.purpose === 'publish') await settings.adAccount(tenant, request.adAccountId);
  const { limits } = await settings.get(tenant);
  const nowMs = clock.now();
  const reached = limitReached(await recentRuns(runs, tenant, nowMs), limits, nowMs);
  if (reached !== undefined) throw new RateLimited(reached);
  const { run } = await runs.open({ ...asked, stateMachine: CREATIVE_GENERATION, status, nowMs });
  return run;
}

/** Starts the run's first execution, by name: again is no second one. A run that waits, has ended or was started anew is left alone. */
export async function launchRun(
  run: Pick<Run, 'tenant' | 'runId' | 'status' | 'attempt' | 'correlationId'>,
  request: unknown,
  machine: Pick<StateMachine, 'start'>,
): Promise<boolean> {
  if (run.status !== 'running' || run.attempt !== 1) return false;
  const { tenant, runId: id, correlationId } = run;
  const input = {
    run: { id, tenant, attempt: 1, ...(correlationId === undefined ? {} : { correlationId }) },
    request,
  };
  return (await machine.start(run.runId, input)).started;
}

/** Row and execution in one: for everything but uploads, which start when the object arrives. */
export async function startRun(asked: Asked, context: StartContext): Promise<Run> {
  const run = await openRun(asked, 'running', context);
  await launchRun(run, asked.request, context.machine);
  return run;
}

async function recentRuns(runs: Runs, tenant: string, nowMs: number): Promise<Run[]> {
  const filter = {
    stateMachine: CREATIVE_GENERATION,
    from: new Date(nowMs - RECENT_MS).toISOString(),
    limit: 500,
  };
  const found: Run[] = [];
  let cursor: string | undefined;
  do {
    const page = await runs.list(tenant, cursor === undefined ? filter : { ...filter, cursor });
    found.push(...page.runs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
