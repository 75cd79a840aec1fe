import { describe, expect, it } from 'vitest';
import { AwsError, type Json } from '../../../lib/local/types.ts';
import { chain, createRig, functionArn, ROLE, task } from './rig.ts';

const types = (events: { type: string }[]) => events.map(({ type }) => type);
const integration = (name: string, args: Json, more: Json = {}) => ({
  Type: 'Task',
  Resource: `arn:aws:states:::${name}`,
  Arguments: args,
  ...more,
});

describe('a Task whose Resource is a function', () => {
  it('hands over Arguments and nothing else, and keeps its own copy of everything', async () => {
    const rig = createRig();
    let kept: Json;
    rig.functions.set('work', (event) => {
      event.list.push('mine');
      kept = { list: event.list };
      return kept;
    });
    rig.functions.set('look', (event) => {
      kept.list.push('later');
      return event;
    });
    const result = await rig.run(
      {
        Work: task('work', {
          Arguments: { list: '{% $states.input.list %}' },
          Assign: { kept: '{% $states.result %}' },
        }),
        Look: task('look', { Arguments: { result: '{% $states.input %}', kept: '{% $kept %}' } }),
        After: {
          Type: 'Pass',
          Output: '{% [$states.input, {"input": $states.context.Execution.Input}, $kept] %}',
        },
      },
      { list: ['a'] },
    );
    const list = ['a', 'mine'];
    expect(result.output).toEqual([
      { result: { list }, kept: { list } },
      { input: { list: ['a'] } },
      { list },
    ]);
  });

  it('leaves the history AWS leaves', async () => {
    const rig = createRig();
    rig.functions.set('work', () => ({ done: true }));
    const result = await rig.run(
      { Work: task('work', { Arguments: { a: 1 }, TimeoutSeconds: 60, Assign: { v: [1] } }) },
      { in: 1 },
    );
    const at = Date.parse('2026-03-01T00:00:00Z') / 1000;
    const details = { truncated: false };
    expect(await rig.history(result.executionArn)).toEqual([
      {
        timestamp: at,
        id: 1,
        previousEventId: 0,
        type: 'ExecutionStarted',
        executionStartedEventDetails: { input: '{"in":1}', inputDetails: details, roleArn: ROLE },
      },
      {
        timestamp: at,
        id: 2,
        previousEventId: 1,
        type: 'TaskStateEntered',
        stateEnteredEventDetails: { name: 'Work', input: '{"in":1}', inputDetails: details },
      },
      {
        timestamp: at,
        id: 3,
        previousEventId: 2,
        type: 'LambdaFunctionScheduled',
        lambdaFunctionScheduledEventDetails: {
          resource: functionArn('work'),
          input: '{"a":1}',
          inputDetails: details,
          timeoutInSeconds: 60,
        },
      },
      { timestamp: at, id: 4, previousEventId: 3, type: 'LambdaFunctionStarted' },
      {
        timestamp: at,
        id: 5,
        previousEventId: 4,
        type: 'LambdaFunctionSucceeded',
        lambdaFunctionSucceededEventDetails: { output: '{"done":true}', outputDetails: details },
      },
      {
        timestamp: at,
        id: 6,
        previousEventId: 5,
        type: 'TaskStateExited',
        stateExitedEventDetails: {
          name: 'Work',
          output: '{"done":true}',
          outputDetails: details,
          assignedVariables: { v: '[1]' },
          assignedVariablesDetails: details,
        },
      },
      {
        timestamp: at,
        id: 7,
        previousEventId: 6,
        type: 'ExecutionSucceeded',
        executionSucceededEventDetails: { output: '{"done":true}', outputDetails: details },
      },
    ]);
  });

  it("fails with the function's error type, or with Lambda's own error", async () => {
    const rig = createRig();
    rig.functions.set('bad', () => {
      throw Object.assign(new Error('no'), { name: 'Runtime.OutOfMemory' });
    });
    rig.functions.set('busy', () => {
      throw new AwsError('TooManyRequestsException', 'Rate exceeded', 429);
    });
    const bad = await rig.run({ Bad: task('bad') });
    expect(bad).toMatchObject({ status: 'FAILED', error: 'Runtime.OutOfMemory' });
    expect(JSON.parse(bad.cause)).toEqual({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: 'no',
      trace: [],
    });
    expect(types(await rig.history(bad.executionArn))).toContain('LambdaFunctionFailed');
    expect(await rig.run({ Busy: task('busy') })).toMatchObject({ error: 'Lambda.TooManyRequestsException' });
    expect(await rig.run({ None: task('none') })).toMatchObject({
      error: 'Lambda.ResourceNotFoundException',
    });
  });

  it('times out, aborts the invocation and takes no late answer', async () => {
    const rig = createRig();
    let abortedAt = 0;
    rig.functions.set('slow', async (_event, signal) => {
      signal.addEventListener('abort', () => (abortedAt = rig.clock.now()));
      await rig.clock.sleep(60_000);
      return 'late';
    });
    const result = await rig.run({ Slow: task('slow', { TimeoutSeconds: '{% 20 + 10 %}' }) });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(abortedAt).toBe(Date.parse('2026-03-01T00:00:30Z'));
    expect(types(await rig.history(result.executionArn)).slice(-2)).toEqual([
      'LambdaFunctionTimedOut',
      'ExecutionFailed',
    ]);
  });

  it('leaves no timer behind', async () => {
    const rig = createRig();
    rig.functions.set('work', () => 1);
    const startedAt = rig.clock.now();
    await rig.run({ TimeoutSeconds: 9999, ...chain({ Work: task('work', { TimeoutSeconds: 999 }) }) });
    expect(rig.clock.now()).toBe(startedAt);
  });
});

