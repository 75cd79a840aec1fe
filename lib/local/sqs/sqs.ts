// What does SQS answer?
import { ACCOUNT, AwsError, type CallContext, type Engine, type EngineContext, type Json } from '../types.ts';
import { checkedAttributes, redrivePolicy, shownAttributes } from './attributes.ts';
import { queueArn, queueNameOf, sqsAuthorization } from './authorization.ts';
import { batch } from './batch.ts';
import { invalidParameter } from './message.ts';
import { createMoveTasks } from './move-tasks.ts';
import { createQueue, type Depth, type Message, type Queue } from './queue.ts';
import { createReceiver } from './receive.ts';
import { createSender } from './send.ts';

export interface SqsEngine extends Engine {
  readonly service: 'sqs';
  /** Base of queue URLs: `http://127.0.0.1:PORT`. Set before the first queue is asked for. */
  setEndpoint(url: string): void;
  /** Called after messages of a queue became receivable (queue need not exist yet); returns how to stop. */
  onMessage(queueName: string, listener: () => void): () => void;
  /** @throws AwsError QueueDoesNotExist */
  depth(queueName: string): Depth;
}

const PURGE_PAUSE_MS = 60_000;

function senderOf(context: CallContext): string {
  const { principal } = context;
  if (principal.kind === 'role') return principal.roleArn.split('/').at(-1) ?? principal.roleArn;
  return principal.kind === 'service' ? principal.service : ACCOUNT;
}

