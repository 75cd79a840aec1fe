// How do changes of a table reach a function, in order?
import { AwsError, type Json } from '../types.ts';
import { sendTo } from './destination.ts';
import {
  invokeBatch,
  itemFailures,
  principalOf,
  type Mapping,
  type Poller,
  type PollerContext,
} from './mapping.ts';

const RETRY_START_MS = 1_000;
const RETRY_MAX_MS = 60_000;

interface Attempt {
  requestId: string;
  count: number;
}

/** Reads a stream's shard whenever it grew; a batch that fails holds up the ones behind it. */
export function createStreamPoller(context: PollerContext, mapping: Mapping): Poller {
  const { clock } = context;
  const caller = () => ({ principal: principalOf(context, mapping) });
  const stopping = new AbortController();
  let iterator: string | undefined;
  let shardId = '';
  let running = false;
  let wanted = false;
  let done: (() => void) | undefined;

  const api = (operation: string, input: Json): Promise<Json> =>
    context.call(caller(), 'dynamodb', operation, input);

  async function pause(ms: number): Promise<void> {
    const slept = clock.sleep(ms, stopping.signal);
    done?.();
    done = undefined;
    await slept;
    done = clock.work(`records of ${mapping.sourceArn}`);
  }

  async function open(): Promise<string> {
    const { StreamDescription } = await api('DescribeStream', { StreamArn: mapping.sourceArn });
    shardId = StreamDescription.Shards[0].ShardId;
    const { ShardIterator } = await api('GetShardIterator', {
      StreamArn: mapping.sourceArn,
      ShardId: shardId,
      ShardIteratorType: mapping.startingPosition,
    });
    return ShardIterator;
  }

  const ageMs = (record: Json): number =>
    clock.now() - Number(record.dynamodb.ApproximateCreationDateTime) * 1000;

  async function giveUp(records: Json[], attempt: Attempt, condition: string): Promise<void> {
    if (mapping.onFailureArn === undefined) return;
    const [first, last] = [records[0], records.at(-1)];
    const arrival = (record: Json) =>
      new Date(Number(record.dynamodb.ApproximateCreationDateTime) * 1000).toISOString();
    // The records themselves are not sent, only where they are.
    await sendTo(context, caller().principal, mapping.onFailureArn, {
      requestContext: {
        requestId: attempt.requestId,
        functionArn: `${context.record(mapping.functionName).arn}:$LATEST`,
        condition,
        approximateInvokeCount: attempt.count,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: new Date(clock.now()).toISOString(),
      DDBStreamBatchInfo: {
        shardId,
        startSequenceNumber: first.dynamodb.SequenceNumber,
        endSequenceNumber: last.dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: arrival(first),
        approximateArrivalOfLastRecord: arrival(last),
        batchSize: records.length,
        streamArn: mapping.sourceArn,
      },
    });
  }

  /** What is still to be done after one attempt. */
  async function attemptBatch(records: Json[], attempt: Attempt): Promise<Json[]> {
    try {
      const result = await invokeBatch(context, mapping, records);
      attempt.requestId = result.requestId;
      if ('functionError' in result) return records;
      if (!mapping.reportsItemFailures) return [];
      const numbers = records.map((record) => String(record.dynamodb.SequenceNumber));
      const failed = itemFailures(result.payload, new Set(numbers));
      if (failed === 'all') return records;
      // Everything from the first failure on is delivered again.
      return failed.size === 0 ? [] : records.slice(numbers.findIndex((number) => failed.has(number)));
    } catch (error) {
      if (error instanceof AwsError && error.code === 'TooManyRequestsException') return records;
      throw error;
    }
  }

  async function deliver(batch: Json[]): Promise<void> {
    const attempt: Attempt = { requestId: '', count: 0 };
    let records = batch;
    while (!stopping.signal.aborted) {
      const tooOld = records.findIndex((record) => ageMs(record) < mapping.maximumRecordAgeSeconds * 1000);
      if (tooOld !== 0) {
        const expired = tooOld < 0 ? records : records.slice(0, tooOld);
        await giveUp(expired, attempt, 'RecordAgeExceeded');
        records = records.slice(expired.length);
      }
      if (records.length === 0) return;
      attempt.count += 1;
      const left = await attemptBatch(records, attempt);
      if (left.length === 0) return;
      const fewer = left.length < records.length;
      records = left;
      const exhausted = mapping.maximumRetryAttempts >= 0 && attempt.count > mapping.maximumRetryAttempts;
      if (mapping.bisects && records.length > 1 && !fewer) {
        const middle = Math.ceil(records.length / 2);
        await deliver(records.slice(0, middle));
        await deliver(records.slice(middle));
        return;
      }
      if (exhausted) return giveUp(records, attempt, 'RetryAttemptsExhausted');
      await pause(Math.min(RETRY_START_MS * 2 ** (attempt.count - 1), RETRY_MAX_MS));
    }
  }

  async function read(): Promise<void> {
    iterator ??= await open();
    do {
      wanted = false;
      for (;;) {
        if (stopping.signal.aborted || !mapping.enabled) return;
        const page: Json = await api('GetRecords', { ShardIterator: iterator, Limit: mapping.batchSize });
        iterator = page.NextShardIterator;
        const records: Json[] = page.Records.map((record: Json) => ({
          ...record,
          eventSourceARN: mapping.sourceArn,
        })).filter((record: Json) => mapping.filters?.some((matches) => matches(record)) ?? true);
        if (records.length > 0) await deliver(records);
        if (page.Records.length === 0) break;
      }
    } while (wanted);
  }

  function wake() {
    wanted = true;
    if (running || stopping.signal.aborted || !mapping.enabled) return;
    running = true;
    done = clock.work(`records of ${mapping.sourceArn}`);
    read()
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        mapping.lastResult = `PROBLEM: ${error instanceof Error ? error.message : String(error)}`;
        console.error(`The event source ${mapping.sourceArn} of ${mapping.functionName} failed:`, error);
      })
      .finally(() => {
        running = false;
        done?.();
        done = undefined;
      });
  }

  return {
    wake,
    stop: () => stopping.abort(new Error('The mapping was deleted')),
  };
}
