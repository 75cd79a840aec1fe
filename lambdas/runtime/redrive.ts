// How is a run started again, so that finished work is not repeated?
import type { Clock } from './clock.ts';
import { Conflict, InvalidInput } from './errors.ts';
import type { Env, Need } from './need.ts';
import { executionName } from './run-id.ts';
import { isOpen, type Run, type Runs } from './runs.ts';
import { runsNeed } from './runs-need.ts';
import { openSettlement, type Settlement } from './settlement.ts';
import { stateMachinesNeed, type StateMachines } from './state-machine.ts';
import { tableNeed } from './table.ts';

export interface Redriven {
  tenant: string;
  runId: string;
  /** Number of the attempt that runs now. */
  attempt: number;
  executionArn: string;
}

export interface Redrive {
  /**
   * Same run id, new attempt, today's definition, the request of the first. Memoised steps and effects that stand are found
   * again, so only what is missing is made; a run that succeeded makes what it left out.
   * @throws InvalidInput for a run that nobody knows, or of whose request nothing is left; Conflict while it is open or being
   * undone, and for one whose upload never came.
   */
  run(tenant: string, runId: string): Promise<Redriven>;
}

const history = tableNeed('runs', ['GetItem', 'UpdateItem']);
const runs = runsNeed('read', 'write');
const machines = stateMachinesNeed('start', 'describe');

export const redriveNeed: Need<Redrive> = {
  grants: [...history.grants, ...runs.grants, ...machines.grants],
  env: { ...history.env, ...runs.env, ...machines.env },
  open: (env, context) =>
    openRedrive({
      runs: runs.open(env, context),
      settlement: openSettlement(history.open(env, context), context.clock.now),
      machines: machines.open(env, context),
      clock: context.clock,
    }),
};

/** For tools outside a function: `env` holds what the need's `env` names, and the AWS endpoint and credentials. */
export function redriveFrom(env: Env, clock: Clock): Redrive {
  return redriveNeed.open(env, { clock });
}

export interface RedriveContext {
  runs: Runs;
  settlement: Settlement;
  machines: StateMachines;
  clock: Clock;
}

export function openRedrive(context: RedriveContext): Redrive {
  return {
    async run(tenant, runId) {
      const run = await context.runs.get(tenant, runId);
      if (run === undefined) throw new InvalidInput(`There is no run ${runId}.`, { path: 'id' });
      if (run.status === 'expired')
        throw new Conflict(`The upload of ${runId} never came: ask for a new run.`);
      if (await context.settlement.busy({ tenant, runId, attempt: run.attempt }))
        throw new Conflict(`What ${runId} did is being undone right now; try again in a minute.`);
      const machine = context.machines(run.stateMachine);
      const request = await requestOf(context, run);
      const attempt = isOpen(run.status)
        ? await neverStarted(context, run)
        : await context.runs.reopen(tenant, runId, context.clock.now());
      const { correlationId } = run;
      const input = {
        run: { id: runId, tenant, attempt, ...(correlationId === undefined ? {} : { correlationId }) },
        request,
      };
      const { executionArn } = await machine.start(executionName(runId, attempt), input);
      return { tenant, runId, attempt, executionArn };
    },
  };
}

/** An earlier redrive may have opened the row and failed to start the execution. */
async function neverStarted({ machines: machineOf }: RedriveContext, run: Run): Promise<number> {
  const name = executionName(run.runId, run.attempt);
  if (run.status === 'running' && (await machineOf(run.stateMachine).describe(name)) === undefined)
    return run.attempt;
  throw new Conflict(`Run ${run.runId} has not ended; stop it first.`);
}

/** As it was stored; a run that was started past the API has it only in its executions. */
async function requestOf({ runs: rows, machines: machineOf }: RedriveContext, run: Run): Promise<unknown> {
  const stored = await rows.request(run.tenant, run.runId);
  if (stored !== undefined && stored !== null) return stored;
  // The newest attempt may have a row and no execution.
  for (let attempt = run.attempt; attempt >= 1; attempt -= 1) {
    const name = executionName(run.runId, attempt);
    const described = await machineOf(run.stateMachine).describe(name);
    const request = (described?.input as { request?: unknown } | undefined)?.request;
    if (request !== undefined) return request;
  }
  throw new InvalidInput(`Nobody knows any more what ${run.runId} was asked for.`, { path: 'id' });
}
