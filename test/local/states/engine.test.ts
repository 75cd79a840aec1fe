import { describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/local/types.ts';
import { chain, createRig, ROLE, task } from './rig.ts';

const NAP = { Nap: { Type: 'Wait', Seconds: 60 } };
const types = (events: { type: string }[]) => events.map(({ type }) => type);

describe('state machines', () => {
  it('are created once, described, updated and deleted', async () => {
    const rig = createRig();
    const definition = JSON.stringify({ QueryLanguage: 'JSONata', ...chain({ A: { Type: 'Pass' } }) });
    const input = { name: 'one', roleArn: ROLE, definition, tags: [{ key: 'k', value: 'v' }] };
    const created = await rig.api('CreateStateMachine', input);
    expect(created).toEqual({
      stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:one',
      creationDate: Date.parse('2026-03-01T00:00:00Z') / 1000,
    });
    expect(await rig.api('CreateStateMachine', input)).toEqual(created);
    const { stateMachineArn } = created;
    const changed = JSON.stringify({ QueryLanguage: 'JSONata', ...chain({ B: { Type: 'Succeed' } }) });
    await expect(rig.api('CreateStateMachine', { ...input, definition: changed })).rejects.toMatchObject({
      code: 'StateMachineAlreadyExists',
    });
    expect(await rig.api('DescribeStateMachine', { stateMachineArn })).toMatchObject({
      name: 'one',
      definition,
      type: 'STANDARD',
      status: 'ACTIVE',
      roleArn: ROLE,
    });
    expect(await rig.api('ListTagsForResource', { resourceArn: stateMachineArn })).toEqual({
      tags: input.tags,
    });
    await rig.api('UpdateStateMachine', { stateMachineArn, definition: changed });
    expect((await rig.api('DescribeStateMachine', { stateMachineArn })).definition).toBe(changed);
    await rig.api('DeleteStateMachine', { stateMachineArn });
    await expect(rig.api('DescribeStateMachine', { stateMachineArn })).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
    });
    await expect(rig.api('DescribeStateMachine', { stateMachineArn: 'nonsense' })).rejects.toMatchObject({
      code: 'InvalidArn',
    });
    await expect(rig.api('CreateStateMachine', { ...input, name: 'a b' })).rejects.toMatchObject({
      code: 'InvalidName',
    });
    await expect(rig.api('CreateActivity')).rejects.toMatchObject({ code: 'UnknownOperationException' });
  });

  it('change under executions only for those that start later', async () => {
    const rig = createRig();
    const stateMachineArn = await rig.machine({ ...NAP, Old: { Type: 'Pass', Output: 'old' } });
    const { executionArn } = await rig.api('StartExecution', { stateMachineArn });
    const definition = JSON.stringify({
      QueryLanguage: 'JSONata',
      ...chain({ New: { Type: 'Pass', Output: 'new' } }),
    });
    await rig.api('UpdateStateMachine', { stateMachineArn, definition });
    const second = await rig.api('StartExecution', { stateMachineArn });
    await rig.clock.settle();
    expect((await rig.api('DescribeExecution', { executionArn })).output).toBe('"old"');
    expect((await rig.api('DescribeExecution', second)).output).toBe('"new"');
    expect((await rig.api('DescribeStateMachineForExecution', { executionArn })).definition).toContain('Nap');
  });

  it('are listed page by page', async () => {
    const rig = createRig();
    for (const name of ['c', 'a', 'b']) await rig.machine({ A: { Type: 'Pass' } }, { name });
    const first = await rig.api('ListStateMachines', { maxResults: 2 });
    expect(first.stateMachines.map((m: Json) => m.name)).toEqual(['a', 'b']);
    const second = await rig.api('ListStateMachines', { maxResults: 2, nextToken: first.nextToken });
    expect(second.stateMachines.map((m: Json) => m.name)).toEqual(['c']);
    expect(second.nextToken).toBeUndefined();
    await expect(rig.api('ListStateMachines', { nextToken: 'x' })).rejects.toMatchObject({
      code: 'InvalidToken',
    });
  });
});

