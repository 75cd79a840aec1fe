import { afterEach, describe, expect, it } from 'vitest';
import { createDynamo } from '../../../lib/local/dynamodb/dynamo.ts';
import { createSqs } from '../../../lib/local/sqs/sqs.ts';
import type { CloudService, Json } from '../../../lib/local/types.ts';
import { smallCloud, START } from './functions.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

function cloud() {
  const made = smallCloud((context) => {
    const sqs = createSqs(context);
    const dynamo = createDynamo(context);
    opened.push(() => dynamo.close());
    return {
      engines: [sqs, dynamo],
      sources: { onMessage: sqs.onMessage, onStream: dynamo.onStream },
    };
  });
  opened.push(() => made.lambda.close());
  const api = (service: CloudService, operation: string, input: Json): Promise<Json> =>
    made.call({ principal: { kind: 'administrator' } }, service, operation, input);
  const url = (name: string) => `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`;
  const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
  const queue = (QueueName: string, Attributes: Json = {}) =>
    api('sqs', 'CreateQueue', { QueueName, Attributes: { VisibilityTimeout: '60', ...Attributes } });
  const send = (name: string, MessageBody: string, more: Json = {}) =>
    api('sqs', 'SendMessage', { QueueUrl: url(name), MessageBody, ...more });
  const map = (EventSourceArn: string, more: Json = {}) =>
    api('lambda', 'CreateEventSourceMapping', { EventSourceArn, FunctionName: 'consumer', ...more });
  const left = async (name: string): Promise<Json[]> =>
    (await api('sqs', 'ReceiveMessage', { QueueUrl: url(name), MaxNumberOfMessages: 10 })).Messages ?? [];
  const seen = () =>
    made.lambda.logs('consumer').map(({ line, timestampMs }) => [(timestampMs - START) / 1000, line]);
  return { ...made, api, url, arn, queue, send, map, left, seen };
}

/** Logs the bodies; fails or reports those that say so. */
const CONSUMER = `export const handler = async ({ Records }) => {
  console.log(Records.map((r) => r.body).join(' '));
  if (Records.some((r) => r.body.startsWith('throw'))) throw new Error('no');
  return { batchItemFailures: Records.filter((r) => r.body.startsWith('fail')).map((r) => ({ itemIdentifier: r.messageId })) };
};`;

