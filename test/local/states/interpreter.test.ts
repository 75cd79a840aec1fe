import { describe, expect, it } from 'vitest';
import { chain, createRig, task } from './rig.ts';

class Flaky extends Error {
  override name = 'Flaky';
}

const types = (events: { type: string }[]) => events.map(({ type }) => type);

describe('states', () => {
  it('pass, choose, assign and give output', async () => {
    const rig = createRig();
    const result = await rig.run(
      {
        StartAt: 'Begin',
        States: {
          Begin: {
            Type: 'Pass',
            Assign: { n: '{% $states.input.n %}', was: 'new' },
            Output: { n: '{% $states.input.n * 2 %}' },
            Next: 'Big?',
          },
          'Big?': {
            Type: 'Choice',
            Choices: [
              {
                Condition: '{% $states.input.n > 10 %}',
                Next: 'Big',
                Assign: { was: 'big', before: '{% $was %}' },
              },
            ],
            Default: 'Small',
          },
          Big: { Type: 'Succeed', Output: '{% {"was": $was, "before": $before, "n": $n} %}' },
          Small: { Type: 'Fail', Error: 'TooSmall', Cause: "{% 'n is ' & $n %}" },
        },
      },
      { n: 6 },
    );
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { was: 'big', before: 'new', n: 6 } });
    const failed = await rig.run({
      StartAt: 'Small',
      States: {
        Small: { Type: 'Fail', Error: 'TooSmall', Cause: "{% 'at ' & $states.context.State.Name %}" },
      },
    });
    expect(failed).toMatchObject({ status: 'FAILED', error: 'TooSmall', cause: 'at Small' });
  });

  it('fail with States.QueryEvaluationError on nothing, on a non-boolean condition and on a bad operand', async () => {
    const rig = createRig();
    for (const [state, cause] of [
      [{ Type: 'Pass', Output: '{% $states.input.none %}', End: true }, 'returned nothing (undefined)'],
      [{ Type: 'Pass', Output: '{% 1 + "a" %}', End: true }, 'T2002'],
      [{ Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'End' }], Default: 'End' }, 'boolean'],
    ] as const) {
      const result = await rig.run({
        StartAt: 'S',
        States: { S: state, ...(state.Type === 'Choice' ? { End: { Type: 'Succeed' } } : {}) },
      });
      expect(result).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
      expect(result.cause).toContain(cause);
      expect(types(await rig.history(result.executionArn))).toContain('EvaluationFailed');
    }
  });

  it('wait in cloud time, for seconds or until a time', async () => {
    const rig = createRig();
    const result = await rig.run({
      Nap: { Type: 'Wait', Seconds: '{% 60 * 2 %}' },
      Sleep: { Type: 'Wait', Timestamp: '2026-03-02T00:00:00Z' },
      Past: { Type: 'Wait', Timestamp: '2020-01-01T00:00:00Z' },
    });
    expect(result.status).toBe('SUCCEEDED');
    expect(result.stopDate).toBe(Date.parse('2026-03-02T00:00:00Z') / 1000);
  });

  it('see their context', async () => {
    const rig = createRig();
    const result = await rig.run({ Look: { Type: 'Pass', Output: '{% $states.context %}' } }, { a: 1 });
    expect(result.output).toMatchObject({
      Execution: {
        Id: result.executionArn,
        Name: result.name,
        Input: { a: 1 },
        RedriveCount: 0,
        StartTime: '2026-03-01T00:00:00.000Z',
      },
      State: { Name: 'Look', EnteredTime: '2026-03-01T00:00:00.000Z', RetryCount: 0 },
      StateMachine: { Id: result.stateMachineArn },
    });
  });
});

