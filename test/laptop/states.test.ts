import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statesOf, visitsOf, type HistoryEvent } from '../../lib/laptop/states.ts';
import { ROOT } from './console.ts';

const event = (id: number, previousEventId: number, type: string, name?: string): HistoryEvent => ({
  id,
  previousEventId,
  timestamp: 1_000 + id / 10,
  type,
  ...(type.endsWith('StateEntered') ? { stateEnteredEventDetails: { name: name ?? '' } } : {}),
  ...(type.endsWith('StateExited') ? { stateExitedEventDetails: { name: name ?? '' } } : {}),
});

describe('visits of states', () => {
  it('counts attempts, keeps iterations of a Map apart and sees which failure was caught', () => {
    const visits = visitsOf([
      event(1, 0, 'ExecutionStarted'),
      event(2, 1, 'MapStateEntered', 'Renders'),
      event(3, 2, 'MapStateStarted'),
      event(4, 3, 'MapIterationStarted'),
      event(5, 3, 'MapIterationStarted'),
      event(6, 4, 'TaskStateEntered', 'Render'),
      event(7, 5, 'TaskStateEntered', 'Render'),
      event(8, 6, 'LambdaFunctionScheduled'),
      event(9, 7, 'LambdaFunctionScheduled'),
      event(10, 8, 'LambdaFunctionFailed'),
      event(11, 9, 'LambdaFunctionFailed'),
      event(12, 10, 'LambdaFunctionScheduled'),
      event(13, 12, 'LambdaFunctionSucceeded'),
      event(14, 13, 'TaskStateExited', 'Render'),
      event(15, 11, 'TaskStateExited', 'Render'),
      event(16, 14, 'MapIterationSucceeded'),
      event(17, 15, 'MapIterationSucceeded'),
      event(18, 17, 'MapStateSucceeded'),
      event(19, 18, 'MapStateExited', 'Renders'),
      event(20, 19, 'FailStateEntered', 'Failed'),
      event(21, 20, 'ExecutionFailed'),
    ]);
    expect(visits.map(({ name, status, attempts }) => [name, status, attempts])).toEqual([
      ['Renders', 'SUCCEEDED', 1],
      ['Render', 'SUCCEEDED', 2],
      ['Render', 'CAUGHT', 1],
      ['Failed', 'FAILED', 1],
    ]);
    expect(visits[1]).toMatchObject({ startedAt: '1970-01-01T00:16:40.600Z', durationMs: 800 });
    expect(visits[3]?.durationMs).toBe(100);
  });

  it('says which state was cut off by a stopped execution', () => {
    const visits = visitsOf([
      event(1, 0, 'ExecutionStarted'),
      event(2, 1, 'TaskStateEntered', 'Slow'),
      event(3, 2, 'LambdaFunctionScheduled'),
      event(4, 3, 'ExecutionAborted'),
    ]);
    expect(visits).toEqual([
      {
        name: 'Slow',
        status: 'ABORTED',
        startedAt: '1970-01-01T00:16:40.200Z',
        durationMs: 200,
        attempts: 1,
      },
    ]);
  });
});

describe('states of a definition', () => {
  it('finds those inside a Map, with comments, and the one that asks a person', () => {
    const states = statesOf(readFileSync(join(ROOT, 'statemachines/creative-generation.asl.json'), 'utf8'));
    expect(states.get('RenderGroup')).toMatchObject({ type: 'Task', asksSomebody: false });
    expect([...states].filter(([, { asksSomebody }]) => asksSomebody).map(([name]) => name)).toEqual([
      'AskForReview',
    ]);
    expect([...states.values()].every(({ type, comment }) => type !== 'Task' || comment !== '')).toBe(true);
  });
});
