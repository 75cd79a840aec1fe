// What does a received message look like?
import type { Json } from '../types.ts';
import { md5, md5OfAttributes, type MessageAttribute } from './message.ts';
import type { Message } from './queue.ts';

function wanted(names: readonly string[], name: string): boolean {
  return names.some(
    (pattern) =>
      pattern === 'All' ||
      pattern === '.*' ||
      pattern === name ||
      (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1))),
  );
}

function systemAttributes(message: Message): Record<string, string | undefined> {
  return {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAtMs),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs),
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: message.deduplicationId === undefined ? undefined : sequenceNumber(message.sequence),
    AWSTraceHeader: message.content.systemAttributes['AWSTraceHeader']?.StringValue,
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
}

/** Twenty digits, increasing within a queue. */
export function sequenceNumber(sequence: number): string {
  return `188${String(sequence).padStart(17, '0')}`;
}

/** @param input the ReceiveMessage request: old and new names of the attribute lists are both read */
export function delivered(message: Message, input: Json): Json {
  const systemNames: string[] = [
    ...(input.AttributeNames ?? []),
    ...(input.MessageSystemAttributeNames ?? []),
  ];
  const system = Object.entries(systemAttributes(message)).filter(
    ([name, value]) => value !== undefined && (systemNames.includes('All') || systemNames.includes(name)),
  );
  const attributes: Record<string, MessageAttribute> = {};
  for (const [name, attribute] of Object.entries(message.content.attributes)) {
    if (wanted(input.MessageAttributeNames ?? [], name)) attributes[name] = { ...attribute };
  }
  const digest = md5OfAttributes(attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.content.body),
    Body: message.content.body,
    ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
    ...(digest === undefined ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: digest }),
  };
}
