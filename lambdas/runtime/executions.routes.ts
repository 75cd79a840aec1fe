// What became of my runs, and how is one stopped or started again?
import * as z from 'zod';
import { defineRoutes } from './define-routes.ts';
import { Conflict } from './errors.ts';
import { ExecutionSummary, ExecutionView, summaryOf, viewOf } from './execution-view.ts';
import { notFound } from './problem.ts';
import { redriveNeed } from './redrive.ts';
import { FailedRuns, RedrivenRuns, redriveFailed } from './redrive-failed.ts';
import { executionName, RunId } from './run-id.ts';
import { isOpen, RUN_STATUSES, type Run, type Runs } from './runs.ts';
import { runsNeed } from './runs-need.ts';
import { stateMachinesNeed } from './state-machine.ts';
import { listSteps } from './steps.ts';
import { tableNeed } from './table.ts';

const READERS = ['viewer', 'operator', 'approver', 'admin'] as const;
const OPERATORS = ['operator', 'admin'] as const;

const Id = z.object({ id: RunId });
// Times are compared as text, so every offset is written as UTC first.
const Time = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const Filter = z
  .object({
    stateMachine: z.string().max(80).optional(),
    status: z.enum(RUN_STATUSES).optional(),
    from: Time.optional().describe('Started at or after'),
    to: Time.optional().describe('Started before'),
    limit: z.coerce.number().int().min(1).max(100).default(20),
    cursor: z.string().max(2_000).optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['to'],
    error: 'must be after from',
  });
const Redriven = z.object({ id: RunId, attempt: z.number().int(), executionArn: z.string() });

export const { handler, routes } = defineRoutes({
  name: 'Executions',
  needs: {
    runs: runsNeed('read', 'close'),
    history: tableNeed('runs', ['Query']),
    machines: stateMachinesNeed('stop', 'describe'),
    redrive: redriveNeed,
  },
  routes: (route) => [
    route({
      method: 'GET',
      path: '/v1/executions',
      summary: 'Runs, newest first',
      access: READERS,
      query: Filter,
      responses: { 200: z.object({ executions: z.array(ExecutionSummary), cursor: z.string().optional() }) },
      async run({ query: { stateMachine, status, from, to, limit, cursor }, caller }, { runs, clock }) {
        const page = await runs.list(caller.tenant, {
          limit,
          ...(stateMachine === undefined ? {} : { stateMachine }),
          ...(status === undefined ? {} : { status }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        const executions = page.runs.map((run) => summaryOf(run, clock.now()));
        return { status: 200, body: { executions, cursor: page.cursor } };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/executions/{id}',
      summary: 'One run: how far it is, what each state did, what came out',
      access: READERS,
      params: Id,
      responses: { 200: ExecutionView },
      async run({ params, caller }, { runs, history, clock }) {
        const run = await find(runs, caller.tenant, params.id);
        const steps = await listSteps(history, caller.tenant, params.id);
        return { status: 200, body: viewOf(run, steps, clock.now()) };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/executions/{id}/redrive',
      summary: 'Start an ended run again under the same id; finished steps are not repeated',
      access: OPERATORS,
      params: Id,
      idempotent: true,
      responses: { 202: Redriven },
      async run({ params, caller }, { runs, redrive, log }) {
        await find(runs, caller.tenant, params.id);
        const { runId, attempt, executionArn } = await redrive.run(caller.tenant, params.id);
        log.info('redriven', { runId, attempt, tenant: caller.tenant, actor: caller.subject });
        return { status: 202, body: { id: runId, attempt, executionArn } };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/executions/redrive',
      summary: 'Start every failed run that matches again, a page at a time',
      access: OPERATORS,
      body: FailedRuns,
      idempotent: true,
      responses: { 202: RedrivenRuns },
      async run({ body, caller: { tenant, subject } }, { runs, redrive, clock, log }) {
        const done = await redriveFailed({ runs, redrive, clock }, tenant, body);
        log.info('redriven', { runs: done.redriven.length, left: done.left.length, tenant, actor: subject });
        return { status: 202, body: done };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/executions/{id}/stop',
      summary: 'Stop a run and take back what it created',
      access: OPERATORS,
      params: Id,
      responses: { 202: ExecutionSummary },
      async run({ params, caller }, { runs, machines, clock, log }) {
        const { tenant, subject } = caller;
        const run = await find(runs, tenant, params.id);
        const ended = new Conflict(`Run ${run.runId} has ended.`);
        if (!isOpen(run.status)) throw ended;
        const machine = machines(run.stateMachine);
        const name = executionName(run.runId, run.attempt);
        const execution = await machine.describe(name);
        const error = { name: 'Stopped', cause: `by ${subject}` };
        if (execution === undefined) {
          const end = { status: 'stopped', error, nowMs: clock.now() } as const;
          if (!(await runs.close(tenant, run.runId, end, run.attempt))) throw ended;
        } else if (execution.status === 'RUNNING') {
          // settle-run undoes and closes the row.
          await machine.stop(name, error.name, error.cause);
        } else throw ended;
        log.info('stopped', { runId: run.runId, tenant, actor: subject });
        return { status: 202, body: summaryOf(await find(runs, tenant, run.runId), clock.now()) };
      },
    }),
  ],
});

/** @throws HttpProblem 404, also for another tenant's run. */
async function find(runs: Runs, tenant: string, runId: string): Promise<Run> {
  const run = await runs.get(tenant, runId);
  if (run === undefined) throw notFound(`run ${runId}`);
  return run;
}