describe('a queue', () => {
  it('delivers batches and deletes what succeeded', async () => {
    const made = cloud();
    await made.queue('q');
    await made.deploy('consumer', CONSUMER);
    for (let index = 0; index < 12; index += 1) await made.send('q', String(index));
    await made.map(made.arn('q'), { BatchSize: 5 });
    await made.clock.settle();
    const bodies = made.seen().flatMap(([, line]) => String(line).split(' '));
    expect(bodies.map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, index) => index),
    );
    expect(made.seen().every(([, line]) => String(line).split(' ').length <= 5)).toBe(true);
    await made.send('q', 'later');
    await made.clock.settle();
    expect(made.seen().at(-1)).toEqual([0, 'later']);
    await made.clock.advance(3_600_000);
    expect(await made.left('q')).toEqual([]);
  });

  it('gives the function the record AWS gives', async () => {
    const made = cloud();
    await made.queue('q');
    await made.deploy(
      'consumer',
      'export const handler = async (e) => console.log(JSON.stringify(e.Records[0]));',
    );
    await made.map(made.arn('q'));
    await made.send('q', 'hello', {
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'greeting' } },
    });
    await made.clock.settle();
    expect(JSON.parse(String(made.seen()[0]![1]))).toMatchObject({
      body: 'hello',
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(START) },
      messageAttributes: { kind: { dataType: 'String', stringValue: 'greeting' } },
      eventSource: 'aws:sqs',
      eventSourceARN: made.arn('q'),
      awsRegion: 'us-east-1',
    });
  });

  it('gets back only the reported failures, until they are dead letters', async () => {
    const made = cloud();
    await made.queue('dead');
    await made.queue('q', {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: made.arn('dead'), maxReceiveCount: 2 }),
    });
    await made.deploy('consumer', CONSUMER);
    await made.map(made.arn('q'), { FunctionResponseTypes: ['ReportBatchItemFailures'] });
    await made.api('sqs', 'SendMessageBatch', {
      QueueUrl: made.url('q'),
      Entries: ['good', 'fail'].map((MessageBody) => ({ Id: MessageBody, MessageBody })),
    });
    await made.clock.until(async () => (await made.left('dead')).length > 0);
    expect(made.seen().filter(([, line]) => String(line).includes('good'))).toHaveLength(1);
    expect(made.seen().filter(([, line]) => String(line).includes('fail'))).toHaveLength(2);
    expect(made.seen().at(-1)![0]).toBe(60);
  });

  it('gets a whole batch back when the function fails or answers nonsense', async () => {
    for (const code of [
      CONSUMER,
      `export const handler = async ({ Records }) => { console.log(Records[0].body); return { batchItemFailures: [{ itemIdentifier: 'unknown' }] }; };`,
    ]) {
      const made = cloud();
      await made.queue('q');
      await made.deploy('consumer', code);
      await made.map(made.arn('q'), { FunctionResponseTypes: ['ReportBatchItemFailures'] });
      await made.send('q', 'throw');
      await made.clock.until(() => made.seen().length === 3);
      expect(made.seen().map(([second]) => second)).toEqual([0, 60, 120]);
    }
  });

  it('keeps the order within a group', async () => {
    const made = cloud();
    await made.queue('q.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    await made.deploy(
      'consumer',
      `export const handler = async ({ Records }) => {
      for (const r of Records) { await new Promise((ok) => setTimeout(ok, Math.random() * 3)); console.log(r.attributes.MessageGroupId + r.body); } };`,
    );
    for (let index = 0; index < 20; index += 1) {
      await made.send('q.fifo', String(index), { MessageGroupId: index % 2 === 0 ? 'a' : 'b' });
    }
    await made.map(made.arn('q.fifo'), { BatchSize: 3 });
    await made.clock.settle();
    for (const group of ['a', 'b']) {
      const order = made
        .seen()
        .map(([, line]) => String(line))
        .filter((line) => line.startsWith(group));
      expect(order.map((line) => Number(line.slice(1)))).toEqual(
        Array.from({ length: 10 }, (_, index) => 2 * index + (group === 'a' ? 0 : 1)),
      );
    }
  });

  it('waits for its batching window, and for no longer than a full batch', async () => {
    const made = cloud();
    await made.queue('q', { VisibilityTimeout: '600' });
    await made.deploy('consumer', CONSUMER);
    await made.map(made.arn('q'), { BatchSize: 3, MaximumBatchingWindowInSeconds: 20 });
    await made.send('q', 'a');
    await made.clock.advance(5_000);
    await made.send('q', 'b');
    await made.clock.settle();
    expect(made.seen()).toEqual([[20, expect.stringMatching(/^[ab] [ab]$/)]]);
    for (const body of ['c', 'd', 'e']) await made.send('q', body);
    await made.clock.settle();
    expect(made.seen()[1]![0]).toBe(20);
  });

  it('may be delivered twice, filtered, limited and switched off', async () => {
    const made = cloud();
    await made.queue('q');
    await made.deploy('consumer', CONSUMER);
    const filter = { Filters: [{ Pattern: JSON.stringify({ body: { kind: ['wanted'] } }) }] };
    const { UUID } = await made.map(made.arn('q'), { FilterCriteria: filter });
    made.faults.add({ function: 'consumer', invocation: 'duplicate', times: 1 });
    await made.send('q', '{"kind":"other"}');
    await made.send('q', '{"kind":"wanted"}');
    await made.clock.settle();
    expect(made.seen()).toHaveLength(2);
    await made.api('lambda', 'UpdateEventSourceMapping', { UUID, Enabled: false });
    await made.send('q', '{"kind":"wanted"}');
    await made.clock.settle();
    expect(made.seen()).toHaveLength(2);
    await made.api('lambda', 'UpdateEventSourceMapping', { UUID, Enabled: true });
    await made.clock.settle();
    expect(made.seen()).toHaveLength(3);
    expect((await made.api('lambda', 'ListEventSourceMappings', {})).EventSourceMappings).toMatchObject([
      { UUID, State: 'Enabled', LastProcessingResult: 'OK' },
    ]);
  });

  it('is refused when its messages would come back during the run', async () => {
    const made = cloud();
    await made.queue('q', { VisibilityTimeout: '10' });
    await made.deploy('consumer', CONSUMER);
    await expect(made.map(made.arn('q'))).rejects.toThrow('less than Function timeout: 30 seconds');
    await expect(made.map(made.arn('absent'))).rejects.toThrow('Cannot access queue');
  });
});

