// How is everything undone that a run did to the outside world and did not undo itself?
import { listDebts, settleDebt } from './debts.ts';
import type { FunctionFamily } from './functions.ts';
import { openEffects, openIntents, type Intent } from './intents.ts';
import type { Attempt } from './settlement.ts';
import type { Table } from './table.ts';

export interface UndoFailure {
  effect: string;
  subject: string;
  /** Why its undo failed. */
  error: string;
  /** Nobody had heard of it before. */
  fresh: boolean;
}

/**
 * Invokes the undo task that each open intent names, newest effect first. One that fails does not keep the others from
 * trying; what it leaves behind becomes compensation debt.
 */
export async function undoRun(
  context: { history: Table; undo: FunctionFamily; now: () => number },
  attempt: Attempt & { executionArn: string },
): Promise<UndoFailure[]> {
  const { history, undo, now } = context;
  const { tenant, runId } = attempt;
  const run = { tenant, id: runId };
  const failures: UndoFailure[] = [];
  const intents = await openIntents(history, run);
  for (const [task, covered] of byUndo(intents)) {
    const error = await attemptUndo(undo, task, attempt);
    if (error === undefined) continue;
    const effects = openEffects(history, run, now);
    for (const { effect, subject } of covered) {
      failures.push({ effect, subject, error, fresh: await effects.debt(effect, subject, error) });
    }
  }
  return failures;
}

/** Nothing of the run is left to undo: its debts are paid. */
export async function settleDebts(history: Table, { tenant, runId }: Attempt): Promise<void> {
  for (const debt of await listDebts(history)) {
    if (debt.tenant === tenant && debt.runId === runId) await settleDebt(history, debt);
  }
}

/** In order of the newest intent; the empty name stands for intents that name none. */
function byUndo(intents: readonly Intent[]): Map<string, Intent[]> {
  const groups = new Map<string, Intent[]>();
  for (const intent of intents) {
    const task = intent.undoneBy ?? '';
    groups.set(task, [...(groups.get(task) ?? []), intent]);
  }
  return groups;
}

/** Why it failed; undefined when it did not. */
async function attemptUndo(
  undo: FunctionFamily,
  task: string,
  { tenant, runId, attempt, executionArn }: Attempt & { executionArn: string },
): Promise<string | undefined> {
  if (task === '') return 'The intent names no task that undoes it.';
  const run = { id: runId, tenant, attempt };
  try {
    await undo.invoke(task, { run, execution: executionArn, state: task, input: {} });
    return undefined;
  } catch (error) {
    // Becomes a debt with this reason, and the caller's failure.
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
