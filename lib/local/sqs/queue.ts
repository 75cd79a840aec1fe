// Which messages of one queue may be received now?
import { randomUUID } from 'node:crypto';
import { AwsError, type CloudClock, type Timer } from '../types.ts';
import { numberAttribute, redrivePolicy, type QueueAttributes } from './attributes.ts';
import type { MessageContent } from './message.ts';

export interface Message {
  id: string;
  content: MessageContent;
  sentAtMs: number;
  /** Retention counts from here; a standard dead-letter queue keeps the time of the first queue. */
  retainedFromMs: number;
  sequence: number;
  receiveCount: number;
  firstReceivedAtMs?: number;
  groupId?: string;
  deduplicationId?: string;
  deadLetterSourceArn?: string;
  senderId: string;
  receiptHandle?: string;
  state: 'delayed' | 'visible' | 'in flight';
  timer?: Timer;
}

export interface Depth {
  visible: number;
  inFlight: number;
  delayed: number;
}

/** At most this many messages in flight per queue (SQS quotas). */
const MAX_IN_FLIGHT = 120_000;
/** A message is invisible for at most twelve hours from when it was received. */
export const MAX_VISIBILITY_SECONDS = 43_200;

export interface Queue {
  readonly name: string;
  readonly arn: string;
  readonly fifo: boolean;
  readonly createdAtMs: number;
  modifiedAtMs: number;
  attributes: QueueAttributes;
  readonly tags: Map<string, string>;
  /** Puts a message in; after `delaySeconds` it can be received. */
  add(message: Message, delaySeconds: number): void;
  /** Takes up to `most` messages into flight; those received too often go to the dead-letter queue instead. */
  take(most: number, visibilitySeconds: number): Message[];
  byReceipt(handle: string): Message | undefined;
  remove(message: Message): void;
  /** 0 makes it visible at once. */
  hide(message: Message, seconds: number): void;
  depth(): Depth;
  visible(): readonly Message[];
  clear(): void;
  nextSequence(): number;
}

/**
 * @param onVisible called whenever a message has become receivable
 * @param toDeadLetters moves a message away
 */
export function createQueue(
  name: string,
  arn: string,
  clock: CloudClock,
  onVisible: () => void,
  toDeadLetters: (message: Message, targetArn: string) => void,
): Queue {
  const fifo = name.endsWith('.fifo');
  const messages = new Set<Message>();
  const byHandle = new Map<string, Message>();
  const lockedGroups = new Map<string, number>();
  let ready: Message[] = [];
  let inFlight = 0;
  let sequence = 0;

  const enterReady = (message: Message): void => {
    message.state = 'visible';
    let at = ready.length;
    while (at > 0 && (ready[at - 1] as Message).sequence > message.sequence) at -= 1;
    ready.splice(at, 0, message);
  };
  const leaveReady = (message: Message): void => {
    const at = ready.indexOf(message);
    if (at >= 0) ready.splice(at, 1);
  };
  const landed = (message: Message): void => {
    message.timer?.cancel();
    delete message.timer;
    if (message.state !== 'in flight') return;
    inFlight -= 1;
    if (message.groupId === undefined) return;
    const left = (lockedGroups.get(message.groupId) ?? 1) - 1;
    if (left > 0) lockedGroups.set(message.groupId, left);
    else lockedGroups.delete(message.groupId);
  };
  const forget = (message: Message): void => {
    landed(message);
    if (message.state === 'visible') leaveReady(message);
    if (message.receiptHandle !== undefined) byHandle.delete(message.receiptHandle);
    messages.delete(message);
  };
  const returns = (message: Message, seconds: number): void => {
    message.timer = clock.at(clock.now() + seconds * 1000, () => {
      landed(message);
      enterReady(message);
      onVisible();
    });
  };

  const expire = (): void => {
    const oldestMs = clock.now() - numberAttribute(queue.attributes, 'MessageRetentionPeriod') * 1000;
    for (const message of messages) if (message.retainedFromMs <= oldestMs) forget(message);
  };

  const fly = (message: Message, visibilitySeconds: number): void => {
    message.state = 'in flight';
    inFlight += 1;
    if (fifo && message.groupId !== undefined) {
      lockedGroups.set(message.groupId, (lockedGroups.get(message.groupId) ?? 0) + 1);
    }
    message.receiveCount += 1;
    message.firstReceivedAtMs ??= clock.now();
    if (message.receiptHandle !== undefined) byHandle.delete(message.receiptHandle);
    message.receiptHandle = Buffer.from(`${randomUUID()} ${arn} ${message.id}`).toString('base64');
    byHandle.set(message.receiptHandle, message);
    returns(message, visibilitySeconds);
  };

  const queue: Queue = {
    name,
    arn,
    fifo,
    createdAtMs: clock.now(),
    modifiedAtMs: clock.now(),
    attributes: {},
    tags: new Map(),
    add(message, delaySeconds) {
      messages.add(message);
      if (delaySeconds > 0) {
        message.state = 'delayed';
        returns(message, delaySeconds);
      } else {
        enterReady(message);
        onVisible();
      }
    },
    take(most, visibilitySeconds) {
      expire();
      const policy = redrivePolicy(queue.attributes);
      const locked = new Set(fifo ? lockedGroups.keys() : []);
      const taken: Message[] = [];
      const dead: Message[] = [];
      for (const message of ready) {
        if (taken.length >= most) break;
        if (fifo && locked.has(message.groupId ?? '')) continue;
        if (policy !== undefined && message.receiveCount >= policy.maxReceiveCount) dead.push(message);
        else taken.push(message);
      }
      if (taken.length > 0 && inFlight + taken.length > MAX_IN_FLIGHT) {
        throw new AwsError('OverLimit', 'Too many messages in flight.', 403);
      }
      const gone = new Set([...taken, ...dead]);
      if (gone.size > 0) ready = ready.filter((message) => !gone.has(message));
      for (const message of dead) {
        forget(message);
        toDeadLetters(message, policy?.deadLetterTargetArn ?? '');
      }
      for (const message of taken) fly(message, visibilitySeconds);
      // Visibility 0: received, and receivable again at once.
      if (visibilitySeconds === 0) for (const message of taken) queue.hide(message, 0);
      return taken;
    },
    byReceipt: (handle) => byHandle.get(handle),
    remove(message) {
      const unlocks = message.groupId !== undefined && message.state === 'in flight';
      forget(message);
      if (unlocks && ready.some(({ groupId }) => groupId === message.groupId)) onVisible();
    },
    hide(message, seconds) {
      if (message.state !== 'in flight') {
        throw new AwsError('MessageNotInflight', 'The specified message is not in flight.');
      }
      message.timer?.cancel();
      if (seconds > 0) {
        returns(message, seconds);
        return;
      }
      landed(message);
      enterReady(message);
      onVisible();
    },
    depth() {
      expire();
      return { visible: ready.length, inFlight, delayed: messages.size - ready.length - inFlight };
    },
    visible() {
      expire();
      return ready;
    },
    clear() {
      for (const message of messages) forget(message);
    },
    nextSequence: () => (sequence += 1),
  };
  return queue;
}
