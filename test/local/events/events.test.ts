import { describe, expect, it } from 'vitest';
import { createEvents } from '../../../lib/local/events/events.ts';
import { AwsError, type CloudService, type Engine, type Json } from '../../../lib/local/types.ts';
import { createClock } from '../../../lib/local/clock.ts';
import { createFaults } from '../../../lib/local/faults.ts';

const START = Date.UTC(2026, 0, 1);
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:inbox';
const DEAD = 'arn:aws:sqs:us-east-1:000000000000:dead';
const administrator = { principal: { kind: 'administrator' } } as const;

/** `answers` may throw for a call to another service. */
function cloud(answers: (operation: string, input: Json) => void = () => undefined) {
  const clock = createClock({ mode: 'virtual', startAt: START });
  const faults = createFaults();
  const calls: { service: string; operation: string; input: Json; principal: Json; atMs: number }[] = [];
  let events: Engine;
  const call = async (
    context: Json,
    service: CloudService,
    operation: string,
    input: Json,
  ): Promise<Json> => {
    if (service === 'events') return events.call(operation, input, context);
    calls.push({ service, operation, input, principal: context.principal, atMs: clock.now() - START });
    answers(operation, input);
    return {};
  };
  const engine = createEvents({ clock, call, faults, random: () => 0.5 });
  events = engine;
  const api = (operation: string, input: Json): Promise<Json> => engine.call(operation, input, administrator);
  const rule = async (name: string, pattern: Json, targets: Json[], bus = 'default') => {
    await api('PutRule', { Name: name, EventBusName: bus, EventPattern: JSON.stringify(pattern) });
    await api('PutTargets', {
      Rule: name,
      EventBusName: bus,
      Targets: targets.map((target, index) => ({ Id: `t${index}`, ...target })),
    });
  };
  const put = (detail: Json, more: Json = {}) =>
    api('PutEvents', {
      Entries: [{ Source: 'shop', DetailType: 'sold', Detail: JSON.stringify(detail), ...more }],
    });
  return { clock, faults, calls, engine, api, rule, put };
}

