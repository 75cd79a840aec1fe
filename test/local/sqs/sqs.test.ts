// Does the embedded SQS deliver, hide, order and dead-letter as the real one?
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
  type Message,
} from '@aws-sdk/client-sqs';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqs, type SqsEngine } from '../../../lib/local/sqs/sqs.ts';
import type { Json } from '../../../lib/local/types.ts';
import { serveJson, type TestServer } from '../dynamodb/json-server.ts';
import { createTestClock, createTestContext, type TestClock } from '../dynamodb/test-clock.ts';

let clock: TestClock;
let engine: SqsEngine;
let server: TestServer;
let client: SQSClient;

beforeEach(async () => {
  clock = createTestClock();
  engine = createSqs(createTestContext(clock));
  server = await serveJson(engine);
  engine.setEndpoint(server.endpoint);
  client = new SQSClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const create = async (QueueName: string, Attributes: Record<string, string> = {}): Promise<string> =>
  (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';

const receive = async (QueueUrl: string, more: object = {}): Promise<Message[]> =>
  (
    await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        ...more,
      }),
    )
  ).Messages ?? [];

const bodies = (messages: readonly Message[]): (string | undefined)[] => messages.map(({ Body }) => Body);

describe('standard queues through the SDK', () => {
  it('delivers once while a message is in flight, again when its visibility ends, never after deletion', async () => {
    const QueueUrl = await create('work');
    expect(QueueUrl).toBe(`${server.endpoint}/000000000000/work`);
    // The SDK checks both digests and rejects when one is wrong.
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'höhe 1 ✓',
        MessageAttributes: {
          name: { DataType: 'String', StringValue: 'Größe' },
          count: { DataType: 'Number.int', StringValue: '7' },
          blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 255]) },
        },
      }),
    );
    const [first] = await receive(QueueUrl);
    expect(first).toMatchObject({
      Body: 'höhe 1 ✓',
      MessageAttributes: {
        name: { StringValue: 'Größe' },
        blob: { BinaryValue: new Uint8Array([1, 2, 255]) },
      },
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(clock.now()) },
    });
    expect(await receive(QueueUrl)).toEqual([]);
    expect(engine.depth('work')).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
    await clock.advance(30_000);
    const [second] = await receive(QueueUrl, {
      AttributeNames: ['ApproximateReceiveCount'],
      MessageSystemAttributeNames: [],
    });
    expect(second?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: second?.ReceiptHandle ?? '' }));
    await clock.advance(60_000);
    expect(await receive(QueueUrl)).toEqual([]);
    expect(clock.busyTimers()).toBe(0);
  });

  it('ignores the receipt of an earlier delivery and refuses one that never was', async () => {
    const QueueUrl = await create('work', { VisibilityTimeout: '5' });
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    const [first] = await receive(QueueUrl);
    await clock.advance(5000);
    await receive(QueueUrl);
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle ?? '' }));
    await clock.advance(5000);
    expect(await receive(QueueUrl)).toHaveLength(1);
    await expect(
      client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'invented' })),
    ).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  it('delays, changes visibility and keeps messages only as long as told', async () => {
    const QueueUrl = await create('work', { MessageRetentionPeriod: '60' });
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 10 }));
    expect(engine.depth('work')).toEqual({ visible: 0, inFlight: 0, delayed: 1 });
    expect(await receive(QueueUrl)).toEqual([]);
    await clock.advance(10_000);
    const [message] = await receive(QueueUrl);
    const ReceiptHandle = message?.ReceiptHandle ?? '';
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    await expect(
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 5 })),
    ).rejects.toMatchObject({ name: 'MessageNotInflight' });
    expect(engine.depth('work').visible).toBe(1);
    await clock.advance(50_000);
    expect(await receive(QueueUrl)).toEqual([]);
  });

  it('answers a long poll when a message comes, or empty at its end, without keeping the clock busy', async () => {
    const QueueUrl = await create('work');
    const receiveAttempt = engine.call(
      'ReceiveMessage',
      { QueueUrl, WaitTimeSeconds: 20 },
      { principal: { kind: 'administrator' } },
    );
    await clock.advance(0);
    expect(clock.busyTimers()).toBe(0);
    expect(clock.working.size).toBe(0);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'came' }));
    expect((await receiveAttempt).Messages[0].Body).toBe('came');
    const empty = engine.call(
      'ReceiveMessage',
      { QueueUrl, WaitTimeSeconds: 5 },
      { principal: { kind: 'administrator' } },
    );
    await clock.advance(5000);
    expect(await empty).toEqual({});
  });

  it('wakes a listener when messages become receivable, and not for those in flight', async () => {
    const QueueUrl = await create('work', { VisibilityTimeout: '3' });
    let woken = 0;
    const stop = engine.onMessage('work', () => (woken += 1));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds: 2 }));
    expect(woken).toBe(0);
    await clock.advance(2000);
    expect(woken).toBe(1);
    await receive(QueueUrl);
    expect(woken).toBe(1);
    await clock.advance(3000);
    expect(woken).toBe(2);
    stop();
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'y' }));
    expect(woken).toBe(2);
  });

  it('answers batches entry by entry and refuses malformed ones', async () => {
    const QueueUrl = await create('work');
    const sent = await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'bad', MessageBody: 'control \u0001 character' },
        ],
      }),
    );
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(sent.Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'InvalidMessageContents' }]);
    const messages = await receive(QueueUrl);
    await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle })),
      }),
    );
    expect(engine.depth('work')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    const twice = [
      { Id: 'a', MessageBody: '1' },
      { Id: 'a', MessageBody: '2' },
    ];
    await expect(
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: twice })),
    ).rejects.toMatchObject({
      name: 'BatchEntryIdsNotDistinct',
    });
  });

  it('takes 256 KiB and not a byte more, attributes included', async () => {
    const QueueUrl = await create('work');
    const send = (bytes: number, more: object = {}): Promise<unknown> =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(bytes), ...more }));
    await send(262_144);
    await expect(send(262_145)).rejects.toThrow('Message must be shorter than 262144 bytes');
    await expect(
      send(262_140, { MessageAttributes: { a: { DataType: 'String', StringValue: 'b' } } }),
    ).rejects.toThrow('Message must be shorter than 262144 bytes');
  });
});

