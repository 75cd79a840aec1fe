// What changed in a table, in order, during the last 24 hours?
import { AwsError, type Json } from '../types.ts';
import { copyOf, type Item, type TableDescription } from './dynalite.ts';
import { itemBytes } from './item-size.ts';

/** A stream record as Lambda and GetRecords deliver it. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: '1.1';
  eventSource: 'aws:dynamodb';
  awsRegion: string;
  userIdentity?: { type: 'Service'; principalId: 'dynamodb.amazonaws.com' };
  dynamodb: {
    /** Epoch seconds. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    OldImage?: Item;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: string;
  };
  eventSourceARN: string;
}

/** "Records are removed after 24 hours" (DynamoDB Streams guide). */
const RETENTION_MS = 24 * 60 * 60 * 1000;
/** GetRecords returns at most this many records. */
const PAGE = 1000;
const SHARD = 'shardId-00000000000000000000-00000001';
const VIEWS: readonly string[] = ['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES'];

interface Stream {
  tableName: string;
  arn: string;
  label: string;
  view: string;
  keySchema: Json;
  enabled: boolean;
  records: StreamRecord[];
  /** How many records vanished before `records[0]`. */
  trimmed: number;
}

export interface Streams {
  enable(table: TableDescription, view: string): void;
  disable(tableName: string): void;
  enabled(tableName: string): boolean;
  /** The members DescribeTable shows. */
  description(tableName: string): Json;
  record(
    tableName: string,
    keys: Item,
    oldItem: Item | undefined,
    newItem: Item | undefined,
    byTtl: boolean,
  ): void;
  listen(tableName: string, listener: (record: StreamRecord) => void): () => void;
  list(input: Json): Json;
  describe(input: Json): Json;
  iterator(input: Json): Json;
  read(input: Json): Json;
}

const sequence = (position: number): string => String(position + 1).padStart(21, '0');

