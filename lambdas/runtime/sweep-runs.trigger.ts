// Which runs ended without anybody noticing, and what is still owed?
import * as z from 'zod';
import { changesNeed } from '../changes/changes.ts';
import { listDebts } from './debts.ts';
import { defineTrigger } from './define-trigger.ts';
import { emitMetric } from './metrics.ts';
import { queueNeed } from './queue.ts';
import { executionName } from './run-id.ts';
import { isOpen, type Run } from './runs.ts';
import { runsNeed } from './runs-need.ts';
import { allSettingsNeed } from './settings.ts';
import type { StatusChange } from './settle-run.trigger.ts';
import { stateMachinesNeed, type ExecutionDescription, type StateMachines } from './state-machine.ts';
import { tableNeed } from './table.ts';
import { recordGauges } from './workers.ts';

/** Longer than the event about an execution's end and its settling usually take. */
const GRACE_MS = 600_000;
/** The presigned address is good for an hour; an upload that began in its last minute may take a while. */
const UPLOAD_MS = 3_600_000 + 15 * 60_000;

type Ended = z.input<typeof StatusChange>['detail'];

export const { handler, trigger } = defineTrigger({
  name: 'SweepRuns',
  source: { kind: 'schedule', expression: 'rate(5 minutes)' },
  timeoutSeconds: 240,
  needs: {
    history: tableNeed('runs', ['Query', 'PutItem']),
    runs: runsNeed('read', 'close'),
    machines: stateMachinesNeed('describe'),
    settle: queueNeed('settle-run', 'send'),
    settings: allSettingsNeed,
    changes: changesNeed(['Query']),
  },
  event: z.object({ scheduledTime: z.string() }),
  async run(_event, { history, runs, machines, settle, settings, changes, clock, log }) {
    const nowMs = clock.now();
    const send = (detail: Ended): Promise<string> => settle.send({ detail: { ...detail, swept: true } });
    const open = await runs.openBefore(new Date(nowMs).toISOString());
    for (const run of open) {
      if (run.status === 'awaiting-upload') {
        if (Date.parse(run.startedAt) > nowMs - UPLOAD_MS) continue;
        const error = {
          name: 'UploadExpired',
          cause: 'Nothing was uploaded in time: the address was good for an hour.',
        };
        const from = { attempt: run.attempt, statuses: ['awaiting-upload'] } as const;
        await runs.end(run.tenant, run.runId, { status: 'expired', error, nowMs }, from);
        continue;
      }
      if (Date.parse(run.updatedAt) > nowMs - GRACE_MS) continue;
      const ended = endedOf(run, machines, await describe(run, machines), nowMs);
      if (ended === undefined) continue;
      log.warn('a run had ended unseen', { runId: run.runId, tenant: run.tenant, status: ended.status });
      await send(ended);
    }

    const debts = await listDebts(history);
    const owing = new Map(debts.map(({ tenant, runId }) => [`${tenant}#${runId}`, { tenant, runId }]));
    for (const { tenant, runId } of owing.values()) {
      const run = await runs.get(tenant, runId);
      // While a later attempt runs, its effects are in use.
      if (run !== undefined && !isOpen(run.status)) await send(closedOf(run, machines, nowMs));
    }

    const tenants = await settings.tenants();
    const pending = (await Promise.all(tenants.map((tenant) => changes.inStatus(tenant, 'PENDING')))).flat();
    const waitingSince = [
      ...pending.map(({ createdAt }) => new Date(createdAt).toISOString()),
      ...open.map(({ startedAt }) => startedAt),
    ].reduce<string | undefined>(
      (oldest, at) => (oldest === undefined || at < oldest ? at : oldest),
      undefined,
    );
    const expiries = await Promise.all(
      tenants.map(async (tenant) =>
        (await settings.get(tenant)).adAccounts.flatMap((one) => one.tokenExpiresAt ?? []),
      ),
    );
    const [nextTokenExpiryAt] = expiries.flat().toSorted((a, b) => Date.parse(a) - Date.parse(b));
    await recordGauges(history, {
      at: new Date(nowMs).toISOString(),
      pendingChanges: pending.length,
      compensationDebts: debts.length,
      openRuns: open.length,
      ...(waitingSince === undefined ? {} : { oldestPendingAt: waitingSince }),
      ...(nextTokenExpiryAt === undefined ? {} : { nextTokenExpiryAt }),
    });
    emitMetric('pending_ad_changes_count', pending.length, {});
    emitMetric('compensation_debt_count', debts.length, {});
    emitMetric('sweep_runs_total', 1, { sweep: 'runs', status: 'succeeded' });
    // Last: the alarm listens for its absence.
    emitMetric('sweep_succeeded_total', 1, {});
  },
});

function describe(run: Run, machines: StateMachines): Promise<ExecutionDescription | undefined> {
  return machines(run.stateMachine).describe(executionName(run.runId, run.attempt));
}

/** Undefined while it runs. */
function endedOf(
  run: Run,
  machines: StateMachines,
  execution: ExecutionDescription | undefined,
  nowMs: number,
): Ended | undefined {
  const common = { ...identityOf(run, machines), startDate: Date.parse(run.startedAt) };
  if (execution === undefined) {
    const cause = 'Its execution was never started; redriving it starts it.';
    return { ...common, status: 'FAILED', stopDate: nowMs, error: 'NeverStarted', cause };
  }
  const { status, startedAt, stoppedAt, output, error, cause } = execution;
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return undefined;
  return {
    ...common,
    status,
    startDate: startedAt,
    stopDate: stoppedAt ?? nowMs,
    output: output === undefined ? null : JSON.stringify(output),
    error: error ?? null,
    cause: cause ?? null,
  };
}

/** Its row knows how it ended. */
function closedOf(run: Run, machines: StateMachines, nowMs: number): Ended {
  return {
    ...identityOf(run, machines),
    status: run.status === 'succeeded' ? 'SUCCEEDED' : run.status === 'stopped' ? 'ABORTED' : 'FAILED',
    startDate: Date.parse(run.startedAt),
    stopDate: nowMs,
    error: run.error?.name ?? null,
    cause: run.error?.cause ?? null,
  };
}

function identityOf(run: Run, machines: StateMachines): { executionArn: string; input: string } {
  const { arn } = machines(run.stateMachine);
  const name = executionName(run.runId, run.attempt);
  return {
    executionArn: `${arn.replace(':stateMachine:', ':execution:')}:${name}`,
    input: JSON.stringify({ run: { id: run.runId, tenant: run.tenant, attempt: run.attempt } }),
  };
}
