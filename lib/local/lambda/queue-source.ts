// How do messages of a queue reach a function?
import { AwsError, REGION, type Json } from '../types.ts';
import { queueUrlOf } from './destination.ts';
import {
  invokeBatch,
  itemFailures,
  principalOf,
  type Mapping,
  type Poller,
  type PollerContext,
} from './mapping.ts';

const RECEIVE_LIMIT = 10;
const THROTTLE_PAUSE_MS = 1_000;

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function toRecord(message: Json, queueArn: string): Json {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]: [string, Json]) => [
    name,
    {
      stringListValues: [],
      binaryListValues: [],
      ...Object.fromEntries(Object.entries(value).map(([key, member]) => [lowerFirst(key), member])),
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: REGION,
  };
}

function passes(mapping: Mapping, record: Json): boolean {
  if (mapping.filters === undefined) return true;
  let { body } = record;
  try {
    body = JSON.parse(body);
  } catch {
    // A body that is no JSON is matched as text.
  }
  return mapping.filters.some((matches) => matches({ ...record, body }));
}

/** Polls a queue whenever it has something to give; every batch being received or processed is work. */
export function createQueuePoller(context: PollerContext, mapping: Mapping): Poller {
  const { clock } = context;
  const QueueUrl = queueUrlOf(mapping.sourceArn);
  const caller = () => ({ principal: principalOf(context, mapping) });
  let workers = 0;
  let wanted = false;
  let stopped = false;
  /** Set while one worker collects a batch through its window; the others wait for it. */
  let filling = false;
  let fill: (() => void) | undefined;

  async function receive(limit: number): Promise<Json[]> {
    const answer = await context.call(caller(), 'sqs', 'ReceiveMessage', {
      QueueUrl,
      MaxNumberOfMessages: Math.min(limit, RECEIVE_LIMIT),
      WaitTimeSeconds: 0,
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    return answer.Messages ?? [];
  }

  async function receiveUpTo(limit: number): Promise<Json[]> {
    const messages: Json[] = [];
    while (messages.length < limit) {
      const more = await receive(limit - messages.length);
      if (more.length === 0) break;
      messages.push(...more);
    }
    return messages;
  }

  const remove = (message: Json): Promise<Json> =>
    context.call(caller(), 'sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle: message.ReceiptHandle });

  async function deliver(messages: Json[]): Promise<void> {
    const chosen: Json[] = [];
    for (const message of messages) {
      if (passes(mapping, toRecord(message, mapping.sourceArn))) chosen.push(message);
      else await remove(message);
    }
    if (chosen.length === 0) return;
    const records = chosen.map((message) => toRecord(message, mapping.sourceArn));
    const result = await invokeBatch(context, mapping, records);
    if ('functionError' in result) return;
    const known = new Set(chosen.map(({ MessageId }) => String(MessageId)));
    const failed = mapping.reportsItemFailures ? itemFailures(result.payload, known) : new Set<string>();
    if (failed === 'all') return;
    for (const message of chosen) if (!failed.has(message.MessageId)) await remove(message);
  }

  /** Waits for the window to pass or for further messages. */
  async function fillWindow(messages: Json[], working: { pause(): void; resume(): void }): Promise<void> {
    const endMs = clock.now() + mapping.windowSeconds * 1000;
    while (messages.length < mapping.batchSize && clock.now() < endMs) {
      if (!wanted) {
        const woken = new AbortController();
        fill = () => woken.abort();
        const slept = clock.sleep(endMs - clock.now(), woken.signal).catch(() => undefined);
        working.pause();
        await slept;
        working.resume();
        fill = undefined;
      }
      wanted = false;
      messages.push(...(await receiveUpTo(mapping.batchSize - messages.length)));
    }
  }

  async function collect(working: { pause(): void; resume(): void }): Promise<Json[]> {
    filling = mapping.windowSeconds > 0;
    try {
      const messages = await receiveUpTo(mapping.batchSize);
      if (filling && messages.length > 0) await fillWindow(messages, working);
      return messages;
    } finally {
      filling = false;
    }
  }

  async function work(working: { pause(): void; resume(): void }): Promise<void> {
    for (;;) {
      if (stopped || !mapping.enabled) return;
      if (filling) return;
      wanted = false;
      const messages = await collect(working);
      if (messages.length === 0) {
        if (wanted) continue;
        return;
      }
      // There may be more than one function can take.
      if (messages.length >= mapping.batchSize) wake();
      await deliver(messages);
    }
  }

  function start() {
    workers += 1;
    let done: (() => void) | undefined = clock.work(`messages of ${mapping.sourceArn}`);
    const working = {
      pause() {
        done?.();
        done = undefined;
      },
      resume() {
        done ??= clock.work(`messages of ${mapping.sourceArn}`);
      },
    };
    work(working)
      .catch((error: unknown) => {
        mapping.lastResult = `PROBLEM: ${error instanceof Error ? error.message : String(error)}`;
        const throttled = error instanceof AwsError && error.code === 'TooManyRequestsException';
        // The messages come back after their visibility timeout.
        if (throttled) clock.at(clock.now() + THROTTLE_PAUSE_MS, wake);
        else console.error(`The event source ${mapping.sourceArn} of ${mapping.functionName} failed:`, error);
      })
      .finally(() => {
        workers -= 1;
        working.pause();
      });
  }

  function wake() {
    wanted = true;
    if (stopped || !mapping.enabled) return;
    if (filling) fill?.();
    else if (workers < mapping.maximumConcurrency) start();
  }

  return {
    wake,
    stop() {
      stopped = true;
    },
  };
}
