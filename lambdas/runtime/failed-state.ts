// In which state did an execution fail, or was it when time ran out or a person stopped it?
import { GetExecutionHistoryCommand, SFNClient, type HistoryEvent } from '@aws-sdk/client-sfn';
import { awsClientConfig, sharedClient } from './aws-client.ts';
import { awsCall } from './aws-errors.ts';
import type { Need } from './need.ts';

/** The newest events that are read: every undo with all its retries takes fewer. */
const EVENTS_READ = 200;

export interface Failure {
  error?: string | null | undefined;
  cause?: string | null | undefined;
}

/** Undefined when there is no such execution, or its newest events name no state. @throws RateLimited, Unavailable */
export type FailedState = (executionArn: string, failure: Failure) => Promise<string | undefined>;

/** Of the executions of every state machine of the stage. */
export const failedStateNeed: Need<FailedState> = {
  grants: [{ actions: ['states:GetExecutionHistory'], on: { kind: 'execution', stateMachine: '*' } }],
  env: {},
  open(env) {
    const client = sharedClient(env, 'states', () => new SFNClient(awsClientConfig(env, 'SFN')));
    return async (executionArn, failure) => {
      const command = new GetExecutionHistoryCommand({
        executionArn,
        reverseOrder: true,
        maxResults: EVENTS_READ,
      });
      try {
        const { events = [] } = await awsCall('GetExecutionHistory', () => client.send(command));
        return failedStateIn(events, failure);
      } catch (error) {
        if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
        throw error;
      }
    };
  },
};

/**
 * `newestFirst` are the last events of an execution. A state whose failure was caught assigns what the Fail state shows in the end:
 * that one is named, not the undo that ran after it; of a Map, the state of the item that failed. Otherwise it is the state that
 * last failed so, and where none did (time ran out, a person stopped it) the one that was entered last and never left.
 */
export function failedStateIn(newestFirst: readonly HistoryEvent[], failure: Failure): string | undefined {
  const isThat = (error: unknown, cause: unknown): boolean =>
    error === failure.error && (cause ?? '') === (failure.cause ?? '');
  const failedAfter = (index: number): string | undefined => {
    const found = newestFirst.slice(index).find((event) => {
      const { error, cause } = failureOf(event);
      return error !== undefined && isThat(error, cause);
    });
    return found && stateOf(found, newestFirst);
  };
  const caught = newestFirst.findIndex(({ stateExitedEventDetails: exit }) =>
    Object.values(exit?.assignedVariables ?? {}).some((value) => {
      const { Error: error, Cause: cause } = record(value);
      return error !== undefined && isThat(error, cause);
    }),
  );
  const { type, stateExitedEventDetails: exit } = newestFirst[caught] ?? {};
  if (exit !== undefined)
    return (/^(?:Map|Parallel)/.test(type ?? '') ? failedAfter(caught) : undefined) ?? exit.name;
  return failedAfter(0) ?? neverLeft(newestFirst);
}

function neverLeft(newestFirst: readonly HistoryEvent[]): string | undefined {
  const left = new Set<string | undefined>();
  for (const { stateEnteredEventDetails: entry, stateExitedEventDetails: exit } of newestFirst) {
    if (exit !== undefined) left.add(exit.name);
    else if (entry !== undefined && !left.has(entry.name)) return entry.name;
  }
  return undefined;
}

/** A function, a task or an evaluation that failed says so in the same two words; so does the execution, which is no state. */
function failureOf({ type, ...event }: HistoryEvent): { error?: unknown; cause?: unknown } {
  if (type?.startsWith('Execution') === true) return {};
  const details = Object.values(event).find((value: unknown) => isRecord(value) && 'error' in value);
  return isRecord(details) ? details : {};
}

function stateOf(event: HistoryEvent, events: readonly HistoryEvent[]): string | undefined {
  const byId = new Map(events.map((one) => [one.id, one]));
  let at: HistoryEvent | undefined = event;
  while (at !== undefined && at.stateEnteredEventDetails === undefined)
    at = byId.get(at.previousEventId ?? 0);
  return at?.stateEnteredEventDetails?.name;
}

function record(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : {};
  } catch {
    // AWS cuts long values: then it is none that a Catch assigned.
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