describe('dead letters', () => {
  it('go to the other queue after the last receive, and come back with a move task', async () => {
    const dead = await create('work-dead');
    const deadArn = 'arn:aws:sqs:us-east-1:000000000000:work-dead';
    const QueueUrl = await create('work', {
      VisibilityTimeout: '10',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 2 }),
    });
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }));
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      expect(await receive(QueueUrl)).toHaveLength(1);
      await clock.advance(10_000);
    }
    expect(await receive(QueueUrl)).toEqual([]);
    const [letter] = await receive(dead, { VisibilityTimeout: 1 });
    expect(letter).toMatchObject({
      Body: 'poison',
      Attributes: {
        ApproximateReceiveCount: '3',
        DeadLetterQueueSourceArn: 'arn:aws:sqs:us-east-1:000000000000:work',
      },
    });
    const sources = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
    expect(sources.queueUrls).toEqual([QueueUrl]);
    await clock.advance(1000);
    await client.send(new StartMessageMoveTaskCommand({ SourceArn: deadArn }));
    expect(engine.depth('work-dead').visible).toBe(0);
    expect(await receive(QueueUrl)).toMatchObject([
      { Body: 'poison', Attributes: { ApproximateReceiveCount: '1' } },
    ]);
  });

  it('need a queue that exists', async () => {
    await expect(
      create('work', {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:no',
          maxReceiveCount: 2,
        }),
      }),
    ).rejects.toThrow('Dead letter target does not exist');
  });
});

