// How does a plain function become the entry of a queue, a rule, a schedule or a stream?
import middy from '@middy/core';
import type * as z from 'zod';
import { systemClock, type Clock } from './clock.ts';
import type { LambdaHandler } from './define-task.ts';
import { surfaced } from './failure.ts';
import { openLog, silentLog, type Log } from './log.ts';
import { emitMetric } from './metrics.ts';
import type { Need, Needs, Opened } from './need.ts';
import { parseAs } from './parse.ts';
import type { TriggerSource, TriggerSpec } from './specs.ts';
import { readStreamRecord, type StreamRecord } from './stream-record.ts';
import { successNeed, type Success } from './workers.ts';

/** What every trigger gets beside its needs. */
export interface TriggerContext {
  clock: Clock;
  log: Log;
  /** Id of the message; the same delivery again has the same id. Empty for schedules. */
  messageId: string;
}

export interface TriggerDefinition<E extends z.ZodType, N extends Needs> {
  /** Verb-noun: `StartFromUpload`. */
  name: string;
  source: TriggerSource;
  needs: N;
  /** 30 by default. */
  timeoutSeconds?: number;
  /** Messages per invocation; 10 by default. */
  batchSize?: number;
  /** 5 by default. */
  maxReceives?: number;
  memoryMb?: number;
  /** Shape of one message: for rules the EventBridge event, for queues the body, for schedules `{ scheduledTime }`, for streams StreamRecord. */
  event: E;
  /** Called per message; may be called again for the same one. Throwing returns only that message. */
  run(event: z.output<E>, context: Opened<N> & TriggerContext): Promise<void>;
}

export interface Trigger<E extends z.ZodType, N extends Needs> extends TriggerSpec {
  /** One message without Lambda: parses and runs. */
  run(event: z.input<E>, opened: Opened<N> & Partial<TriggerContext>): Promise<void>;
}

interface SqsRecord {
  messageId: string;
  body: string;
  attributes?: { MessageGroupId?: string };
}

interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

export function defineTrigger<const E extends z.ZodType, const N extends Needs>(
  definition: TriggerDefinition<E, N>,
): { handler: LambdaHandler; trigger: Trigger<E, N> } {
  const { name, source } = definition;
  // Health tells when each scheduled worker last succeeded.
  const own: Record<string, Need<Success>> = source.kind === 'schedule' ? { success: successNeed } : {};
  const declared: Record<string, Need<unknown>> = { ...definition.needs, ...own };
  let needs: Record<string, unknown> | undefined;

  async function execute(event: unknown, opened: Record<string, unknown>): Promise<void> {
    const parsed = parseAs(definition.event, event, `The event of ${name}`);
    const context = { clock: systemClock, log: silentLog, messageId: '', ...opened };
    await definition.run(parsed, context as unknown as Parameters<typeof definition.run>[1]);
  }

  /** One message of the handler: opened needs, log, metrics. */
  async function handle(event: unknown, messageId: string): Promise<void> {
    const log = openLog(process.env, { function: name, ...correlationOf(event) });
    try {
      needs ??= Object.fromEntries(
        Object.entries(declared).map(([key, need]) => [key, need.open(process.env, { clock: systemClock })]),
      );
      await execute(event, { ...needs, clock: systemClock, log, messageId });
      await (needs['success'] as Success | undefined)?.record(name, systemClock.now());
      emitMetric('activity_executions_total', 1, { activity: name, status: 'succeeded' });
    } catch (error) {
      const failure = surfaced(error);
      log.error('trigger failed', { messageId, error: failure.name, reason: failure.message });
      emitMetric('activity_executions_total', 1, { activity: name, status: 'failed' });
      throw failure;
    }
  }

  async function batch(records: readonly SqsRecord[]): Promise<BatchAnswer> {
    const failed: string[] = [];
    const stopped = new Set<string>();
    for (const record of records) {
      const group = record.attributes?.MessageGroupId;
      // Behind a failed message of a FIFO group nothing may overtake it.
      if (group !== undefined && stopped.has(group)) {
        failed.push(record.messageId);
        continue;
      }
      try {
        await handle(jsonOf(record.body), record.messageId);
      } catch {
        // Logged and counted in `handle`; the queue delivers it again and in the end to its dead letters.
        failed.push(record.messageId);
        if (group !== undefined) stopped.add(group);
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  }

  async function stream(records: readonly StreamRecord[]): Promise<BatchAnswer> {
    for (const record of records) {
      try {
        await handle(record, record.sequenceNumber);
      } catch {
        // Logged and counted in `handle`; the stream goes on from here.
        return { batchItemFailures: [{ itemIdentifier: record.sequenceNumber }] };
      }
    }
    return { batchItemFailures: [] };
  }

  const handler = middy(
    async (event: unknown): Promise<unknown> => {
      const records = (event as { Records?: unknown[] }).Records ?? [];
      if (source.kind === 'schedule') return handle(event, '');
      if (source.kind === 'stream') return stream(records.map(readStreamRecord));
      return batch(records as SqsRecord[]);
    },
    { timeoutEarlyInMillis: 0 },
  );

  const trigger: Trigger<E, N> = {
    kind: 'trigger',
    name,
    source,
    needs: declared,
    timeoutSeconds: definition.timeoutSeconds ?? 30,
    batchSize: definition.batchSize ?? 10,
    maxReceives: definition.maxReceives ?? 5,
    memoryMb: definition.memoryMb ?? 256,
    ephemeralStorageMb: 512,
    architecture: 'arm64',
    run: (event, opened) => execute(event, opened),
  };
  return { handler: handler as unknown as LambdaHandler, trigger };
}

// A body that is not JSON reaches the schema as text, and so the log as InvalidInput.
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

function correlationOf(event: unknown): { correlationId?: string } {
  const { correlationId, detail } = (event ?? {}) as {
    correlationId?: unknown;
    detail?: { correlationId?: unknown };
  };
  const id = correlationId ?? detail?.correlationId;
  return typeof id === 'string' ? { correlationId: id } : {};
}