describe('executions', () => {
  it('have unique names; the same name and input while open is the same execution', async () => {
    const rig = createRig();
    const stateMachineArn = await rig.machine(NAP, { name: 'nap' });
    const start = (input: string) => rig.api('StartExecution', { stateMachineArn, name: 'run-1', input });
    const first = await start('{"a":1}');
    expect(first.executionArn).toBe('arn:aws:states:us-east-1:000000000000:execution:nap:run-1');
    expect(await start('{"a":1}')).toEqual(first);
    await expect(start('{"a":2}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    await rig.clock.settle();
    await expect(start('{"a":1}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    const wrong = (input: Json) => rig.api('StartExecution', { stateMachineArn, ...input });
    await expect(wrong({ input: '{' })).rejects.toMatchObject({ code: 'InvalidExecutionInput' });
    await expect(wrong({ name: 'a/b' })).rejects.toMatchObject({ code: 'InvalidName' });
    await expect(wrong({ input: JSON.stringify('x'.repeat(262_144)) })).rejects.toMatchObject({
      code: 'ValidationException',
    });
    await expect(wrong({ stateMachineArn: `${stateMachineArn}x` })).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
    });
    const executionArn = `${first.executionArn}x`;
    await expect(rig.api('DescribeExecution', { executionArn })).rejects.toMatchObject({
      code: 'ExecutionDoesNotExist',
    });
  });

  it('are listed newest first, by status and page', async () => {
    const rig = createRig();
    const stateMachineArn = await rig.machine(NAP);
    for (const name of ['1', '2', '3']) await rig.api('StartExecution', { stateMachineArn, name });
    const [, two] = (await rig.api('ListExecutions', { stateMachineArn })).executions;
    await rig.api('StopExecution', { executionArn: two.executionArn });
    const names = async (input: Json) => {
      const page = await rig.api('ListExecutions', { stateMachineArn, ...input });
      return [page.executions.map((e: Json) => e.name).join(), page.nextToken];
    };
    expect(await names({})).toEqual(['3,2,1', undefined]);
    expect(await names({ statusFilter: 'RUNNING' })).toEqual(['3,1', undefined]);
    const [first, nextToken] = await names({ maxResults: 2 });
    expect(first).toBe('3,2');
    expect(await names({ maxResults: 2, nextToken })).toEqual(['1', undefined]);
    const express = await rig.machine(NAP, { type: 'EXPRESS' });
    await expect(rig.api('ListExecutions', { stateMachineArn: express })).rejects.toMatchObject({
      code: 'StateMachineTypeNotSupported',
    });
  });

  it('stop at once, past every catcher, and abort what runs', async () => {
    const rig = createRig();
    let reason: unknown;
    rig.functions.set(
      'hang',
      (_event, signal) => new Promise(() => signal.addEventListener('abort', () => (reason = signal.reason))),
    );
    const stateMachineArn = await rig.machine({
      StartAt: 'Hang',
      States: {
        Hang: task('hang', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], End: true }),
        Caught: { Type: 'Succeed' },
      },
    });
    const { executionArn } = await rig.api('StartExecution', { stateMachineArn });
    await rig.clock.advance(1000);
    const { stopDate } = await rig.api('StopExecution', { executionArn, error: 'Enough', cause: 'because' });
    expect(await rig.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'because',
      stopDate,
    });
    expect(reason).toBeDefined();
    await rig.clock.settle();
    const events = await rig.history(executionArn);
    expect(types(events).slice(-2)).toEqual(['TaskStateAborted', 'ExecutionAborted']);
    await rig.api('StopExecution', { executionArn });
    expect(await rig.history(executionArn)).toEqual(events);
  });

  it('show their history by page, backwards, and without data', async () => {
    const rig = createRig();
    const { executionArn } = await rig.run({ A: { Type: 'Pass' }, B: { Type: 'Pass' } });
    const first = await rig.api('GetExecutionHistory', { executionArn, maxResults: 4 });
    const second = await rig.api('GetExecutionHistory', {
      executionArn,
      maxResults: 4,
      nextToken: first.nextToken,
    });
    expect([...first.events, ...second.events].map(({ id }: Json) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(second.nextToken).toBeUndefined();
    const backwards = await rig.api('GetExecutionHistory', {
      executionArn,
      maxResults: 2,
      reverseOrder: true,
    });
    expect(backwards.events.map(({ id }: Json) => id)).toEqual([6, 5]);
    const bare = await rig.api('GetExecutionHistory', { executionArn, includeExecutionData: false });
    expect(bare.events[1].stateEnteredEventDetails).toEqual({ name: 'A' });
  });
});

describe('redriving', () => {
  it('runs again only what was entered and not left, with the variables of then', async () => {
    const rig = createRig();
    const seen: string[] = [];
    let broken = true;
    for (const name of ['one', 'two', 'three'])
      rig.functions.set(name, (event) => {
        seen.push(name);
        if (name === 'two' && broken) throw new Error('broken');
        return event;
      });
    const failed = await rig.run(
      {
        One: task('one', { Assign: { v: '{% $states.result.n %}' } }),
        Both: {
          Type: 'Parallel',
          Branches: [
            chain({ Three: task('three') }),
            chain({
              Begin: { Type: 'Wait', Seconds: 1 },
              Two: task('two', { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 1 }] }),
            }),
          ],
        },
        Last: { Type: 'Pass', Output: '{% [$v, $states.context.Execution.RedriveCount] %}' },
      },
      { n: 7 },
    );
    expect(failed.status).toBe('FAILED');
    expect(failed.redriveStatus).toBe('REDRIVABLE');
    expect(seen).toEqual(['one', 'three', 'two', 'two']);
    broken = false;
    const { redriveDate } = await rig.api('RedriveExecution', { executionArn: failed.executionArn });
    expect(redriveDate).toBe(rig.clock.now() / 1000);
    await rig.clock.settle();
    expect(seen).toEqual(['one', 'three', 'two', 'two', 'two']);
    const described = await rig.api('DescribeExecution', { executionArn: failed.executionArn });
    expect(described).toMatchObject({
      status: 'SUCCEEDED',
      output: '[7,1]',
      redriveCount: 1,
      redriveStatus: 'NOT_REDRIVABLE',
    });
    expect(described.error).toBeUndefined();
    const events = await rig.history(failed.executionArn);
    expect(events.find(({ type }) => type === 'ExecutionRedriven').executionRedrivenEventDetails).toEqual({
      redriveCount: 1,
    });
    expect(types(events).filter((type) => type === 'ExecutionFailed')).toHaveLength(1);
    expect(events.map(({ id }) => id)).toEqual(events.map((_event, i) => i + 1));
  });

  it('continues the iterations that failed, and enters a Fail state again', async () => {
    const rig = createRig();
    const seen: string[] = [];
    let broken = true;
    rig.functions.set('work', (event) => {
      seen.push(event);
      if (event === 'b' && broken) throw new Error('broken');
      return event;
    });
    const map = {
      Type: 'Map',
      Items: ['a', 'b'],
      MaxConcurrency: 1,
      ItemProcessor: chain({ Work: task('work') }),
    };
    const failed = await rig.run({ Each: map });
    broken = false;
    await rig.api('RedriveExecution', { executionArn: failed.executionArn });
    await rig.clock.settle();
    expect(seen).toEqual(['a', 'b', 'b']);
    expect((await rig.api('DescribeExecution', { executionArn: failed.executionArn })).output).toBe(
      '["a","b"]',
    );
    const { executionArn } = await rig.run({ Never: { Type: 'Fail', Error: 'No' } });
    await rig.api('RedriveExecution', { executionArn });
    await rig.clock.settle();
    expect(await rig.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'FAILED',
      error: 'No',
      redriveCount: 1,
    });
  });

  it('is refused when there is nothing to redrive or it is too late', async () => {
    const rig = createRig();
    const { executionArn } = await rig.run({ A: { Type: 'Pass' } });
    await expect(rig.api('RedriveExecution', { executionArn })).rejects.toMatchObject({
      code: 'ExecutionNotRedrivable',
    });
    const failed = await rig.run({ A: { Type: 'Fail' } });
    await rig.clock.advance(15 * 86_400_000);
    await expect(rig.api('RedriveExecution', { executionArn: failed.executionArn })).rejects.toMatchObject({
      code: 'ExecutionNotRedrivable',
    });
  });
});

