// Is the state named that failed, and not what ran after it?
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { failedStateIn } from '../../lambdas/runtime/failed-state.ts';

const FAILURE = { error: 'Refused', cause: '{"errorMessage":"no"}' };
const SHOWN = JSON.stringify({ Error: FAILURE.error, Cause: FAILURE.cause });

type Line = Omit<Partial<HistoryEvent>, 'id' | 'timestamp'>;

/** Events in the order in which they happened, each after the one before it unless told otherwise; answered newest first. */
function history(...lines: readonly Line[]): HistoryEvent[] {
  return lines
    .map(
      (line, index) =>
        ({ id: index + 1, previousEventId: index, timestamp: new Date(0), ...line }) as HistoryEvent,
    )
    .toReversed();
}
const entered = (name: string, type: HistoryEvent['type'] = 'TaskStateEntered'): Line => ({
  type,
  stateEnteredEventDetails: { name },
});
const exited = (name: string, assigned?: string, type: HistoryEvent['type'] = 'TaskStateExited'): Line => ({
  type,
  stateExitedEventDetails: {
    name,
    ...(assigned === undefined ? {} : { assignedVariables: { failure: assigned } }),
  },
});
const failed = (cause = FAILURE.cause): Line => ({
  type: 'LambdaFunctionFailed',
  lambdaFunctionFailedEventDetails: { error: FAILURE.error, cause },
});
const over: readonly Line[] = [
  entered('Failed', 'FailStateEntered'),
  { type: 'ExecutionFailed', executionFailedEventDetails: FAILURE },
];

describe('the state that failed', () => {
  it('is the one whose failure was caught, not an undo that failed in the same words', () => {
    const undo = [entered('UndoPublish'), failed(), exited('UndoPublish')];
    const events = history(entered('PublishAds'), failed(), exited('PublishAds', SHOWN), ...undo, ...over);
    expect(failedStateIn(events, FAILURE)).toBe('PublishAds');
  });

  it('of a Map is the state of the item that failed, also among items that went on', () => {
    const events = history(
      entered('Renders', 'MapStateEntered'),
      entered('Report'),
      { ...entered('Render'), previousEventId: 1 },
      { ...failed(), previousEventId: 2 },
      { ...exited('Render'), previousEventId: 3 },
      exited('Renders', SHOWN, 'MapStateExited'),
      ...over,
    );
    expect(failedStateIn(events, FAILURE)).toBe('Report');
  });

  it('of a Map is the Map when the failing item is no longer among the newest events', () => {
    const events = history(exited('Renders', SHOWN, 'MapStateExited'), ...over);
    expect(failedStateIn(events, FAILURE)).toBe('Renders');
  });

  it('is one that nobody caught, or whose variables were too long to be shown', () => {
    const cut = exited('PublishAds', '{"Error":"Refu');
    expect(failedStateIn(history(entered('PublishAds'), failed()), FAILURE)).toBe('PublishAds');
    expect(
      failedStateIn(
        history(
          entered('PublishAds'),
          failed(),
          cut,
          entered('UndoPublish'),
          failed('other'),
          exited('UndoPublish'),
        ),
        FAILURE,
      ),
    ).toBe('PublishAds');
  });

  it('is the one that was never left when time ran out', () => {
    const events = history(entered('First'), exited('First'), entered('Second'), {
      type: 'ExecutionTimedOut',
      executionTimedOutEventDetails: {},
    });
    expect(failedStateIn(events, { error: null, cause: null })).toBe('Second');
  });

  it('is unknown where no state is named', () => {
    expect(failedStateIn([], FAILURE)).toBeUndefined();
  });
});