/** SQS with standard and FIFO queues on the cloud's clock. A waiting receive counts as idle, not as work. */
export function createSqs(ctx: EngineContext): SqsEngine {
  const { clock } = ctx;
  const queues = new Map<string, Queue>();
  const purgedAtMs = new Map<string, number>();
  let endpoint = 'http://127.0.0.1';

  const sender = createSender(clock);
  const receiver = createReceiver(clock, (name) => queues.get(name));
  const moveTasks = createMoveTasks(queues, () => clock.now(), sender.resend);
  const urlOf = (name: string): string => `${endpoint}/${ACCOUNT}/${name}`;
  const exists = (arn: string): boolean => queues.has(queueNameOf(arn)) && queueArn(queueNameOf(arn)) === arn;

  const named = (name: string): Queue => {
    const queue = queues.get(name);
    if (queue === undefined) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  };
  const queueOf = (input: Json): Queue => {
    if (typeof input?.QueueUrl !== 'string') {
      throw new AwsError(
        'MissingRequiredParameterException',
        'The request must contain the parameter QueueUrl.',
      );
    }
    return named(queueNameOf(input.QueueUrl));
  };

  const toDeadLetters = (source: Queue, message: Message, targetArn: string): void => {
    const target = queues.get(queueNameOf(targetArn));
    if (target === undefined) return;
    const { receiptHandle: _receipt, firstReceivedAtMs: _first, timer: _timer, ...kept } = message;
    target.add(
      {
        ...kept,
        sequence: target.nextSequence(),
        retainedFromMs: target.fifo ? clock.now() : message.retainedFromMs,
        deadLetterSourceArn: source.arn,
        state: 'visible',
      },
      0,
    );
  };

  const create = (input: Json): Json => {
    const name = String(input?.QueueName ?? '');
    const fifo = name.endsWith('.fifo');
    if (!/^[\w-]{1,80}$/.test(fifo ? name.slice(0, -5) : name) || name.length > 80) {
      throw invalidParameter(
        'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
      );
    }
    const attributes = checkedAttributes(input.Attributes, fifo, exists);
    if (fifo !== (attributes['FifoQueue'] === 'true')) {
      throw invalidParameter('The name of a FIFO queue ends with .fifo and its attribute FifoQueue is true.');
    }
    const before = queues.get(name);
    if (before !== undefined) {
      const shown = shownAttributes(before.attributes);
      const differs = Object.entries(attributes).find(([attribute, value]) => shown[attribute] !== value);
      if (differs !== undefined) {
        throw new AwsError(
          'QueueNameExists',
          `A queue already exists with the same name and a different value for attribute ${differs[0]}`,
        );
      }
      return { QueueUrl: urlOf(name) };
    }
    const queue = createQueue(
      name,
      queueArn(name),
      clock,
      () => receiver.wake(name),
      (message, targetArn) => toDeadLetters(queue, message, targetArn),
    );
    queue.attributes = attributes;
    for (const [key, value] of Object.entries((input.tags ?? {}) as Record<string, string>))
      queue.tags.set(key, value);
    queues.set(name, queue);
    return { QueueUrl: urlOf(name) };
  };

  const describe = (queue: Queue, names: readonly string[]): Json => {
    const { visible, inFlight, delayed } = queue.depth();
    const all: Record<string, string> = {
      ...shownAttributes(queue.attributes),
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      CreatedTimestamp: String(Math.floor(queue.createdAtMs / 1000)),
      LastModifiedTimestamp: String(Math.floor(queue.modifiedAtMs / 1000)),
    };
    const shown = names.includes('All')
      ? all
      : Object.fromEntries(Object.entries(all).filter(([n]) => names.includes(n)));
    return { Attributes: shown };
  };

  const purge = (queue: Queue): Json => {
    if (clock.now() - (purgedAtMs.get(queue.name) ?? -Infinity) < PURGE_PAUSE_MS) {
      throw new AwsError(
        'PurgeQueueInProgress',
        `Only one PurgeQueue operation on ${queue.name} is allowed every 60 seconds.`,
        403,
      );
    }
    purgedAtMs.set(queue.name, clock.now());
    queue.clear();
    return {};
  };

  const list = (input: Json): Json => {
    const names = [...queues.keys()]
      .filter((name) => name.startsWith(input?.QueueNamePrefix ?? ''))
      .toSorted((a, b) => (a < b ? -1 : 1));
    const from = input?.NextToken === undefined ? 0 : Number(input.NextToken);
    const most: number = input?.MaxResults ?? 1000;
    const page = names.slice(from, from + most);
    const more = input?.MaxResults !== undefined && from + most < names.length;
    return {
      ...(page.length === 0 ? {} : { QueueUrls: page.map(urlOf) }),
      ...(more ? { NextToken: String(from + most) } : {}),
    };
  };

  const run = (operation: string, input: Json, context: CallContext): Json => {
    switch (operation) {
      case 'CreateQueue':
        return create(input);
      case 'GetQueueUrl':
        return { QueueUrl: urlOf(named(String(input?.QueueName)).name) };
      case 'ListQueues':
        return list(input);
      case 'ListMessageMoveTasks':
        return moveTasks.list(input);
      case 'StartMessageMoveTask':
        return moveTasks.start(input);
      default:
        return onQueue(operation, input, context);
    }
  };

  const onQueue = (operation: string, input: Json, context: CallContext): Json => {
    const queue = queueOf(input);
    switch (operation) {
      case 'SendMessage':
        return sender.send(queue, input, senderOf(context));
      case 'SendMessageBatch':
        return batch(input.Entries, (entry) => sender.send(queue, entry, senderOf(context)));
      case 'DeleteMessage':
        return receiver.remove(queue, input);
      case 'DeleteMessageBatch':
        return batch(input.Entries, (entry) => receiver.remove(queue, entry));
      case 'ChangeMessageVisibility':
        return receiver.changeVisibility(queue, input);
      case 'ChangeMessageVisibilityBatch':
        return batch(input.Entries, (entry) => receiver.changeVisibility(queue, entry));
      case 'PurgeQueue':
        return purge(queue);
      case 'GetQueueAttributes':
        return describe(queue, input.AttributeNames ?? []);
      case 'SetQueueAttributes':
        queue.attributes = {
          ...queue.attributes,
          ...checkedAttributes(input.Attributes, queue.fifo, exists),
        };
        queue.modifiedAtMs = clock.now();
        return {};
      case 'DeleteQueue':
        queue.clear();
        queues.delete(queue.name);
        return {};
      case 'ListDeadLetterSourceQueues': {
        const sources = [...queues.values()].filter(
          ({ attributes }) => redrivePolicy(attributes)?.deadLetterTargetArn === queue.arn,
        );
        return { queueUrls: sources.map(({ name }) => urlOf(name)) };
      }
      case 'TagQueue':
        for (const [key, value] of Object.entries(input.Tags as Record<string, string>))
          queue.tags.set(key, value);
        return {};
      case 'UntagQueue':
        for (const key of input.TagKeys) queue.tags.delete(key);
        return {};
      case 'ListQueueTags':
        return queue.tags.size === 0 ? {} : { Tags: Object.fromEntries(queue.tags) };
      default:
        throw new AwsError('UnknownOperationException', `The embedded SQS has no operation ${operation}`);
    }
  };

  return {
    service: 'sqs',
    authorization: sqsAuthorization,
    async call(operation, input, context) {
      if (operation === 'ReceiveMessage') return receiver.receive(queueOf(input), input);
      return run(operation, input, context);
    },
    setEndpoint: (url) => void (endpoint = url.replace(/\/$/, '')),
    onMessage: receiver.onMessage,
    depth: (queueName) => named(queueName).depth(),
  };
}
