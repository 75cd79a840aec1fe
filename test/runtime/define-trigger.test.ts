// Does an entry take every message once if it can, and give back only those that failed?
import * as z from 'zod';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTrigger } from '../../lambdas/runtime/define-trigger.ts';
import type { Need } from '../../lambdas/runtime/need.ts';
import type { TriggerSource } from '../../lambdas/runtime/specs.ts';
import { tableNeed } from '../../lambdas/runtime/table.ts';
import { readWorkers } from '../../lambdas/runtime/workers.ts';
import { startDataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let output: OutputLines;
beforeEach(() => {
  output = captureOutput();
});
afterEach(() => output.stop());

function collector(source: TriggerSource, event: z.ZodType = z.object({ n: z.number() })) {
  const seen: unknown[] = [];
  const sink: Need<unknown[]> = { grants: [], env: {}, open: () => seen };
  const defined = defineTrigger({
    name: 'Collect',
    source,
    needs: { sink },
    event,
    async run(message, { sink: list }) {
      if ((message as { n?: number }).n === 13) throw new Error('unlucky');
      list.push(message);
    },
  });
  return { ...defined, seen };
}

const sqs = (messageId: string, body: unknown, group?: string) => ({
  messageId,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: group === undefined ? {} : { MessageGroupId: group },
});

describe('a queue trigger', () => {
  const queue = { kind: 'queue', queue: 'work' } as const;

  it('returns exactly the messages that failed', async () => {
    const { handler, seen } = collector(queue);
    const Records = [
      sqs('a', { n: 1 }),
      sqs('b', { n: 13 }),
      sqs('c', 'not json'),
      sqs('d', { n: 'x' }),
      sqs('e', { n: 2 }),
    ];
    expect(await handler({ Records }, {})).toEqual({
      batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'c' }, { itemIdentifier: 'd' }],
    });
    expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
    expect(output.metrics().map(({ dimensions }) => dimensions['status'])).toEqual([
      'succeeded',
      'failed',
      'failed',
      'failed',
      'succeeded',
    ]);
    expect(output.logs().map((line) => [line['messageId'], line['error']])).toEqual([
      ['b', 'Error'],
      ['c', 'InvalidInput'],
      ['d', 'InvalidInput'],
    ]);
  });

  it('lets nothing overtake a failed message of its FIFO group', async () => {
    const { handler, seen } = collector({ ...queue, fifo: true });
    const Records = [
      sqs('1', { n: 1 }, 'acme'),
      sqs('2', { n: 13 }, 'acme'),
      sqs('3', { n: 2 }, 'other'),
      sqs('4', { n: 3 }, 'acme'),
    ];
    expect(await handler({ Records }, {})).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }, { itemIdentifier: '4' }],
    });
    expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

describe('other sources', () => {
  it('a rule trigger gets the EventBridge event out of the queue', async () => {
    const event = z.object({ 'detail-type': z.string(), detail: z.object({ key: z.string() }) });
    const { handler, seen } = collector({ kind: 'rule', bus: 'default', pattern: {} }, event);
    const body = { 'detail-type': 'Object Created', detail: { key: 'acme/uploads/run-1' }, id: 'ignored' };
    expect(await handler({ Records: [sqs('a', body)] }, {})).toEqual({ batchItemFailures: [] });
    expect(seen).toEqual([{ 'detail-type': 'Object Created', detail: { key: 'acme/uploads/run-1' } }]);
  });

  it('a schedule trigger fails as a whole, and what succeeded is remembered for health', async () => {
    const plane = await startDataPlane();
    for (const [name, value] of Object.entries(plane.env)) vi.stubEnv(name, value);
    const rows = plane.open(tableNeed('runs', 'read'));
    const { handler, seen } = collector(
      { kind: 'schedule', expression: 'rate(5 minutes)' },
      z.object({ scheduledTime: z.iso.datetime(), n: z.number().optional() }),
    );
    await handler({ scheduledTime: '2026-03-01T00:00:00Z' }, {});
    expect(seen).toEqual([{ scheduledTime: '2026-03-01T00:00:00Z' }]);
    const { lastSuccess } = await readWorkers(rows);
    expect([...lastSuccess.keys()]).toEqual(['Collect']);
    await expect(handler({ scheduledTime: '2026-03-01T00:00:00Z', n: 13 }, {})).rejects.toThrow('unlucky');
    expect((await readWorkers(rows)).lastSuccess).toEqual(lastSuccess);
    vi.unstubAllEnvs();
    await plane.cloud.close();
  });

  it('a stream trigger reads plain images and stops at the first failure', async () => {
    const event = z.object({
      eventName: z.string(),
      newImage: z.record(z.string(), z.unknown()),
      expired: z.boolean(),
      n: z.number().optional(),
    });
    const { handler, seen } = collector(
      { kind: 'stream', table: 'changes' },
      event.transform((record) => ({ ...record, n: record.newImage['n'] })),
    );
    const record = (n: number) => ({
      eventName: 'INSERT',
      dynamodb: {
        SequenceNumber: `seq-${n}`,
        Keys: { pk: { S: 'a' } },
        NewImage: {
          n: { N: String(n) },
          deep: { M: { list: { L: [{ BOOL: true }, { NULL: true }] }, tags: { SS: ['x'] } } },
        },
      },
    });
    expect(await handler({ Records: [record(1), record(13), record(2)] }, {})).toEqual({
      batchItemFailures: [{ itemIdentifier: 'seq-13' }],
    });
    expect(seen).toMatchObject([
      { newImage: { n: 1, deep: { list: [true, null], tags: new Set(['x']) } }, expired: false },
    ]);
  });

  it('has the defaults that the stacks expect, and runs directly in tests', async () => {
    const { trigger, seen } = collector({ kind: 'queue', queue: 'work' });
    expect(trigger).toMatchObject({
      kind: 'trigger',
      timeoutSeconds: 30,
      batchSize: 10,
      maxReceives: 5,
      memoryMb: 256,
      architecture: 'arm64',
    });
    await trigger.run({ n: 5 }, { sink: seen });
    expect(seen).toEqual([{ n: 5 }]);
    await expect(trigger.run({ n: 'x' }, { sink: seen })).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'n',
    });
  });
});