describe('service integrations', () => {
  it('invoke a function by name with the result AWS shapes', async () => {
    const rig = createRig();
    rig.functions.set('work', (event) => ({ got: event }));
    const result = await rig.run({
      Work: integration(
        'lambda:invoke',
        { FunctionName: functionArn('work'), Payload: { a: 1 } },
        { Output: '{% $states.result %}' },
      ),
    });
    expect(result.output).toEqual({
      ExecutedVersion: '$LATEST',
      StatusCode: 200,
      Payload: { got: { a: 1 } },
    });
    expect(types(await rig.history(result.executionArn)).slice(2, 5)).toEqual([
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
    ]);
  });

  it("call other services as the machine's role, and name their errors", async () => {
    const rig = createRig();
    rig.services.set('sqs', () => ({ MessageId: 'm-1' }));
    rig.services.set('dynamodb', () => {
      throw new AwsError('ConditionalCheckFailedException', 'The conditional request failed');
    });
    const result = await rig.run({
      Send: integration('sqs:sendMessage', { QueueUrl: 'http://q', MessageBody: { a: 1 } }),
      Tell: integration('events:putEvents', {
        Entries: [{ Source: 's', DetailType: 'd', Detail: { b: 2 } }],
      }),
    });
    expect(result.status).toBe('SUCCEEDED');
    expect(rig.calls[0]).toEqual({
      service: 'sqs',
      operation: 'SendMessage',
      input: { QueueUrl: 'http://q', MessageBody: '{"a":1}' },
      context: { principal: { kind: 'role', roleArn: ROLE } },
    });
    expect(rig.calls[1]!.input.Entries[0]).toMatchObject({
      Detail: '{"b":2}',
      Resources: [result.executionArn, result.stateMachineArn],
    });
    const put = integration('dynamodb:putItem', { TableName: 't', Item: {} });
    expect(await rig.run({ Put: put })).toMatchObject({ error: 'DynamoDB.ConditionalCheckFailedException' });
    rig.services.set('sqs', () => {
      throw new AwsError('QueueDoesNotExist', 'gone');
    });
    expect(await rig.run({ Send: integration('aws-sdk:sqs:receiveMessage', {}) })).toMatchObject({
      error: 'Sqs.QueueDoesNotExistException',
    });
    rig.services.set('events', () => ({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'X' }] }));
    expect(await rig.run({ Tell: integration('events:putEvents', { Entries: [{}] }) })).toMatchObject({
      error: 'EventBridge.FailedEntry',
    });
  });

  it('start a child, and with .sync:2 wait for its output or its failure', async () => {
    const rig = createRig();
    const child = await rig.machine(
      {
        Nap: { Type: 'Wait', Seconds: 10 },
        'Good?': {
          Type: 'Choice',
          Choices: [{ Condition: '{% $states.input.good %}', Next: 'Yes' }],
          Default: 'No',
        },
        Yes: { Type: 'Succeed', Output: { child: true } },
        No: { Type: 'Fail', Error: 'Refused', Cause: 'no' },
      },
      { name: 'child' },
    );
    const start = (suffix: string, good: boolean) =>
      integration(`states:startExecution${suffix}`, { StateMachineArn: child, Input: { good } });
    const result = await rig.run({ Child: start('.sync:2', true) });
    expect(result.output).toMatchObject({
      Status: 'SUCCEEDED',
      Input: { good: true },
      Output: { child: true },
    });
    expect(result.stopDate - result.startDate).toBe(10);
    const failed = await rig.run({ Child: start('.sync:2', false) });
    expect(failed.error).toBe('States.TaskFailed');
    expect(JSON.parse(failed.cause)).toMatchObject({ Status: 'FAILED', Error: 'Refused', Cause: 'no' });
    const told = await rig.run({ Child: start('', true) });
    expect(told.output.ExecutionArn).toContain(':execution:child:');
    const late = await rig.run({ Child: { ...start('.sync:2', true), TimeoutSeconds: 5 } });
    expect(late.error).toBe('States.Timeout');
    const { executions } = await rig.api('ListExecutions', {
      stateMachineArn: child,
      statusFilter: 'ABORTED',
    });
    expect(executions).toHaveLength(1);
    const same = {
      ...start('', true),
      Arguments: { ...start('', true).Arguments, Name: told.output.ExecutionArn.split(':').at(-1) },
    };
    expect(await rig.run({ Child: same })).toMatchObject({
      error: 'StepFunctions.ExecutionAlreadyExistsException',
    });
  });
});

