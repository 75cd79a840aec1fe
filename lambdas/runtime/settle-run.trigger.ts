// How does a run end whose execution failed, timed out or was stopped, where no state could see it?
import * as z from 'zod';
import { busNeed, type Bus } from './bus.ts';
import { deadLettersNeed, type DeadLetter, type DeadLetterQueues } from './dead-letters.ts';
import { defineTrigger } from './define-trigger.ts';
import { Unavailable } from './errors.ts';
import { areaOf, eventOf, RESUMED } from './events.ts';
import { failedStateNeed } from './failed-state.ts';
import { functionFamilyNeed } from './functions.ts';
import { hasKept } from './intents.ts';
import { emitMetric } from './metrics.ts';
import { parseExecutionArn, RunId, TenantId } from './run-id.ts';
import type { Run, RunEnd, Runs } from './runs.ts';
import { runsNeed } from './runs-need.ts';
import { openSettlement, type Attempt } from './settlement.ts';
import { stateMachinesNeed } from './state-machine.ts';
import { tableNeed } from './table.ts';
import { settleDebts, undoRun, type UndoFailure } from './undo-run.ts';

/** As long as the slowest undo and the one before it may take. */
const TIMEOUT_SECONDS = 390;

/** EventBridge's event, and what the sweep sends in its place when that one was lost. */
export const StatusChange = z.object({
  detail: z.object({
    executionArn: z.string(),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED', 'SUCCEEDED']),
    /** Epoch milliseconds. */
    startDate: z.number(),
    stopDate: z.number().nullish(),
    /** Left out by AWS when large. */
    input: z.string().nullish(),
    output: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
    /** From the sweep, which comes again by itself. */
    swept: z.boolean().default(false),
  }),
});
type Ended = z.output<typeof StatusChange>['detail'] & { workflow: string };

const Input = z.looseObject({
  run: z.looseObject({ id: RunId, tenant: TenantId, attempt: z.number().int().positive().default(1) }),
});

export const { handler, trigger } = defineTrigger({
  name: 'SettleRun',
  source: {
    kind: 'rule',
    bus: 'default',
    pattern: {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        stateMachineArn: [{ prefix: '${stateMachines}' }],
      },
    },
  },
  needs: {
    history: tableNeed('runs', ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query']),
    runs: runsNeed('read', 'write'),
    undo: functionFamilyNeed('Undo'),
    machines: stateMachinesNeed('describe'),
    failedState: failedStateNeed,
    deadLetters: deadLettersNeed('send'),
    bus: busNeed,
  },
  timeoutSeconds: TIMEOUT_SECONDS,
  // Each message may take as long as an undo.
  batchSize: 1,
  event: StatusChange,
  async run({ detail }, { history, runs, undo, machines, failedState, deadLetters, bus, clock, log }) {
    const { workflow, execution } = parseExecutionArn(detail.executionArn);
    const ended: Ended = { ...detail, workflow };
    const input = Input.safeParse(
      detail.input == null ? (await machines(workflow).describe(execution))?.input : jsonOf(detail.input),
    );
    if (!input.success) {
      // Its first step refused it as well, so it did nothing; whoever started it sees it in the console.
      log.error('an execution ended that names no run', {
        execution: detail.executionArn,
        status: detail.status,
      });
      return;
    }
    const { id: runId, tenant, attempt: number } = input.data.run;
    const row = await rowOf(runs, ended, { tenant, runId }, input.data['request']);
    if (row.attempt > number) {
      log.info('an earlier attempt ended; the run went on since', { runId, attempt: number });
      return;
    }
    const attempt: Attempt = { tenant, runId, attempt: row.attempt };
    const settlement = openSettlement(history, clock.now);
    const claim = await settlement.claim(attempt, TIMEOUT_SECONDS * 1_000);
    if (claim === undefined) return;

    const failures =
      ended.status === 'SUCCEEDED'
        ? []
        : await undoRun({ history, undo, now: clock.now }, { ...attempt, executionArn: ended.executionArn });
    await runs.closeSteps(attempt, clock.now());
    // Its last step did everything and only its answer was lost: what it made stays, and so does its row.
    const stands = row.status === 'succeeded' && (await hasKept(history, { tenant, id: runId }));
    if (!stands) {
      const state = ended.status === 'SUCCEEDED' ? undefined : await failedState(ended.executionArn, ended);
      await close(runs, attempt, ended, state, clock.now());
      if (!claim.reported) {
        await report({ bus, deadLetters }, row, ended, state);
        await settlement.reported(attempt);
      }
    }
    if (failures.length === 0) {
      await settleDebts(history, attempt);
      await settlement.settled(attempt);
      return;
    }
    await announceDebts(bus, attempt, failures);
    await settlement.release(attempt);
    log.error('an undo failed', {
      runId,
      effects: failures.map(({ effect, subject }) => `${effect}/${subject}`),
    });
    if (!ended.swept) {
      throw new Unavailable(
        `${failures.length} effects of ${runId} could not be undone: ${failures[0]?.error}`,
      );
    }
  },
});

