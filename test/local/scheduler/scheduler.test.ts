import { describe, expect, it } from 'vitest';
import { createClock } from '../../../lib/local/clock.ts';
import { createScheduler } from '../../../lib/local/scheduler/scheduler.ts';
import { AwsError, type CloudService, type Json } from '../../../lib/local/types.ts';

const START = Date.UTC(2026, 0, 1);
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const ROLE = 'arn:aws:iam::000000000000:role/r';
const OFF = { Mode: 'OFF' };

function cloud(answers: (service: string) => void = () => undefined) {
  const clock = createClock({ mode: 'virtual', startAt: START });
  const calls: { service: string; operation: string; input: Json; principal: Json; at: string }[] = [];
  const call = async (
    context: Json,
    service: CloudService,
    operation: string,
    input: Json,
  ): Promise<Json> => {
    const at = new Date(clock.now()).toISOString().slice(0, 19);
    calls.push({ service, operation, input, principal: context.principal, at });
    answers(service);
    return { Entries: [{}] };
  };
  const scheduler = createScheduler({ clock, call, random: () => 0.5 });
  const api = (operation: string, input: Json): Promise<Json> =>
    scheduler.call(operation, input, { principal: { kind: 'administrator' } });
  const create = (ScheduleExpression: string, more: Json = {}, target: Json = {}) =>
    api('CreateSchedule', {
      Name: 's',
      ScheduleExpression,
      FlexibleTimeWindow: OFF,
      Target: { Arn: FUNCTION, RoleArn: ROLE, ...target },
      ...more,
    });
  return { clock, calls, scheduler, api, create };
}

const payload = (call: { input: Json }): Json => JSON.parse(call.input.Payload.toString());

