// Is this a message SQS accepts, and what are its digests?
import { createHash } from 'node:crypto';
import { AwsError, type Json } from '../types.ts';

export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** Base64. */
  BinaryValue?: string;
}

export interface MessageContent {
  body: string;
  attributes: Record<string, MessageAttribute>;
  /** AWSTraceHeader is the only one there is. */
  systemAttributes: Record<string, MessageAttribute>;
}

/** A message has at most ten attributes. */
const MAX_ATTRIBUTES = 10;
/** The characters of XML 1.0, all that a body may hold (SendMessage reference). */
// oxlint-disable-next-line no-control-regex -- the control characters are the point
const FORBIDDEN = /[^\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

export const md5 = (data: string | Buffer): string => createHash('md5').update(data).digest('hex');

export const invalidParameter = (message: string): AwsError =>
  new AwsError('InvalidParameterValueException', message);

const valueOf = (attribute: MessageAttribute): Buffer =>
  attribute.DataType.startsWith('Binary')
    ? Buffer.from(attribute.BinaryValue ?? '', 'base64')
    : Buffer.from(attribute.StringValue ?? '');

/** The digest of message attributes as the developer guide defines it; undefined without attributes. */
export function md5OfAttributes(attributes: Record<string, MessageAttribute>): string | undefined {
  const names = Object.keys(attributes).toSorted((a, b) => (a < b ? -1 : 1));
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const sized = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const attribute = attributes[name] as MessageAttribute;
    sized(Buffer.from(name));
    sized(Buffer.from(attribute.DataType));
    hash.update(Buffer.from([attribute.DataType.startsWith('Binary') ? 2 : 1]));
    sized(valueOf(attribute));
  }
  return hash.digest('hex');
}

/** Body and attributes together, in bytes: names, types and values all count. */
export function messageBytes(content: MessageContent): number {
  let bytes = Buffer.byteLength(content.body);
  for (const [name, attribute] of Object.entries(content.attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + valueOf(attribute).length;
  }
  return bytes;
}

function checkedAttributes(input: Json, what: string): Record<string, MessageAttribute> {
  const attributes = (input ?? {}) as Record<string, MessageAttribute>;
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) {
    throw invalidParameter(`Number of message attributes exceeds the allowed maximum [${MAX_ATTRIBUTES}].`);
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    if (!/^[A-Za-z0-9_.-]{1,256}$/.test(name) || /^(?:aws|amazon)\./i.test(name)) {
      throw invalidParameter(`The ${what} name '${name}' is invalid.`);
    }
    if (!/^(?:String|Number|Binary)(?:\..{1,250})?$/.test(attribute.DataType ?? '')) {
      throw invalidParameter(`The ${what} '${name}' has an invalid message attribute type.`);
    }
    if (valueOf(attribute).length === 0) {
      throw invalidParameter(`The ${what} '${name}' must contain a non-empty message attribute value.`);
    }
    if (attribute.DataType.startsWith('Number') && !Number.isFinite(Number(attribute.StringValue))) {
      throw invalidParameter(`Can't cast the value of ${what} '${name}' to a number.`);
    }
  }
  return structuredClone(attributes);
}

/** @throws AwsError InvalidMessageContents, InvalidParameterValueException, MissingRequiredParameterException */
export function checkedContent(input: Json, maxBytes: number): MessageContent {
  const body: unknown = input.MessageBody;
  if (typeof body !== 'string' || body === '') {
    throw new AwsError(
      'MissingRequiredParameterException',
      'The request must contain the parameter MessageBody.',
    );
  }
  if (FORBIDDEN.test(body)) {
    throw new AwsError('InvalidMessageContents', 'Invalid characters found in the message body.');
  }
  const content: MessageContent = {
    body,
    attributes: checkedAttributes(input.MessageAttributes, 'message attribute'),
    systemAttributes: checkedAttributes(input.MessageSystemAttributes, 'message system attribute'),
  };
  if (messageBytes(content) > maxBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
    );
  }
  return content;
}
