// What changed in a table, read from a DynamoDB stream?

/** Images in plain values. */
export interface StreamRecord {
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  sequenceNumber: string;
  /** Removed by TTL, not by us. */
  expired: boolean;
  keys: Record<string, unknown>;
  newImage?: Record<string, unknown>;
  oldImage?: Record<string, unknown>;
}

type AttributeValue = Record<string, unknown>;

/** One element of the Lambda event's `Records`. */
export function readStreamRecord(record: unknown): StreamRecord {
  const { eventName, dynamodb, userIdentity } = record as {
    eventName: StreamRecord['eventName'];
    dynamodb: { SequenceNumber: string; Keys?: Image; NewImage?: Image; OldImage?: Image };
    userIdentity?: { principalId?: string };
  };
  return {
    eventName,
    sequenceNumber: dynamodb.SequenceNumber,
    expired: userIdentity?.principalId === 'dynamodb.amazonaws.com',
    keys: image(dynamodb.Keys ?? {}),
    ...(dynamodb.NewImage === undefined ? {} : { newImage: image(dynamodb.NewImage) }),
    ...(dynamodb.OldImage === undefined ? {} : { oldImage: image(dynamodb.OldImage) }),
  };
}

type Image = Record<string, AttributeValue>;

function image(attributes: Image): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)]));
}

function plain(value: AttributeValue): unknown {
  const [[type, held] = ['NULL', true]] = Object.entries(value);
  switch (type) {
    case 'S':
    case 'BOOL':
      return held;
    case 'N':
      return Number(held);
    case 'NULL':
      return null;
    case 'L':
      return (held as AttributeValue[]).map(plain);
    case 'M':
      return image(held as Image);
    case 'SS':
      return new Set(held as string[]);
    case 'NS':
      return new Set((held as string[]).map(Number));
    default:
      throw new Error(`A stream image holds an attribute of type ${type}, which no table of ours uses.`);
  }
}