describe('schedules', () => {
  it('fire once at a local time, with their context in the input, and delete themselves', async () => {
    const { clock, calls, create, api } = cloud();
    const Input = JSON.stringify({
      at: '<aws.scheduler.scheduled-time>',
      id: '<aws.scheduler.execution-id>',
      arn: '<aws.scheduler.schedule-arn>',
      attempt: '<aws.scheduler.attempt-number>',
    });
    const { ScheduleArn } = await create(
      'at(2026-12-01T09:00:00)',
      { ScheduleExpressionTimezone: 'Asia/Tokyo', ActionAfterCompletion: 'DELETE' },
      { Input },
    );
    await clock.settle();
    expect(calls).toMatchObject([
      {
        service: 'lambda',
        operation: 'Invoke',
        at: '2026-12-01T00:00:00',
        principal: { kind: 'role', roleArn: ROLE },
      },
    ]);
    expect(payload(calls[0]!)).toEqual({
      at: '2026-12-01T00:00:00Z',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      arn: ScheduleArn,
      attempt: '1',
    });
    expect((await api('ListSchedules', {})).Schedules).toEqual([]);
  });

  it('recur without keeping the cloud from settling', async () => {
    const { clock, calls, create, scheduler } = cloud();
    await create('rate(6 hours)');
    await clock.settle();
    expect(calls).toHaveLength(0);
    await clock.advance(86_400_000);
    expect(calls.map(({ at }) => at)).toEqual([
      '2026-01-01T06:00:00',
      '2026-01-01T12:00:00',
      '2026-01-01T18:00:00',
      '2026-01-02T00:00:00',
    ]);
    expect(payload(calls[0]!)).toMatchObject({ source: 'aws.scheduler', time: '2026-01-01T06:00:00Z' });
    scheduler.runNow('s');
    await clock.settle();
    expect(calls).toHaveLength(5);
  });

  it('keep within their start and end, and stop when disabled or deleted', async () => {
    const { clock, calls, create, api, scheduler } = cloud();
    await create('rate(1 day)', { StartDate: START / 1000 + 3_600, EndDate: START / 1000 + 200_000 });
    await clock.advance(5 * 86_400_000);
    expect(calls.map(({ at }) => at)).toEqual([
      '2026-01-01T01:00:00',
      '2026-01-02T01:00:00',
      '2026-01-03T01:00:00',
    ]);
    const daily = { Name: 's', ScheduleExpression: 'cron(0 9 * * ? *)', FlexibleTimeWindow: OFF };
    const Target = { Arn: FUNCTION, RoleArn: ROLE };
    await api('UpdateSchedule', { ...daily, Target });
    expect(new Date(scheduler.nextRun('s')!).toISOString()).toBe('2026-01-06T09:00:00.000Z');
    await api('UpdateSchedule', { ...daily, Target, State: 'DISABLED' });
    expect(scheduler.nextRun('s')).toBeUndefined();
    expect(await api('GetSchedule', { Name: 's' })).toMatchObject({
      State: 'DISABLED',
      GroupName: 'default',
    });
    await api('DeleteSchedule', { Name: 's' });
    await expect(api('GetSchedule', { Name: 's' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('reach queues, machines and buses', async () => {
    const { clock, calls, create, api } = cloud();
    await create(
      'at(2026-01-02T00:00:00)',
      {},
      {
        Arn: 'arn:aws:sqs:us-east-1:000000000000:q',
        SqsParameters: { MessageGroupId: 'g' },
        Input: 'x',
      },
    );
    await create(
      'at(2026-01-02T00:00:00)',
      { Name: 'machine' },
      {
        Arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m',
        Input: '{"a":1}',
      },
    );
    await create(
      'at(2026-01-02T00:00:00)',
      { Name: 'bus' },
      {
        Arn: 'arn:aws:events:us-east-1:000000000000:event-bus/b',
        EventBridgeParameters: { Source: 's', DetailType: 'd' },
        Input: '{}',
      },
    );
    await clock.settle();
    expect(calls.map(({ operation, input }) => [operation, input])).toEqual([
      ['SendMessage', expect.objectContaining({ MessageBody: 'x', MessageGroupId: 'g' })],
      [
        'StartExecution',
        { stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m', input: '{"a":1}' },
      ],
      ['PutEvents', { Entries: [expect.objectContaining({ Source: 's', DetailType: 'd', Detail: '{}' })] }],
    ]);
    expect((await api('ListSchedules', { NamePrefix: 'm' })).Schedules).toHaveLength(1);
  });

  it('try again with a new attempt number, then leave a dead letter', async () => {
    const { clock, calls, create } = cloud((service) => {
      if (service === 'lambda') throw new AwsError('TooManyRequestsException', 'slow down', 429);
    });
    await create(
      'at(2026-01-02T00:00:00)',
      {},
      {
        Input: '{"attempt":"<aws.scheduler.attempt-number>"}',
        RetryPolicy: { MaximumRetryAttempts: 2 },
        DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
      },
    );
    await clock.settle();
    expect(calls.slice(0, 3).map((call) => payload(call).attempt)).toEqual(['1', '2', '3']);
    const dead = calls[3]!.input;
    expect(dead.QueueUrl).toContain('/dead');
    expect(dead.MessageAttributes.EXHAUSTED_RETRY_CONDITION.StringValue).toBe('MaximumRetryAttempts');
    expect(dead.MessageAttributes.SCHEDULED_TIME.StringValue).toBe('2026-01-02T00:00:00Z');
  });

  it('are refused when AWS would, or when not supported', async () => {
    const { create, api } = cloud();
    await create('rate(1 day)');
    await expect(create('rate(1 day)')).rejects.toMatchObject({ code: 'ConflictException', status: 409 });
    await expect(create('rate(0 days)', { Name: 'a' })).rejects.toThrow('Invalid Schedule Expression');
    await expect(
      create('rate(1 day)', { Name: 'a', ScheduleExpressionTimezone: 'Mars/Base' }),
    ).rejects.toThrow('Mars/Base');
    await expect(
      create('rate(1 day)', { Name: 'a', FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }),
    ).rejects.toThrow('OFF');
    await expect(
      create('rate(1 day)', { Name: 'a' }, { Arn: 'arn:aws:scheduler:::aws-sdk:sqs:purgeQueue' }),
    ).rejects.toThrow('not a supported target');
    await expect(create('rate(1 day)', { Name: 'a', GroupName: 'absent' })).rejects.toThrow('absent');
    await api('CreateScheduleGroup', { Name: 'g' });
    await create('rate(1 day)', { Name: 'a', GroupName: 'g' });
    await api('DeleteScheduleGroup', { Name: 'g' });
    expect((await api('ListSchedules', {})).Schedules).toHaveLength(1);
  });
});