/** One shard per stream. @param random source of event ids, [0, 1) */
export function createStreams(now: () => number, random: () => number, region: string): Streams {
  const streams: Stream[] = [];
  const listeners = new Map<string, Set<(record: StreamRecord) => void>>();
  const active = (tableName: string): Stream | undefined =>
    streams.find((stream) => stream.tableName === tableName && stream.enabled);

  const trim = (stream: Stream): void => {
    const oldest = (now() - RETENTION_MS) / 1000;
    let gone = 0;
    while ((stream.records[gone]?.dynamodb.ApproximateCreationDateTime ?? Infinity) <= oldest) gone += 1;
    if (gone === 0) return;
    stream.records.splice(0, gone);
    stream.trimmed += gone;
  };

  const byArn = (arn: string): Stream => {
    const found = streams.find((stream) => stream.arn === arn);
    if (found === undefined) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Requested resource not found: Stream: ${arn} not found`,
      );
    }
    trim(found);
    return found;
  };

  const positionOf = (number: unknown): number => {
    if (typeof number !== 'string' || !/^\d+$/.test(number)) {
      throw new AwsError('ValidationException', `Invalid SequenceNumber: ${String(number)}`);
    }
    return Number(number) - 1;
  };

  const encode = (arn: string, position: number): string =>
    Buffer.from(JSON.stringify([arn, position])).toString('base64');

  return {
    enable(table, view) {
      if (!VIEWS.includes(view)) {
        throw new AwsError('ValidationException', `StreamViewType must be one of ${VIEWS.join(', ')}`);
      }
      const label = new Date(now()).toISOString().replace('Z', '');
      streams.push({
        tableName: table.TableName,
        arn: `${table.TableArn}/stream/${label}`,
        label,
        view,
        keySchema: table.KeySchema,
        enabled: true,
        records: [],
        trimmed: 0,
      });
    },
    disable(tableName) {
      const stream = active(tableName);
      if (stream !== undefined) stream.enabled = false;
    },
    enabled: (tableName) => active(tableName) !== undefined,
    description(tableName) {
      const stream = active(tableName);
      return stream === undefined
        ? {}
        : {
            StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view },
            LatestStreamArn: stream.arn,
            LatestStreamLabel: stream.label,
          };
    },
    record(tableName, keys, oldItem, newItem, byTtl) {
      const stream = active(tableName);
      if (stream === undefined || (oldItem === undefined && newItem === undefined)) return;
      if (
        oldItem !== undefined &&
        newItem !== undefined &&
        JSON.stringify(oldItem) === JSON.stringify(newItem)
      )
        return;
      trim(stream);
      const images: { NewImage?: Item; OldImage?: Item } = {};
      if (stream.view.includes('NEW') && newItem !== undefined) images.NewImage = copyOf(newItem);
      if (stream.view.includes('OLD') && oldItem !== undefined) images.OldImage = copyOf(oldItem);
      const position = stream.trimmed + stream.records.length;
      const record: StreamRecord = {
        eventID: Buffer.from(Array.from({ length: 16 }, () => Math.floor(random() * 256))).toString('hex'),
        eventName: oldItem === undefined ? 'INSERT' : newItem === undefined ? 'REMOVE' : 'MODIFY',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: region,
        ...(byTtl ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } } : {}),
        dynamodb: {
          ApproximateCreationDateTime: now() / 1000,
          Keys: copyOf(keys),
          ...images,
          SequenceNumber: sequence(position),
          SizeBytes:
            itemBytes(keys) +
            (images.NewImage === undefined ? 0 : itemBytes(images.NewImage)) +
            (images.OldImage === undefined ? 0 : itemBytes(images.OldImage)),
          StreamViewType: stream.view,
        },
        eventSourceARN: stream.arn,
      };
      stream.records.push(record);
      // Not within the write: a listener that throws must not break a transaction in the middle.
      for (const listener of listeners.get(tableName) ?? []) queueMicrotask(() => listener(record));
    },
    listen(tableName, listener) {
      const group = listeners.get(tableName) ?? new Set();
      listeners.set(tableName, group.add(listener));
      return () => void group.delete(listener);
    },
    list: (input) => ({
      Streams: streams
        .filter((stream) => input?.TableName === undefined || stream.tableName === input.TableName)
        .map(({ arn, tableName, label }) => ({ StreamArn: arn, TableName: tableName, StreamLabel: label })),
    }),
    describe(input) {
      const stream = byArn(input.StreamArn);
      const range: Json = { StartingSequenceNumber: sequence(stream.trimmed) };
      if (!stream.enabled) range.EndingSequenceNumber = sequence(stream.trimmed + stream.records.length);
      return {
        StreamDescription: {
          StreamArn: stream.arn,
          StreamLabel: stream.label,
          StreamStatus: stream.enabled ? 'ENABLED' : 'DISABLED',
          StreamViewType: stream.view,
          TableName: stream.tableName,
          KeySchema: stream.keySchema,
          Shards: [{ ShardId: SHARD, SequenceNumberRange: range }],
        },
      };
    },
    iterator(input) {
      const stream = byArn(input.StreamArn);
      const end = stream.trimmed + stream.records.length;
      switch (input.ShardIteratorType) {
        case 'TRIM_HORIZON':
          return { ShardIterator: encode(stream.arn, stream.trimmed) };
        case 'LATEST':
          return { ShardIterator: encode(stream.arn, end) };
        case 'AT_SEQUENCE_NUMBER':
        case 'AFTER_SEQUENCE_NUMBER': {
          const at = positionOf(input.SequenceNumber);
          if (at < stream.trimmed) {
            throw new AwsError(
              'TrimmedDataAccessException',
              'The requested sequence number is beyond the trim point',
            );
          }
          return {
            ShardIterator: encode(stream.arn, input.ShardIteratorType === 'AT_SEQUENCE_NUMBER' ? at : at + 1),
          };
        }
        default:
          throw new AwsError('ValidationException', `Unknown ShardIteratorType: ${input.ShardIteratorType}`);
      }
    },
    read(input) {
      const [arn, position] = JSON.parse(Buffer.from(input.ShardIterator, 'base64').toString()) as [
        string,
        number,
      ];
      const stream = byArn(arn);
      if (position < stream.trimmed) {
        throw new AwsError('TrimmedDataAccessException', 'The requested position is beyond the trim point');
      }
      const from = position - stream.trimmed;
      const found = stream.records.slice(from, from + Math.min(input.Limit ?? PAGE, PAGE));
      const next = position + found.length;
      const ended = !stream.enabled && next >= stream.trimmed + stream.records.length;
      return { Records: copyOf(found), ...(ended ? {} : { NextShardIterator: encode(arn, next) }) };
    },
  };
}
