// What happened in an execution, kept small and shown as AWS shows it?
import { StateFailure } from './failure.ts';

/** Events one execution may have (Step Functions quota). */
export const HISTORY_LIMIT = 25_000;

/** A line of events that follow one another: the execution itself, a branch, an iteration. */
export interface Thread {
  last: number;
}

/** One event; what `a` to `d` mean depends on the type (see SHAPES). Values are kept as the JSON text they are shown as. */
interface Stored {
  type: string;
  previous: number;
  atMs: number;
  a: unknown;
  b: unknown;
  c: unknown;
  d: unknown;
}

/** An event as GetExecutionHistory returns it. Timestamps are epoch seconds. */
export type HistoryEvent = {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
} & Record<string, unknown>;

type Slot = 'a' | 'b' | 'c' | 'd';
// detail member → slot; a `*` marks data that `includeExecutionData: false` leaves out, `#` brings the truncation note.
type Shape = readonly [details: string, members: Readonly<Record<string, string>>];
const FAILURE = { error: '*a', cause: '*b' };
const OF_TASK = { resourceType: 'a', resource: 'b' };
const ITERATION = { name: 'a', index: 'b' };

const SHAPES: Readonly<Record<string, Shape>> = {
  ExecutionStarted: ['executionStartedEventDetails', { input: '*#a', roleArn: 'b' }],
  ExecutionSucceeded: ['executionSucceededEventDetails', { output: '*#a' }],
  ExecutionFailed: ['executionFailedEventDetails', FAILURE],
  ExecutionAborted: ['executionAbortedEventDetails', FAILURE],
  ExecutionTimedOut: ['executionTimedOutEventDetails', FAILURE],
  ExecutionRedriven: ['executionRedrivenEventDetails', { redriveCount: 'a' }],
  LambdaFunctionScheduled: [
    'lambdaFunctionScheduledEventDetails',
    { resource: 'a', input: '*#b', timeoutInSeconds: 'c' },
  ],
  LambdaFunctionSucceeded: ['lambdaFunctionSucceededEventDetails', { output: '*#c' }],
  LambdaFunctionFailed: ['lambdaFunctionFailedEventDetails', { error: '*c', cause: '*d' }],
  LambdaFunctionTimedOut: ['lambdaFunctionTimedOutEventDetails', { error: '*c', cause: '*d' }],
  TaskScheduled: [
    'taskScheduledEventDetails',
    { ...OF_TASK, region: 'd.region', parameters: '*c', timeoutInSeconds: 'd.t', heartbeatInSeconds: 'd.h' },
  ],
  TaskStarted: ['taskStartedEventDetails', OF_TASK],
  TaskSubmitted: ['taskSubmittedEventDetails', { ...OF_TASK, output: '*#c' }],
  TaskSucceeded: ['taskSucceededEventDetails', { ...OF_TASK, output: '*#c' }],
  TaskFailed: ['taskFailedEventDetails', { ...OF_TASK, error: '*c', cause: '*d' }],
  TaskSubmitFailed: ['taskSubmitFailedEventDetails', { ...OF_TASK, error: '*c', cause: '*d' }],
  TaskTimedOut: ['taskTimedOutEventDetails', { ...OF_TASK, error: '*c', cause: '*d' }],
  MapStateStarted: ['mapStateStartedEventDetails', { length: 'a' }],
  MapIterationStarted: ['mapIterationStartedEventDetails', ITERATION],
  MapIterationSucceeded: ['mapIterationSucceededEventDetails', ITERATION],
  MapIterationFailed: ['mapIterationFailedEventDetails', ITERATION],
  MapIterationAborted: ['mapIterationAbortedEventDetails', ITERATION],
  MapRunStarted: ['mapRunStartedEventDetails', { mapRunArn: 'a' }],
  MapRunRedriven: ['mapRunRedrivenEventDetails', { mapRunArn: 'a', redriveCount: 'b' }],
  MapRunFailed: ['mapRunFailedEventDetails', FAILURE],
  EvaluationFailed: ['evaluationFailedEventDetails', { error: '*a', cause: '*b', location: 'c', state: 'd' }],
};
const ENTERED: Shape = ['stateEnteredEventDetails', { name: 'a', input: '*#b' }];
const EXITED: Shape = ['stateExitedEventDetails', { name: 'a', output: '*#b', assignedVariables: '*#c' }];

function shapeOf(type: string): Shape | undefined {
  return (
    SHAPES[type] ??
    (type.endsWith('StateEntered') ? ENTERED : type.endsWith('StateExited') ? EXITED : undefined)
  );
}

function show(event: Stored, id: number, includeData: boolean): HistoryEvent {
  const shown: HistoryEvent = {
    timestamp: event.atMs / 1000,
    type: event.type,
    id,
    previousEventId: event.previous,
  };
  const shape = shapeOf(event.type);
  if (shape === undefined) return shown;
  const details: Record<string, unknown> = {};
  for (const [member, rule] of Object.entries(shape[1])) {
    const [slot, inner] = rule.replace(/^[*#]+/, '').split('.') as [Slot, string?];
    const held = event[slot];
    const value = inner === undefined ? held : (held as Record<string, unknown>)[inner];
    if (value === undefined || (rule.startsWith('*') && !includeData)) continue;
    details[member] = value;
    if (rule.includes('#')) details[`${member}Details`] = { truncated: false };
  }
  shown[shape[0]] = details;
  return shown;
}

/** An execution's events. Closed with its last one; a redrive opens it again. */
export class History {
  readonly #events: Stored[] = [];
  #closed = false;
  /** Called once when no more than the final event fits. */
  onFull: (reason: StateFailure) => void = () => {};

  get length(): number {
    return this.#events.length;
  }

  /**
   * Adds an event behind the thread's last one. A closed history takes nothing: what still unwinds leaves no trace.
   * @throws StateFailure when the execution has as many events as it may have.
   */
  append(
    type: string,
    thread: Thread,
    atMs: number,
    a?: unknown,
    b?: unknown,
    c?: unknown,
    d?: unknown,
  ): void {
    if (this.#closed) return;
    if (this.#events.length >= HISTORY_LIMIT - 1) {
      const full = new StateFailure(
        'States.Runtime',
        `The execution reached the maximum number of history events (${HISTORY_LIMIT}).`,
      );
      this.onFull(full);
      throw full;
    }
    this.#events.push({ type, previous: thread.last, atMs, a, b, c, d });
    thread.last = this.#events.length;
  }

  /** As `append`, for events that tell of an abort: left out when there is no room. */
  appendIfRoom(type: string, thread: Thread, atMs: number, a?: unknown, b?: unknown): void {
    if (this.#events.length < HISTORY_LIMIT - 1) this.append(type, thread, atMs, a, b);
  }

  /** Adds the execution's last event. */
  close(type: string, atMs: number, a?: unknown, b?: unknown): void {
    this.#events.push({
      type,
      previous: this.#events.length,
      atMs,
      a,
      b,
      c: undefined,
      d: undefined,
    });
    this.#closed = true;
  }

  reopen(): void {
    this.#closed = false;
  }

  /** Events `from` (0-based, in the order asked for) up to `from + count`, as AWS shows them. */
  page(from: number, count: number, options: { reverse: boolean; includeData: boolean }): HistoryEvent[] {
    const total = this.#events.length;
    const length = Math.max(0, Math.min(count, total - from));
    return Array.from({ length }, (_, i) => {
      const at = options.reverse ? total - 1 - from - i : from + i;
      return show(this.#events[at]!, at + 1, options.includeData);
    });
  }
}