/** A run that was started past the API and failed before its first step has no row yet. */
async function rowOf(
  runs: Runs,
  { workflow, startDate }: Ended,
  { tenant, runId }: { tenant: string; runId: string },
  request: unknown,
): Promise<Run> {
  const found = await runs.get(tenant, runId);
  if (found !== undefined) return found;
  return (await runs.open({ tenant, runId, stateMachine: workflow, request, nowMs: startDate })).run;
}

function endOf(ended: Ended, state: string | undefined, nowMs: number): RunEnd {
  if (ended.status === 'SUCCEEDED') {
    const output = ended.output == null ? undefined : jsonOf(ended.output);
    return { status: 'succeeded', ...(output === undefined ? {} : { output }), nowMs };
  }
  return {
    status: ended.status === 'ABORTED' ? 'stopped' : 'failed',
    error: { ...failureOf(ended), ...(state === undefined ? {} : { state }) },
    nowMs,
  };
}

async function close(
  runs: Runs,
  { tenant, runId, attempt }: Attempt,
  ended: Ended,
  state: string | undefined,
  nowMs: number,
): Promise<void> {
  const end = endOf(ended, state, nowMs);
  // RecordOutcome may have closed the row and failed before it could keep what was made: then that was undone.
  const overruled = ended.status === 'SUCCEEDED' ? [] : (['succeeded'] as const);
  const statuses = ['awaiting-upload', 'running', 'needs-review', ...overruled] as const;
  if (!(await runs.end(tenant, runId, end, { attempt, statuses }))) return;
  const seconds = ((ended.stopDate ?? nowMs) - ended.startDate) / 1_000;
  emitMetric('workflow_executions_total', 1, { workflow: ended.workflow, status: end.status });
  emitMetric('workflow_duration_seconds', seconds, { workflow: ended.workflow });
}

async function report(
  { bus, deadLetters }: { bus: Bus; deadLetters: DeadLetterQueues },
  { tenant, runId, status }: Run,
  ended: Ended,
  state: string | undefined,
): Promise<void> {
  // A person's "no" is an answer, even if writing it down failed afterwards.
  if (ended.status === 'SUCCEEDED' || status === 'rejected') return;
  const { name: error, cause } = failureOf(ended);
  const at = state === undefined ? {} : { state };
  if (ended.status !== 'ABORTED' && !RESUMED.has(ended.workflow)) {
    const letter: DeadLetter = {
      kind: 'run',
      executionArn: ended.executionArn,
      run: { id: runId, tenant },
      stateMachine: ended.workflow,
      ...at,
      error,
      cause,
    };
    await deadLetters.get(areaOf(ended.workflow))?.send(letter);
  }
  await bus.publish([
    { name: eventOf(ended.workflow, 'failed'), detail: { tenant, runId, ...at, error, cause } },
  ]);
}

async function announceDebts(
  bus: Bus,
  { tenant, runId }: Attempt,
  failures: readonly UndoFailure[],
): Promise<void> {
  await bus.publish(
    failures
      .filter(({ fresh }) => fresh)
      .map(({ effect, subject, error }) => ({
        name: 'compensation.debt-recorded',
        detail: { tenant, runId, effect, subject, error },
      })),
  );
}

/** Long causes are cut; DescribeExecution has them whole. */
const CAUSE_LIMIT = 2_000;

function failureOf({ status, error, cause }: Ended): { name: string; cause: string } {
  const usual = { FAILED: 'States.Runtime', TIMED_OUT: 'States.Timeout', ABORTED: 'Stopped', SUCCEEDED: '' };
  const [text, short] = [cause ?? '', messageIn(cause ?? '')];
  return { name: error ?? usual[status], cause: (short ?? text).slice(0, CAUSE_LIMIT) };
}

/** Lambda's cause is a JSON document; people want its message. */
function messageIn(cause: string): string | undefined {
  const parsed = z.object({ errorMessage: z.string() }).safeParse(jsonOf(cause));
  return parsed.success ? parsed.data.errorMessage : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Plain text, not a document.
    return undefined;
  }
}
