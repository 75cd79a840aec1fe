// Which settings does a queue have, and which values do they take?
import { AwsError, type Json } from '../types.ts';
import { invalidParameter } from './message.ts';

/** 256 KiB for body and attributes together. */
export const MAX_MESSAGE_BYTES = 262_144;

/** Ranges and defaults of SetQueueAttributes. */
const NUMBERS: Readonly<Record<string, { least: number; most: number; usual: number }>> = {
  DelaySeconds: { least: 0, most: 900, usual: 0 },
  MaximumMessageSize: { least: 1024, most: MAX_MESSAGE_BYTES, usual: MAX_MESSAGE_BYTES },
  MessageRetentionPeriod: { least: 60, most: 1_209_600, usual: 345_600 },
  ReceiveMessageWaitTimeSeconds: { least: 0, most: 20, usual: 0 },
  VisibilityTimeout: { least: 0, most: 43_200, usual: 30 },
  KmsDataKeyReusePeriodSeconds: { least: 60, most: 86_400, usual: 300 },
};
const TEXTS = ['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'SqsManagedSseEnabled'];
const FIFO_ONLY = ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];

export interface RedrivePolicy {
  deadLetterTargetArn: string;
  maxReceiveCount: number;
}

export type QueueAttributes = Record<string, string>;

/** A setting in its unit, or its default. */
export function numberAttribute(attributes: QueueAttributes, name: string): number {
  const text = attributes[name];
  return text === undefined ? (NUMBERS[name]?.usual ?? 0) : Number(text);
}

export function redrivePolicy(attributes: QueueAttributes): RedrivePolicy | undefined {
  const text = attributes['RedrivePolicy'];
  if (text === undefined || text === '') return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text);
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
}

function checkRedrivePolicy(text: string, fifo: boolean, exists: (arn: string) => boolean): void {
  const refuse = (reason: string): AwsError =>
    invalidParameter(`Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`);
  let policy: RedrivePolicy | undefined;
  try {
    policy = redrivePolicy({ RedrivePolicy: text });
  } catch {
    throw refuse('Redrive policy is not a valid JSON map.');
  }
  if (policy === undefined) return;
  if (
    !Number.isInteger(policy.maxReceiveCount) ||
    policy.maxReceiveCount < 1 ||
    policy.maxReceiveCount > 1000
  ) {
    throw refuse('Invalid value for maxReceiveCount; valid values are from 1 to 1000 both inclusive.');
  }
  if (!exists(policy.deadLetterTargetArn)) throw refuse('Dead letter target does not exist.');
  if (policy.deadLetterTargetArn.endsWith('.fifo') !== fifo) {
    throw refuse('Dead-letter queue must be same type of queue as the source.');
  }
}

/**
 * Settings as strings, checked.
 * @param exists is there a queue with this ARN
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue, InvalidParameterValueException
 */
export function checkedAttributes(
  input: Json,
  fifo: boolean,
  exists: (arn: string) => boolean,
): QueueAttributes {
  const checked: QueueAttributes = {};
  for (const [name, value] of Object.entries((input ?? {}) as Record<string, unknown>)) {
    const text = String(value);
    const range = NUMBERS[name];
    if (range !== undefined) {
      const number = Number(text);
      if (!/^\d+$/.test(text) || number < range.least || number > range.most) {
        throw new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
      }
    } else if (!TEXTS.includes(name) && !(fifo && FIFO_ONLY.includes(name))) {
      throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
    if (name === 'RedrivePolicy') checkRedrivePolicy(text, fifo, exists);
    checked[name] = text;
  }
  return checked;
}

/** Every setting with its effective value, as GetQueueAttributes shows them. */
export function shownAttributes(attributes: QueueAttributes): QueueAttributes {
  const shown: QueueAttributes = { SqsManagedSseEnabled: 'true' };
  for (const [name, { usual }] of Object.entries(NUMBERS)) {
    if (name !== 'KmsDataKeyReusePeriodSeconds') shown[name] = String(usual);
  }
  for (const [name, value] of Object.entries(attributes)) if (value !== '') shown[name] = value;
  return shown;
}