describe('status change events', () => {
  it('tell the default bus of the start and of every ending of a Standard execution', async () => {
    const rig = createRig({ statusChanges: true });
    const { executionArn, stateMachineArn } = await rig.run(
      { A: { Type: 'Fail', Error: 'No', Cause: 'why' } },
      { a: 1 },
    );
    const [started, ended] = rig.calls;
    expect(rig.calls).toHaveLength(2);
    expect(started).toMatchObject({
      service: 'events',
      operation: 'PutEvents',
      context: {
        principal: { kind: 'service', service: 'states.amazonaws.com', sourceArn: stateMachineArn },
      },
    });
    expect(started!.input.Entries[0]).toMatchObject({
      Source: 'aws.states',
      DetailType: 'Step Functions Execution Status Change',
      Resources: [executionArn],
    });
    expect(JSON.parse(started!.input.Entries[0].Detail)).toMatchObject({
      status: 'RUNNING',
      stopDate: null,
      input: '{"a":1}',
    });
    expect(JSON.parse(ended!.input.Entries[0].Detail)).toMatchObject({
      executionArn,
      stateMachineArn,
      status: 'FAILED',
      startDate: Date.parse('2026-03-01T00:00:00Z'),
      stopDate: Date.parse('2026-03-01T00:00:00Z'),
      error: 'No',
      cause: 'why',
      output: null,
    });
  });

  it('are not put for Express machines, and a bus that refuses one fails no execution', async () => {
    const lost: string[] = [];
    const rig = createRig({ statusChanges: true, onLostEvent: (_error, arn) => lost.push(arn) });
    const stateMachineArn = await rig.machine({ A: { Type: 'Pass' } }, { type: 'EXPRESS' });
    await rig.api('StartExecution', { stateMachineArn });
    await rig.clock.settle();
    expect(rig.calls).toEqual([]);
    rig.services.set('events', () => {
      throw new Error('no bus');
    });
    const { executionArn, status } = await rig.run({ A: { Type: 'Pass' } });
    expect(status).toBe('SUCCEEDED');
    expect(lost).toEqual([executionArn, executionArn]);
  });
});

describe('permissions', () => {
  it('are asked for the machine or the execution', () => {
    const { states } = createRig();
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:m';
    const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:m:e';
    const needs = (operation: string, input: Json) => states.authorization(operation, input)[0];
    expect(needs('StartExecution', { stateMachineArn })).toEqual({
      action: 'states:StartExecution',
      resource: stateMachineArn,
    });
    expect(needs('StopExecution', { executionArn })).toEqual({
      action: 'states:StopExecution',
      resource: executionArn,
    });
    expect(needs('GetExecutionHistory', { executionArn })).toEqual({
      action: 'states:GetExecutionHistory',
      resource: executionArn,
    });
    expect(needs('ListExecutions', { stateMachineArn })).toEqual({
      action: 'states:ListExecutions',
      resource: stateMachineArn,
    });
    expect(needs('ListStateMachines', {})).toEqual({ action: 'states:ListStateMachines', resource: '*' });
    expect(needs('CreateStateMachine', { name: 'm' })).toEqual({
      action: 'states:CreateStateMachine',
      resource: stateMachineArn,
    });
  });
});