describe('PutEvents', () => {
  it('gives the event its envelope and delivers it to matching rules only', async () => {
    const { rule, put, clock, calls, engine } = cloud();
    await rule('all', { source: ['shop'] }, [{ Arn: QUEUE, SqsParameters: { MessageGroupId: 'g' } }]);
    await rule('none', { source: ['bakery'] }, [{ Arn: QUEUE }]);
    const answer = await put({ id: 1 });
    await clock.settle();
    expect(answer.FailedEntryCount).toBe(0);
    expect(calls).toHaveLength(1);
    const event = JSON.parse(calls[0]!.input.MessageBody);
    expect(event).toEqual({
      version: '0',
      id: answer.Entries[0].EventId,
      'detail-type': 'sold',
      source: 'shop',
      account: '000000000000',
      time: '2026-01-01T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: { id: 1 },
    });
    expect(calls[0]).toMatchObject({
      input: { MessageGroupId: 'g' },
      principal: {
        kind: 'service',
        service: 'events.amazonaws.com',
        sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/all',
      },
    });
    expect(engine.sent('default')).toEqual([event]);
  });

  it('refuses bad entries one by one and oversized requests as a whole', async () => {
    const { api, engine } = cloud();
    const good = { Source: 's', DetailType: 't', Detail: '{}' };
    const answer = await api('PutEvents', {
      Entries: [
        good,
        { ...good, Source: 'aws.s3' },
        { ...good, Detail: '[]' },
        { ...good, Detail: '{' },
        { Source: 's', Detail: '{}' },
        { ...good, EventBusName: 'absent' },
      ],
    });
    expect(answer.FailedEntryCount).toBe(5);
    expect(answer.Entries.map((entry: Json) => entry.ErrorCode)).toEqual([
      undefined,
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'MalformedDetail',
      'InvalidArgument',
      'ResourceNotFoundException',
    ]);
    await expect(api('PutEvents', { Entries: Array.from({ length: 11 }, () => good) })).rejects.toThrow('10');
    const large = { ...good, Detail: JSON.stringify({ x: 'x'.repeat(262_144) }) };
    await expect(api('PutEvents', { Entries: [large] })).rejects.toThrow('over the limit');
    expect(engine.sent('default')).toHaveLength(1);
    const service = { kind: 'service', service: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::b' } as const;
    await engine.call('PutEvents', { Entries: [{ ...good, Source: 'aws.s3' }] }, { principal: service });
    expect(engine.sent('default')).toHaveLength(2);
  });
});

describe('inputs', () => {
  it.each<[Json, string]>([
    [{ Input: '{"fixed":1}' }, '{"fixed":1}'],
    [{ InputPath: '$.detail.items[1]' }, '"b"'],
    [
      {
        InputTransformer: {
          InputPathsMap: { id: '$.detail.id', name: '$.detail.name', all: '$.detail', none: '$.detail.none' },
          InputTemplate:
            '{"id": <id>, "name": <name>, "text": "hi <name>, <none>!", "all": <all>, "rule": <aws.events.rule-arn>}',
        },
      },
      JSON.stringify({
        id: 7,
        name: 'A "B"',
        text: 'hi A "B", !',
        all: { id: 7, name: 'A "B"', items: ['a', 'b'] },
        rule: 'arn:aws:events:us-east-1:000000000000:rule/r',
      }),
    ],
  ])('%j', async (shape, expected) => {
    const { rule, put, clock, calls } = cloud();
    await rule('r', { source: ['shop'] }, [{ Arn: QUEUE, ...shape }]);
    await put({ id: 7, name: 'A "B"', items: ['a', 'b'] });
    await clock.settle();
    expect(JSON.parse(calls[0]!.input.MessageBody)).toEqual(JSON.parse(expected));
  });
});

describe('targets', () => {
  it('reach functions, state machines and other buses with the right credentials', async () => {
    const { rule, put, clock, calls, api, engine } = cloud();
    const RoleArn = 'arn:aws:iam::000000000000:role/r';
    await api('CreateEventBus', { Name: 'other' });
    await rule('r', { source: ['shop'] }, [
      { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:f' },
      { Arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m', RoleArn },
      { Arn: 'arn:aws:events:us-east-1:000000000000:event-bus/other', RoleArn },
    ]);
    await rule('second', { source: ['shop'] }, [{ Arn: QUEUE }], 'other');
    await put({ id: 1 });
    await clock.settle();
    expect(calls.map(({ operation, principal }) => [operation, principal.kind])).toEqual([
      ['Invoke', 'service'],
      ['StartExecution', 'role'],
      ['SendMessage', 'service'],
    ]);
    expect(calls[1]!.input.name).toBeUndefined();
    expect(calls[2]!.principal.sourceArn).toBe('arn:aws:events:us-east-1:000000000000:rule/other/second');
    expect(engine.sent('other')).toEqual(engine.sent('default'));
    await expect(
      api('PutTargets', {
        Rule: 'r',
        Targets: [{ Id: 'x', Arn: 'arn:aws:states:us-east-1:0:stateMachine:m' }],
      }),
    ).rejects.toThrow('RoleArn');
    await expect(
      api('PutTargets', { Rule: 'r', Targets: [{ Id: 'x', Arn: 'arn:aws:kinesis:us-east-1:0:stream/s' }] }),
    ).rejects.toThrow('not supported');
  });

  it('may get the event twice', async () => {
    const { rule, put, clock, calls, faults } = cloud();
    await rule('r', { source: ['shop'] }, [{ Arn: QUEUE }]);
    faults.add({ deliverTwiceTo: 'inbox', times: 1 });
    await put({ id: 1 });
    await put({ id: 2 });
    await clock.settle();
    expect(calls).toHaveLength(3);
  });

  it('are tried again with growing pauses, then the event becomes a dead letter', async () => {
    const { rule, put, clock, calls } = cloud((_operation, input) => {
      if (input.QueueUrl.endsWith('/inbox')) throw new AwsError('RequestThrottled', 'slow down', 403);
    });
    await rule('r', { source: ['shop'] }, [
      { Arn: QUEUE, Input: '{}', DeadLetterConfig: { Arn: DEAD }, RetryPolicy: { MaximumRetryAttempts: 3 } },
    ]);
    await put({ id: 1 });
    await clock.settle();
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 750, 2_250, 5_250, 5_250]);
    const { MessageBody, MessageAttributes } = calls[4]!.input;
    expect(JSON.parse(MessageBody).detail).toEqual({ id: 1 });
    expect(
      Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, value]: [string, Json]) => [name, value.StringValue]),
      ),
    ).toEqual({
      RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/r',
      TARGET_ARN: QUEUE,
      ERROR_CODE: 'THROTTLING',
      ERROR_MESSAGE: 'slow down',
      RETRY_ATTEMPTS: '3',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    });
  });

  it('stop being tried after 24 hours, and at once when permission or target is missing', async () => {
    const busy = cloud((_operation, input) => {
      if (input.QueueUrl.endsWith('/inbox')) throw new AwsError('InternalError', 'broken', 500);
    });
    await busy.rule('r', { source: ['shop'] }, [{ Arn: QUEUE, DeadLetterConfig: { Arn: DEAD } }]);
    await busy.put({});
    await busy.clock.settle();
    expect(busy.calls.at(-1)!.input.QueueUrl).toContain('/dead');
    expect(busy.calls.length - 1).toBeLessThanOrEqual(186);
    expect(busy.calls.at(-1)!.atMs).toBeLessThanOrEqual(86_400_000);
    expect(busy.calls.at(-1)!.atMs).toBeGreaterThan(60_000_000);

    const denied = cloud((_operation, input) => {
      if (input.QueueUrl.endsWith('/inbox')) throw new AwsError('AccessDenied', 'no', 403);
    });
    await denied.rule('r', { source: ['shop'] }, [{ Arn: QUEUE, DeadLetterConfig: { Arn: DEAD } }]);
    await denied.put({});
    await denied.clock.settle();
    expect(denied.calls).toHaveLength(2);
    expect(denied.calls[1]!.input.MessageAttributes.ERROR_CODE.StringValue).toBe('NO_PERMISSIONS');
  });
});

