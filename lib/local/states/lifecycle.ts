// How does an execution start, end and start again, and who is told?
import type { EngineContext, Timer } from '../types.ts';
import { asFailure, StateFailure } from './failure.ts';
import { Halt } from './halt.ts';
import type { Thread } from './history.ts';
import { walk } from './interpreter.ts';
import { newFrame, tell, type Execution, type ExecutionStatus, type World } from './run.ts';
import { statusChangeEntry } from './status-change.ts';

export interface LifecycleOptions {
  /** Put `Step Functions Execution Status Change` events on the default bus. */
  statusChanges: boolean;
  /** Hears of a status change event that the bus did not take. */
  onLostEvent: (error: unknown, executionArn: string) => void;
}

/** Seconds an Express execution may take (Step Functions quota). */
const EXPRESS_LIMIT_SECONDS = 300;
const LAST_EVENT = {
  FAILED: 'ExecutionFailed',
  ABORTED: 'ExecutionAborted',
  TIMED_OUT: 'ExecutionTimedOut',
} as const;

interface Active {
  settle: () => void;
  deadline: Timer | undefined;
}

/** Completes the world with launching, ending and redriving. */
export function createWorld(context: EngineContext, options: LifecycleOptions): World {
  const { clock } = context;
  const active = new Map<Execution, Active>();
  const world: World = {
    context,
    tokens: new Map(),
    spentTokens: new Set(),
    executions: new Map(),
    mapRuns: new Map(),
    listeners: new Set(),
    launch,
    redrive,
    end,
  };

  function announce(execution: Execution): void {
    tell(
      { world, execution },
      'execution',
      undefined,
      execution.status,
      execution.redriveCount + 1,
      execution.error,
    );
    if (!options.statusChanges || execution.type !== 'STANDARD' || execution.mapRunArn !== undefined) return;
    const done = clock.work('states: putting a status change event');
    const principal = {
      kind: 'service',
      service: 'states.amazonaws.com',
      sourceArn: execution.machine.arn,
    } as const;
    context
      .call({ principal }, 'events', 'PutEvents', { Entries: [statusChangeEntry(execution, clock.now())] })
      .catch((error: unknown) => options.onLostEvent(error, execution.arn))
      .finally(done);
  }

  function finish(execution: Execution, status: ExecutionStatus): void {
    const { settle, deadline } = active.get(execution)!;
    active.delete(execution);
    deadline?.cancel();
    execution.status = status;
    execution.stopMs = clock.now();
    announce(execution);
    settle();
  }

  function end(
    execution: Execution,
    status: keyof typeof LAST_EVENT,
    error: string | undefined,
    cause: string | undefined,
  ): void {
    if (execution.status !== 'RUNNING') return;
    // Set first: what stops below must find the execution ended.
    execution.status = status;
    execution.error = error;
    execution.cause = cause;
    execution.halt.halt(new StateFailure(error ?? 'States.Runtime', cause ?? ''));
    execution.history.close(LAST_EVENT[status], clock.now(), error, cause);
    finish(execution, status);
  }

  async function drive(execution: Execution, thread: Thread): Promise<void> {
    // The caller gets its answer before the first state runs.
    await Promise.resolve();
    try {
      await walk({ world, execution }, execution.scope, execution.frame, thread, execution.halt);
      if (execution.status !== 'RUNNING') return;
      execution.outputJson = execution.frame.json;
      execution.history.close('ExecutionSucceeded', clock.now(), execution.outputJson);
      finish(execution, 'SUCCEEDED');
    } catch (thrown) {
      const failure = asFailure(thrown);
      end(execution, 'FAILED', failure.error, failure.explanation);
    }
  }

  function activate(execution: Execution): void {
    const asked = execution.scope.timeoutSeconds ?? Infinity;
    const seconds = execution.type === 'EXPRESS' ? Math.min(asked, EXPRESS_LIMIT_SECONDS) : asked;
    const timedOut = () => end(execution, 'TIMED_OUT', 'States.Timeout', undefined);
    execution.ended = new Promise((settle) => {
      const deadline = seconds === Infinity ? undefined : clock.at(clock.now() + seconds * 1000, timedOut);
      active.set(execution, { settle, deadline });
    });
    execution.history.onFull = (reason) => end(execution, 'FAILED', reason.error, reason.explanation);
  }

  function launch(execution: Execution): void {
    const thread: Thread = { last: 0 };
    execution.history.append(
      'ExecutionStarted',
      thread,
      clock.now(),
      execution.inputJson,
      execution.machine.roleArn,
    );
    activate(execution);
    announce(execution);
    void drive(execution, thread);
  }

  function redrive(execution: Execution): void {
    execution.status = 'RUNNING';
    execution.redriveCount += 1;
    execution.redriveMs = clock.now();
    execution.stopMs = undefined;
    execution.error = undefined;
    execution.cause = undefined;
    execution.halt = new Halt();
    execution.context = {
      ...execution.context,
      Execution: {
        ...execution.context.Execution,
        RedriveCount: execution.redriveCount,
        RedriveTime: new Date(execution.redriveMs).toISOString(),
      },
    };
    // Express children keep no state: they start again.
    if (execution.type === 'EXPRESS')
      execution.frame = newFrame(execution.scope, execution.input, execution.inputJson);
    const thread: Thread = { last: execution.history.length };
    execution.history.reopen();
    execution.history.append('ExecutionRedriven', thread, clock.now(), execution.redriveCount);
    activate(execution);
    announce(execution);
    void drive(execution, thread);
  }

  return world;
}
