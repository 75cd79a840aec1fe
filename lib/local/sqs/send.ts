// How does a message enter a queue, once?
import { createHash, randomUUID } from 'node:crypto';
import { AwsError, type CloudClock, type Json } from '../types.ts';
import { numberAttribute } from './attributes.ts';
import { sequenceNumber } from './deliver.ts';
import { checkedContent, invalidParameter, md5, md5OfAttributes } from './message.ts';
import type { Message, Queue } from './queue.ts';

/** "If a message is sent successfully, any messages with the same id are accepted but not delivered for 5 minutes." */
const DEDUPLICATION_MS = 5 * 60 * 1000;
const MAX_DELAY_SECONDS = 900;

export interface Sender {
  send(queue: Queue, input: Json, senderId: string): Json;
  /** The same content as a new message: receive count and time start again. */
  resend(queue: Queue, message: Message): void;
}

export function createSender(clock: CloudClock): Sender {
  const remembered = new WeakMap<Queue, Map<string, { atMs: number; answer: Json }>>();

  const recentOf = (queue: Queue): Map<string, { atMs: number; answer: Json }> => {
    let recent = remembered.get(queue);
    if (recent === undefined) remembered.set(queue, (recent = new Map()));
    for (const [id, { atMs }] of recent) {
      if (clock.now() - atMs < DEDUPLICATION_MS) break;
      recent.delete(id);
    }
    return recent;
  };

  const fifoIds = (queue: Queue, input: Json): { groupId?: string; deduplicationId?: string } => {
    const given = (name: string): string | undefined => {
      const value: unknown = input[name];
      if (value === undefined || value === null) return undefined;
      if (typeof value !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(value)) {
        throw invalidParameter(
          `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
        );
      }
      return value;
    };
    const groupId = given('MessageGroupId');
    const deduplicationId = given('MessageDeduplicationId');
    if (!queue.fifo) {
      if (deduplicationId !== undefined) {
        throw invalidParameter(
          'The request include parameter MessageDeduplicationId which is not valid for this queue type.',
        );
      }
      return groupId === undefined ? {} : { groupId };
    }
    if (groupId === undefined) {
      throw new AwsError(
        'MissingRequiredParameterException',
        'The request must contain the parameter MessageGroupId.',
      );
    }
    if (input.DelaySeconds !== undefined && Number(input.DelaySeconds) !== 0) {
      throw invalidParameter(
        `Value ${input.DelaySeconds} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.`,
      );
    }
    if (deduplicationId !== undefined) return { groupId, deduplicationId };
    if (queue.attributes['ContentBasedDeduplication'] !== 'true') {
      throw invalidParameter(
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
      );
    }
    return { groupId, deduplicationId: createHash('sha256').update(String(input.MessageBody)).digest('hex') };
  };

  const delayOf = (queue: Queue, input: Json): number => {
    const seconds = Number(input.DelaySeconds ?? numberAttribute(queue.attributes, 'DelaySeconds'));
    if (queue.fifo) return numberAttribute(queue.attributes, 'DelaySeconds');
    if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_DELAY_SECONDS) return seconds;
    throw invalidParameter(
      `Value ${input.DelaySeconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`,
    );
  };

  return {
    send(queue, input, senderId) {
      const content = checkedContent(input, numberAttribute(queue.attributes, 'MaximumMessageSize'));
      const ids = fifoIds(queue, input);
      const delaySeconds = delayOf(queue, input);
      const recent = recentOf(queue);
      // With DeduplicationScope messageGroup the same id may occur once in every group.
      const scope = queue.attributes['DeduplicationScope'] === 'messageGroup' ? ids.groupId : '';
      const once = ids.deduplicationId === undefined ? undefined : `${scope} ${ids.deduplicationId}`;
      const earlier = once === undefined ? undefined : recent.get(once);
      if (earlier !== undefined) return { ...earlier.answer };
      const message: Message = {
        id: randomUUID(),
        content,
        sentAtMs: clock.now(),
        retainedFromMs: clock.now(),
        sequence: queue.nextSequence(),
        receiveCount: 0,
        senderId,
        state: 'visible',
        ...ids,
      };
      const ofAttributes = md5OfAttributes(content.attributes);
      const ofSystem = md5OfAttributes(content.systemAttributes);
      const answer = {
        MessageId: message.id,
        MD5OfMessageBody: md5(content.body),
        ...(ofAttributes === undefined ? {} : { MD5OfMessageAttributes: ofAttributes }),
        ...(ofSystem === undefined ? {} : { MD5OfMessageSystemAttributes: ofSystem }),
        ...(queue.fifo ? { SequenceNumber: sequenceNumber(message.sequence) } : {}),
      };
      if (once !== undefined) recent.set(once, { atMs: clock.now(), answer });
      queue.add(message, delaySeconds);
      return answer;
    },
    resend(queue, message) {
      queue.add(
        {
          id: randomUUID(),
          content: message.content,
          sentAtMs: clock.now(),
          retainedFromMs: clock.now(),
          sequence: queue.nextSequence(),
          receiveCount: 0,
          senderId: message.senderId,
          state: 'visible',
          ...(message.groupId === undefined ? {} : { groupId: message.groupId }),
          ...(message.deduplicationId === undefined ? {} : { deduplicationId: message.deduplicationId }),
        },
        0,
      );
    },
  };
}