describe('failures', () => {
  it('are retried with backoff, a ceiling and their own counters, then caught', async () => {
    const rig = createRig();
    const startedAt: number[] = [];
    rig.functions.set('flaky', () => {
      startedAt.push(rig.clock.now());
      throw new Flaky('again');
    });
    const result = await rig.run({
      StartAt: 'Try',
      States: {
        Try: task('flaky', {
          Retry: [
            {
              ErrorEquals: ['Flaky'],
              IntervalSeconds: 2,
              BackoffRate: 3,
              MaxAttempts: 3,
              MaxDelaySeconds: 10,
            },
          ],
          Catch: [
            {
              ErrorEquals: ['States.ALL'],
              Assign: { error: '{% $states.errorOutput.Error %}' },
              Output: {
                tries: '{% $states.context.State.RetryCount %}',
                cause: '{% $parse($states.errorOutput.Cause).errorMessage %}',
              },
              Next: 'Caught',
            },
          ],
          End: true,
        }),
        Caught: { Type: 'Pass', Output: '{% $merge([$states.input, {"error": $error}]) %}', End: true },
      },
    });
    expect(startedAt.map((at) => (at - startedAt[0]!) / 1000)).toEqual([0, 2, 8, 18]);
    expect(result.output).toEqual({ tries: 3, cause: 'again', error: 'Flaky' });
  });

  it('wait a random part of the delay with full jitter', async () => {
    const rig = createRig();
    const startedAt: number[] = [];
    rig.functions.set('flaky', () => {
      startedAt.push(rig.clock.now());
      throw new Flaky('again');
    });
    const retry = {
      ErrorEquals: ['States.TaskFailed'],
      IntervalSeconds: 100,
      MaxAttempts: 1,
      JitterStrategy: 'FULL',
    };
    await rig.run({ Try: task('flaky', { Retry: [retry] }) });
    const delay = startedAt[1]! - startedAt[0]!;
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(100_000);
    expect(delay % 1000).not.toBe(0);
  });

  it('of size pass every catcher', async () => {
    const rig = createRig();
    rig.functions.set('big', () => 'x'.repeat(262_143));
    const catching = {
      Catch: [{ ErrorEquals: ['States.ALL', 'States.DataLimitExceeded'].slice(0, 1), Next: 'Caught' }],
    };
    const result = await rig.run({
      StartAt: 'Big',
      States: { Big: task('big', { ...catching, End: true }), Caught: { Type: 'Succeed' } },
    });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    rig.functions.set('big', () => 'x'.repeat(262_142));
    expect((await rig.run({ Big: task('big') })).status).toBe('SUCCEEDED');
    const assign = {
      Type: 'Pass',
      Assign: { v: '{% $join($map([1..3000], function($i) { $pad("", 100, "é") })) %}' },
    };
    expect(await rig.run({ Assign: assign })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  it('of the machine timeout and of too long a history end the execution past every catcher', async () => {
    const rig = createRig();
    const catching = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }] };
    rig.functions.set('hang', () => new Promise(() => {}));
    const timedOut = await rig.run({
      TimeoutSeconds: 30,
      StartAt: 'Hang',
      States: { Hang: task('hang', { ...catching, End: true }), Caught: { Type: 'Succeed' } },
    });
    expect(timedOut).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(timedOut.stopDate - timedOut.startDate).toBe(30);
    expect(types(await rig.history(timedOut.executionArn)).slice(-2)).toEqual([
      'TaskStateAborted',
      'ExecutionTimedOut',
    ]);

    const endless = await rig.run({
      StartAt: 'Loop',
      States: { Loop: { Type: 'Pass', Next: 'Again' }, Again: { Type: 'Pass', Next: 'Loop' } },
    });
    expect(endless).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    const { events } = await rig.api('GetExecutionHistory', {
      executionArn: endless.executionArn,
      reverseOrder: true,
      maxResults: 1,
    });
    expect(events[0]).toMatchObject({ id: 25_000, type: 'ExecutionFailed' });
  });
});