describe('FIFO queues', () => {
  const send = (
    QueueUrl: string,
    MessageBody: string,
    MessageGroupId: string,
    more: object = {},
  ): Promise<Json> => client.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId, ...more }));

  it('keep the order of a group and lock it while one of its messages is in flight', async () => {
    const QueueUrl = await create('audit.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    let woken = 0;
    engine.onMessage('audit.fifo', () => (woken += 1));
    await send(QueueUrl, 'a1', 'a');
    await send(QueueUrl, 'a2', 'a');
    await send(QueueUrl, 'b1', 'b');
    const first = await receive(QueueUrl, { MaxNumberOfMessages: 1 });
    expect(bodies(first)).toEqual(['a1']);
    expect(bodies(await receive(QueueUrl))).toEqual(['b1']);
    expect(await receive(QueueUrl)).toEqual([]);
    const before = woken;
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first[0]?.ReceiptHandle ?? '' }));
    expect(woken).toBe(before + 1);
    expect(bodies(await receive(QueueUrl))).toEqual(['a2']);
    await clock.advance(30_000);
    expect(bodies(await receive(QueueUrl))).toEqual(['a2', 'b1']);
  });

  it('accept a repeated id for five minutes without delivering it again', async () => {
    const QueueUrl = await create('audit.fifo', { FifoQueue: 'true' });
    const once = { MessageDeduplicationId: 'once' };
    const first = await send(QueueUrl, 'x', 'a', once);
    await clock.advance(299_000);
    expect((await send(QueueUrl, 'x', 'a', once)).MessageId).toBe(first.MessageId);
    expect(engine.depth('audit.fifo').visible).toBe(1);
    await clock.advance(1000);
    await send(QueueUrl, 'x', 'a', once);
    expect(engine.depth('audit.fifo').visible).toBe(2);
    await expect(send(QueueUrl, 'x', 'a')).rejects.toThrow('MessageDeduplicationId provided explicitly');
  });

  it('deliver every group in order, whatever is received, deleted or left', async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), group: fc.constantFrom('a', 'b', 'c') }),
      fc.record({
        kind: fc.constant('receive' as const),
        most: fc.integer({ min: 1, max: 3 }),
        done: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('wait' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const ownClock = createTestClock();
        const own = createSqs(createTestContext(ownClock));
        const call = (operation: string, input: Json): Promise<Json> =>
          own.call(operation, input, { principal: { kind: 'administrator' } });
        const { QueueUrl } = await call('CreateQueue', {
          QueueName: 'q.fifo',
          Attributes: { FifoQueue: 'true' },
        });
        const sent: Record<string, number> = {};
        const finished: Record<string, number> = {};
        const inFlight = new Set<string>();
        const problems: string[] = [];
        for (const step of actions) {
          if (step.kind === 'send') {
            const at = (sent[step.group] ?? 0) + 1;
            sent[step.group] = at;
            await call('SendMessage', {
              QueueUrl,
              MessageBody: `${step.group}:${at}`,
              MessageGroupId: step.group,
              MessageDeduplicationId: `${step.group}${at}`,
            });
          } else if (step.kind === 'wait') {
            await ownClock.advance(30_000);
            inFlight.clear();
          } else {
            const { Messages = [] } = await call('ReceiveMessage', {
              QueueUrl,
              MaxNumberOfMessages: step.most,
            });
            const next: Record<string, number> = {};
            for (const { Body, ReceiptHandle } of Messages) {
              const [group = '', at] = (Body as string).split(':');
              if (inFlight.has(group)) problems.push(`${Body} although its group is in flight`);
              next[group] = (next[group] ?? finished[group] ?? 0) + 1;
              if (Number(at) !== next[group]) problems.push(`${Body} instead of ${next[group]}`);
              if (!step.done) continue;
              await call('DeleteMessage', { QueueUrl, ReceiptHandle });
              finished[group] = Number(at);
            }
            if (!step.done) for (const group of Object.keys(next)) inFlight.add(group);
          }
        }
        expect(problems).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

describe('queues', () => {
  it('are created, found, listed, described and purged', async () => {
    const QueueUrl = await create('one', { VisibilityTimeout: '77' });
    await create('two');
    expect(await create('one', { VisibilityTimeout: '77' })).toBe(QueueUrl);
    await expect(create('one', { VisibilityTimeout: '78' })).rejects.toMatchObject({
      name: 'QueueNameExists',
    });
    await expect(create('three', { Unheard: '1' })).rejects.toMatchObject({ name: 'InvalidAttributeName' });
    await expect(create('three', { VisibilityTimeout: '43201' })).rejects.toMatchObject({
      name: 'InvalidAttributeValue',
    });
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'one' }))).QueueUrl).toBe(QueueUrl);
    expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 't' }))).QueueUrls).toEqual([
      `${server.endpoint}/000000000000/two`,
    ]);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:one',
      VisibilityTimeout: '77',
      ApproximateNumberOfMessages: '1',
      MessageRetentionPeriod: '345600',
    });
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    expect(engine.depth('one').visible).toBe(0);
    await expect(client.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({
      name: 'PurgeQueueInProgress',
    });
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
    });
  });

  it('ask for the permission of the single call on the queue ARN', () => {
    const QueueUrl = `${server.endpoint}/000000000000/one`;
    expect(engine.authorization('SendMessageBatch', { QueueUrl })).toEqual([
      { action: 'sqs:SendMessage', resource: 'arn:aws:sqs:us-east-1:000000000000:one' },
    ]);
  });
});