describe('rules', () => {
  it('are listed, disabled and refused as on AWS', async () => {
    const { api, rule, put, clock, calls, engine } = cloud();
    await rule('r', { source: ['shop'] }, [{ Arn: QUEUE }]);
    expect((await api('ListRules', {})).Rules).toMatchObject([{ Name: 'r', State: 'ENABLED' }]);
    expect((await api('ListTargetsByRule', { Rule: 'r' })).Targets).toMatchObject([{ Id: 't0', Arn: QUEUE }]);
    await api('DisableRule', { Name: 'r' });
    await put({});
    await clock.settle();
    expect(calls).toHaveLength(0);
    await expect(api('PutRule', { Name: 'x', EventPattern: '{"a":"b"}' })).rejects.toMatchObject({
      code: 'InvalidEventPatternException',
    });
    await expect(api('DescribeEventBus', { Name: 'absent' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    expect((await api('ListEventBuses', {})).EventBuses).toMatchObject([{ Name: 'default' }]);
    const test = { EventPattern: '{"a":[{"prefix":"x"}]}', Event: '{"a":"xy"}' };
    expect(await api('TestEventPattern', test)).toEqual({ Result: true });
    expect(engine.authorization('PutEvents', { Entries: [{ Source: 'a', DetailType: 'b' }] })).toEqual([
      {
        action: 'events:PutEvents',
        resource: 'arn:aws:events:us-east-1:000000000000:event-bus/default',
        conditions: { 'events:source': 'a', 'events:detail-type': 'b' },
      },
    ]);
  });
});