describe('.waitForTaskToken', () => {
  async function waiting(more: Json = {}) {
    const rig = createRig();
    let token = '';
    rig.services.set('sqs', (_operation, input) => {
      token = JSON.parse(input.MessageBody).token;
      return { MessageId: 'm-1' };
    });
    const stateMachineArn = await rig.machine({
      Ask: integration(
        'sqs:sendMessage.waitForTaskToken',
        { QueueUrl: 'q', MessageBody: { token: '{% $states.context.Task.Token %}' } },
        { TimeoutSeconds: 86_400, ...more },
      ),
    });
    const { executionArn } = await rig.api('StartExecution', { stateMachineArn });
    await rig.clock.advance(1);
    const described = () => rig.api('DescribeExecution', { executionArn });
    return { rig, token, executionArn, described };
  }

  it('ends with what is sent back, once', async () => {
    const { rig, token, described, executionArn } = await waiting();
    expect(token).not.toBe('');
    await rig.api('SendTaskSuccess', { taskToken: token, output: '{"approved":true}' });
    await rig.clock.settle();
    expect(await described()).toMatchObject({ status: 'SUCCEEDED', output: '{"approved":true}' });
    expect(types(await rig.history(executionArn))).toContain('TaskSubmitted');
    await expect(rig.api('SendTaskSuccess', { taskToken: token, output: '{}' })).rejects.toMatchObject({
      code: 'TaskTimedOut',
    });
    await expect(rig.api('SendTaskFailure', { taskToken: 'unknown' })).rejects.toMatchObject({
      code: 'TaskDoesNotExist',
    });
    await expect(rig.api('SendTaskSuccess', { taskToken: token, output: '{' })).rejects.toMatchObject({
      code: 'InvalidOutput',
    });
  });

  it('fails as told, or when nobody answers', async () => {
    const told = await waiting();
    await told.rig.api('SendTaskFailure', { taskToken: told.token, error: 'Rejected', cause: 'no' });
    await told.rig.clock.settle();
    expect(await told.described()).toMatchObject({ status: 'FAILED', error: 'Rejected', cause: 'no' });
    const silent = await waiting();
    expect(await silent.described()).toMatchObject({ status: 'RUNNING' });
    await silent.rig.clock.settle();
    const silenced = await silent.described();
    expect(silenced).toMatchObject({ error: 'States.Timeout' });
    expect(silenced.stopDate - silenced.startDate).toBe(86_400);
  });

  it('needs its heartbeats', async () => {
    const { rig, token, described } = await waiting({ HeartbeatSeconds: 60 });
    expect(await described()).toMatchObject({ status: 'RUNNING' });
    for (let i = 0; i < 5; i += 1) {
      await rig.clock.advance(50_000);
      await rig.api('SendTaskHeartbeat', { taskToken: token });
      expect(await described()).toMatchObject({ status: 'RUNNING' });
    }
    await rig.clock.settle();
    const last = await described();
    expect(last).toMatchObject({ status: 'FAILED', error: 'States.HeartbeatTimeout' });
    expect(last.stopDate - last.startDate).toBeCloseTo(310, 1);
  });

  it('asks permission for the machine the token belongs to', async () => {
    const { rig, token, executionArn } = await waiting();
    const machine = executionArn.replace(':execution:', ':stateMachine:').replace(/:[^:]+$/, '');
    expect(rig.states.authorization('SendTaskSuccess', { taskToken: token })).toEqual([
      { action: 'states:SendTaskSuccess', resource: machine },
    ]);
  });
});