describe('Parallel and Map', () => {
  it('give branches the arguments, keep inner variables inside and collect outputs in order', async () => {
    const rig = createRig();
    const result = await rig.run(
      {
        Begin: { Type: 'Pass', Assign: { outer: 'seen' } },
        Both: {
          Type: 'Parallel',
          Arguments: { n: '{% $states.input.n %}' },
          Branches: [
            chain({
              A: { Type: 'Wait', Seconds: 9 },
              A2: { Type: 'Pass', Assign: { mine: 1 }, Output: '{% $outer %}' },
            }),
            chain({ B: { Type: 'Pass', Output: '{% $states.input.n + 1 %}' } }),
          ],
          Output: '{% {"both": $states.result, "mine": $exists($mine)} %}',
        },
      },
      { n: 1 },
    );
    expect(result.output).toEqual({ both: ['seen', 2], mine: false });
  });

  it('run iterations under a bound, with selected items and their index', async () => {
    const rig = createRig();
    let running = 0;
    let most = 0;
    rig.functions.set('work', async (event) => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return event;
    });
    const result = await rig.run(
      {
        Each: {
          Type: 'Map',
          Items: '{% $states.input.items %}',
          ItemSelector: {
            i: '{% $states.context.Map.Item.Index %}',
            v: '{% $states.context.Map.Item.Value %}',
          },
          MaxConcurrency: 2,
          ItemProcessor: chain({
            Work: task('work', { Assign: { v: '{% $states.context.Map.Item.Value %}' } }),
          }),
        },
      },
      { items: ['a', 'b', 'c', 'd', 'e'] },
    );
    expect(result.output).toEqual(['a', 'b', 'c', 'd', 'e'].map((v, i) => ({ i, v })));
    expect(most).toBe(2);
    const events = await rig.history(result.executionArn);
    expect(events.filter(({ type }) => type === 'MapIterationSucceeded')).toHaveLength(5);
    expect(events.find(({ type }) => type === 'MapStateStarted').mapStateStartedEventDetails).toEqual({
      length: 5,
    });
  });

  it('let a Fail inside reach the catcher outside, and abort the siblings first', async () => {
    const rig = createRig();
    let aborted = false;
    rig.functions.set(
      'slow',
      (_event, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => (aborted = true));
        }),
    );
    const result = await rig.run({
      StartAt: 'Both',
      States: {
        Both: {
          Type: 'Parallel',
          Branches: [
            chain({ Slow: task('slow') }),
            chain({ Nap: { Type: 'Wait', Seconds: 5 }, No: { Type: 'Fail', Error: 'Refused', Cause: 'no' } }),
          ],
          Retry: [{ ErrorEquals: ['Refused'], MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ['Refused'], Output: '{% $states.errorOutput %}', Next: 'Undo' }],
          End: true,
        },
        Undo: { Type: 'Succeed' },
      },
    });
    expect(result.output).toEqual({ Error: 'Refused', Cause: 'no' });
    expect(aborted).toBe(true);
    const events = types(await rig.history(result.executionArn));
    expect(events.filter((type) => type === 'FailStateEntered')).toHaveLength(2);
    expect(events.filter((type) => type === 'TaskStateAborted')).toHaveLength(2);
    expect(events.indexOf('TaskStateAborted')).toBeLessThan(events.indexOf('ParallelStateFailed'));
  });

  it('refuse items that are no array', async () => {
    const rig = createRig();
    const map = {
      Type: 'Map',
      Items: '{% $states.input.items %}',
      ItemProcessor: chain({ P: { Type: 'Pass' } }),
    };
    expect(await rig.run({ Each: map }, { items: 'one' })).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
    expect((await rig.run({ Each: map }, { items: [] })).output).toEqual([]);
  });
});

describe('the live display', () => {
  it('hears every state, retry and status with its attempt', async () => {
    const rig = createRig();
    const heard: string[] = [];
    rig.states.onTransition(({ type, stateName, status, attempt, error }) =>
      heard.push([type, stateName, status, attempt, error].filter((part) => part !== undefined).join(' ')),
    );
    let tries = 0;
    rig.functions.set('flaky', () => {
      if ((tries += 1) === 1) throw new Flaky('again');
      return {};
    });
    await rig.run({ Try: task('flaky', { Retry: [{ ErrorEquals: ['Flaky'] }] }) });
    expect(heard).toEqual([
      'execution RUNNING 1',
      'entered Try RUNNING 1',
      'retried Try RETRYING 1 Flaky',
      'exited Try SUCCEEDED 2',
      'execution SUCCEEDED 1',
    ]);
  });
});