const STREAM_CONSUMER = `export const handler = async ({ Records }) => {
  const ids = Records.map((r) => r.dynamodb.Keys.pk.S);
  console.log(ids.join(' '));
  if (ids.some((id) => id.startsWith('bad'))) throw new Error('no');
};`;

async function table(made: ReturnType<typeof cloud>): Promise<string> {
  const { TableDescription } = await made.api('dynamodb', 'CreateTable', {
    TableName: 'items',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
  return TableDescription.LatestStreamArn;
}

const put = (made: ReturnType<typeof cloud>, id: string) =>
  made.api('dynamodb', 'PutItem', { TableName: 'items', Item: { pk: { S: id } } });

describe('a stream', () => {
  it('is read in order from the horizon', async () => {
    const made = cloud();
    const stream = await table(made);
    await made.deploy('consumer', STREAM_CONSUMER);
    await put(made, 'a');
    await made.map(stream, { StartingPosition: 'TRIM_HORIZON', BatchSize: 2 });
    for (const id of ['b', 'c', 'd']) await put(made, id);
    await made.clock.settle();
    expect(made.seen().flatMap(([, line]) => String(line).split(' '))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('bisects a failing batch and leaves where the bad record was', async () => {
    const made = cloud();
    const stream = await table(made);
    await made.queue('dead');
    await made.deploy('consumer', STREAM_CONSUMER);
    for (const id of ['a', 'bad', 'c', 'd']) await put(made, id);
    await made.map(stream, {
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: 1,
      BisectBatchOnFunctionError: true,
      DestinationConfig: { OnFailure: { Destination: made.arn('dead') } },
    });
    await made.clock.settle();
    expect(made.seen().map(([, line]) => line)).toEqual(['a bad c d', 'a bad', 'a', 'bad', 'bad', 'c d']);
    const letters = await made.left('dead');
    expect(letters).toHaveLength(1);
    const letter = JSON.parse(letters[0].Body);
    expect(letter).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
      DDBStreamBatchInfo: { batchSize: 1, streamArn: stream },
    });
    expect(letters[0].Body).not.toContain('"Keys"');
  });

  it('holds up what is behind a failing record until the record is too old', async () => {
    const made = cloud();
    const stream = await table(made);
    await made.deploy('consumer', STREAM_CONSUMER);
    await made.map(stream, { StartingPosition: 'LATEST', BatchSize: 1, MaximumRecordAgeInSeconds: 600 });
    await made.clock.settle();
    await put(made, 'bad');
    await made.clock.advance(300_000);
    await put(made, 'good');
    await made.clock.settle();
    const lines = made.seen();
    expect(lines.at(-1)![1]).toBe('good');
    expect(Number(lines.at(-2)![0])).toBeLessThan(600);
    expect(lines.slice(0, 4).map(([second]) => second)).toEqual([0, 1, 3, 7]);
  });
});
