// How do messages reach those who receive them, and how are they given back?
import { AwsError, type CloudClock, type Json, type Timer } from '../types.ts';
import { numberAttribute } from './attributes.ts';
import { delivered } from './deliver.ts';
import { invalidParameter } from './message.ts';
import { MAX_VISIBILITY_SECONDS, type Message, type Queue } from './queue.ts';

const MAX_WAIT_SECONDS = 20;
const MAX_RECEIVED = 10;

interface Waiter {
  attempt(): boolean;
}

function bounded(value: unknown, name: string, least: number, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw invalidParameter(
    `Value ${String(value)} for parameter ${name} is invalid. Reason: Must be >= ${least} and <= ${most}, if provided.`,
  );
}

export interface Receiver {
  receive(queue: Queue, input: Json): Promise<Json>;
  remove(queue: Queue, input: Json): Json;
  changeVisibility(queue: Queue, input: Json): Json;
  /** Messages of this queue became receivable. */
  wake(queueName: string): void;
  onMessage(queueName: string, listener: () => void): () => void;
}

/** Long polls wait on idle timers: they keep no clock busy. */
export function createReceiver(clock: CloudClock, queueNamed: (name: string) => Queue | undefined): Receiver {
  const waiters = new Map<string, Set<Waiter>>();
  const listeners = new Map<string, Set<() => void>>();
  const waking = new Set<string>();

  /** Waiting receives first, then listeners; once per turn however many messages came. */
  const wake = (name: string): void => {
    if (waking.has(name)) return;
    waking.add(name);
    const done = clock.work(`sqs wakes receivers of ${name}`);
    queueMicrotask(() => {
      waking.delete(name);
      for (const waiter of waiters.get(name) ?? []) if (!waiter.attempt()) break;
      if ((queueNamed(name)?.depth().visible ?? 0) > 0) {
        for (const listener of listeners.get(name) ?? []) listener();
      }
      done();
    });
  };

  const receive = (queue: Queue, input: Json): Promise<Json> => {
    const most = bounded(input.MaxNumberOfMessages ?? 1, 'MaxNumberOfMessages', 1, MAX_RECEIVED);
    const waitSeconds = bounded(
      input.WaitTimeSeconds ?? numberAttribute(queue.attributes, 'ReceiveMessageWaitTimeSeconds'),
      'WaitTimeSeconds',
      0,
      MAX_WAIT_SECONDS,
    );
    const hiddenSeconds = bounded(
      input.VisibilityTimeout ?? numberAttribute(queue.attributes, 'VisibilityTimeout'),
      'VisibilityTimeout',
      0,
      MAX_VISIBILITY_SECONDS,
    );
    const answer = (messages: Message[]): Json =>
      messages.length === 0 ? {} : { Messages: messages.map((message) => delivered(message, input)) };
    const taken = queue.take(most, hiddenSeconds);
    if (taken.length > 0 || waitSeconds === 0) return Promise.resolve(answer(taken));
    return new Promise((resolve, reject) => {
      const group = waiters.get(queue.name) ?? new Set();
      waiters.set(queue.name, group);
      let timer: Timer | undefined;
      const waiter: Waiter = {
        attempt() {
          try {
            const found = queue.take(most, hiddenSeconds);
            if (found.length === 0) return false;
            resolve(answer(found));
          } catch (error) {
            reject(error);
          }
          group.delete(waiter);
          timer?.cancel();
          return true;
        },
      };
      group.add(waiter);
      const giveUp = (): void => {
        group.delete(waiter);
        resolve({});
      };
      timer = clock.at(clock.now() + waitSeconds * 1000, giveUp, { idle: true });
    });
  };

  /** Undefined for a handle that is well formed and belongs to nothing any more. */
  const received = (queue: Queue, handle: unknown): Message | undefined => {
    const parts = typeof handle === 'string' ? Buffer.from(handle, 'base64').toString().split(' ') : [];
    if (parts.length !== 3 || parts[1] !== queue.arn) {
      throw new AwsError(
        'ReceiptHandleIsInvalid',
        `The input receipt handle "${String(handle)}" is not a valid receipt handle.`,
      );
    }
    return queue.byReceipt(handle as string);
  };

  const remove = (queue: Queue, input: Json): Json => {
    const message = received(queue, input.ReceiptHandle);
    if (message === undefined) return {};
    if (queue.fifo && message.state !== 'in flight') {
      throw invalidParameter(
        `Value ${input.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
      );
    }
    queue.remove(message);
    return {};
  };

  const changeVisibility = (queue: Queue, input: Json): Json => {
    const seconds = bounded(input.VisibilityTimeout, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS);
    const message = received(queue, input.ReceiptHandle);
    if (message === undefined) {
      throw invalidParameter(
        `Value ${input.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      );
    }
    queue.hide(message, seconds);
    return {};
  };

  return {
    receive,
    remove,
    changeVisibility,
    wake,
    onMessage(queueName, listener) {
      const group = listeners.get(queueName) ?? new Set();
      listeners.set(queueName, group.add(listener));
      return () => void group.delete(listener);
    },
  };
}
