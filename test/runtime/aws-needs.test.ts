// Do tables, bucket, queues, bus and their errors behave as repositories and tasks expect?
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { awsError } from '../../lambdas/runtime/aws-errors.ts';
import { bucketNeed, type Bucket } from '../../lambdas/runtime/bucket.ts';
import { busNeed } from '../../lambdas/runtime/bus.ts';
import { queueNeed } from '../../lambdas/runtime/queue.ts';
import { stateMachineNeed } from '../../lambdas/runtime/state-machine.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { sha256 } from '../../lambdas/runtime/canonical.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';

let plane: DataPlane;
let table: Table;
let bucket: Bucket;
let folder: string;
beforeAll(async () => {
  plane = await startDataPlane({ queues: ['work', 'chain.fifo'] });
  table = plane.open(tableNeed('creatives', 'transact'));
  bucket = plane.open(bucketNeed([{ prefix: 'sources/', access: 'read' }]));
  folder = await mkdtemp(join(tmpdir(), 'impresario-'));
});
afterEach(() => plane.cloud.faults.clear());
afterAll(async () => {
  await rm(folder, { recursive: true });
  await plane.cloud.close();
});

describe('a put of what another is putting', () => {
  it('is tried again later, and is no conflict', async () => {
    plane.cloud.faults.add({
      service: 's3',
      operation: 'PutObject',
      when: 'before',
      effect: { kind: 'error', code: 'ConditionalRequestConflict', status: 409 },
    });
    await expect(bucket.put('acme/sources/busy', 'x', { ifAbsent: true })).rejects.toMatchObject({
      name: 'Unavailable',
    });
  });
});

describe('a table', () => {
  const key = { pk: 'acme#a', sk: 'x' };

  it('drops undefined, reads back, pages, and turns a failed condition into Conflict', async () => {
    await table.put({ Item: { ...key, n: 1, gone: undefined } });
    expect(await table.get(key)).toEqual({ ...key, n: 1 });
    expect(await table.get({ pk: 'acme#a', sk: 'absent' })).toBeUndefined();
    await expect(
      table.put({ Item: key, ConditionExpression: 'attribute_not_exists(pk)' }),
    ).rejects.toMatchObject({ name: 'Conflict', vendorCode: 'ConditionalCheckFailedException' });
    for (let i = 0; i < 5; i += 1) await table.put({ Item: { pk: 'acme#page', sk: `item-${i}` } });
    const page = await table.query({
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': 'acme#page' },
      Limit: 2,
    });
    expect([page.items.length, page.lastKey]).toEqual([2, { pk: 'acme#page', sk: 'item-1' }]);
    expect(
      await table.queryAll({
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': 'acme#page' },
        Limit: 2,
      }),
    ).toHaveLength(5);
  });

  it('writes all of a transaction or nothing', async () => {
    const put = (sk: string, condition = 'attribute_not_exists(pk)') => ({
      Put: { Item: { pk: 'acme#t', sk }, ConditionExpression: condition },
    });
    await table.transact([put('1'), put('2')]);
    await expect(table.transact([put('3'), put('1')])).rejects.toMatchObject({ name: 'Conflict' });
    expect(await table.get({ pk: 'acme#t', sk: '3' })).toBeUndefined();
  });

  it.each([
    [{ kind: 'throttle' } as const, 'RateLimited'],
    [{ kind: 'error', code: 'InternalServerError', status: 500 } as const, 'Unavailable'],
    [{ kind: 'lost-reply' } as const, 'Unavailable'],
    [{ kind: 'error', code: 'AccessDeniedException' } as const, 'AccessDeniedException'],
  ])('names %j as %s', async (effect, name) => {
    plane.cloud.faults.add({ service: 'dynamodb', operation: 'GetItem', when: 'after', effect });
    await expect(table.get(key)).rejects.toMatchObject({ name });
  });

  it('asks for exactly the actions of its access', () => {
    expect(tableNeed('changes', 'read').grants).toEqual([
      { actions: ['dynamodb:GetItem', 'dynamodb:Query'], on: { kind: 'table', name: 'changes' } },
    ]);
    expect(tableNeed('changes', ['UpdateItem']).grants[0]?.actions).toEqual(['dynamodb:UpdateItem']);
    expect(() => tableNeed('changes', 'read').open({}, { clock: plane.clock })).toThrow('TABLE_CHANGES');
  });
});

describe('errors of AWS calls', () => {
  const failure = (name: string, fields: object = {}) =>
    Object.assign(new Error('said AWS'), { name, ...fields });
  const reasons = (...codes: string[]) => ({ CancellationReasons: codes.map((Code) => ({ Code })) });

  it.each([
    [failure('TransactionCanceledException', reasons('None', 'ConditionalCheckFailed')), 'Conflict'],
    [
      failure('TransactionCanceledException', reasons('TransactionConflict', 'ConditionalCheckFailed')),
      'Conflict',
    ],
    [failure('TransactionCanceledException', reasons('TransactionConflict')), 'Unavailable'],
    [failure('TransactionCanceledException', reasons('ThrottlingError')), 'RateLimited'],
    [failure('TransactionConflictException'), 'Unavailable'],
    [failure('SlowDown', { $metadata: { httpStatusCode: 503 } }), 'RateLimited'],
    [failure('TimeoutError'), 'Unavailable'],
    [failure('Error', { code: 'ECONNRESET' }), 'Unavailable'],
    [failure('Whatever', { $metadata: { httpStatusCode: 502 } }), 'Unavailable'],
    [failure('Whatever', { $metadata: { httpStatusCode: 429 } }), 'RateLimited'],
    [
      Object.assign(failure('ValidationException'), {
        message: 'Item size has exceeded the maximum allowed size',
      }),
      'InvalidInput',
    ],
    [failure('ValidationException'), 'ValidationException'],
    [failure('ResourceNotFoundException'), 'ResourceNotFoundException'],
  ])('%s', (error, name) => {
    expect(awsError(error, 'call')).toMatchObject({ name });
  });
});

describe('the bucket', () => {
  it('keeps bytes and JSON, tells what is absent, and never replaces what must not be', async () => {
    expect(await bucket.get('acme/sources/none')).toBeUndefined();
    expect(await bucket.head('acme/sources/none')).toBeUndefined();
    expect(await bucket.put('acme/sources/a', Buffer.from([1, 2, 3, 4]), { contentType: 'video/mp4' })).toBe(
      true,
    );
    expect(await bucket.put('acme/sources/a', 'other', { ifAbsent: true })).toBe(false);
    expect(await bucket.get('acme/sources/a')).toEqual(Buffer.from([1, 2, 3, 4]));
    expect(await bucket.get('acme/sources/a', { from: 1, to: 2 })).toEqual(Buffer.from([2, 3]));
    expect(await bucket.head('acme/sources/a')).toMatchObject({ sizeBytes: 4, contentType: 'video/mp4' });
    await bucket.putJson('acme/analysis/x.json', { a: [1, 'ü'] });
    expect(await bucket.getJson('acme/analysis/x.json')).toEqual({ a: [1, 'ü'] });
    expect(await bucket.list('acme/sources/')).toEqual([{ key: 'acme/sources/a', sizeBytes: 4 }]);
    await bucket.delete('acme/sources/a');
    await bucket.delete('acme/sources/a');
    expect(await bucket.get('acme/sources/a')).toBeUndefined();
  });

  it('streams files both ways and says how far it is', async () => {
    const bytes = Buffer.alloc(3_000_000, 'impresario');
    await writeFile(join(folder, 'in'), bytes);
    const up: number[] = [];
    const down: number[] = [];
    expect(
      await bucket.upload(join(folder, 'in'), 'acme/sources/big', { progress: (done) => up.push(done) }),
    ).toBe(true);
    expect(
      await bucket.download('acme/sources/big', join(folder, 'out'), (done, total) =>
        down.push(done / total),
      ),
    ).toBe(true);
    expect(sha256(await readFile(join(folder, 'out')))).toBe(sha256(bytes));
    expect([up.at(-1), down.at(-1)]).toEqual([bytes.length, 1]);
    expect(await bucket.download('acme/sources/none', join(folder, 'none'))).toBe(false);
    await expect(bucket.upload(join(folder, 'missing'), 'acme/sources/y')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('signs an upload for one length, one type and one checksum', async () => {
    const body = Buffer.from('a video');
    const digest = Buffer.from(sha256(body), 'hex').toString('base64');
    const { url, headers } = await bucket.presignPut('acme/uploads/run-1', {
      sizeBytes: body.length,
      contentType: 'video/mp4',
      sha256: digest,
      expiresSeconds: 3_600,
    });
    const query = new URL(url).searchParams;
    expect(query.get('X-Amz-SignedHeaders')?.split(';')).toEqual([
      'content-length',
      'content-type',
      'host',
      'x-amz-checksum-sha256',
    ]);
    expect(query.get('X-Amz-Expires')).toBe('3600');
    expect(headers).toEqual({
      'content-length': '7',
      'content-type': 'video/mp4',
      'x-amz-checksum-sha256': digest,
    });
    expect((await fetch(url, { method: 'PUT', body, headers })).status).toBe(200);
    expect(await bucket.get('acme/uploads/run-1')).toEqual(body);
    const read = await fetch(await bucket.presignGet('acme/uploads/run-1', 60));
    expect(await read.text()).toBe('a video');
  });

  it('lets readers tell absent from forbidden, and names nothing else', () => {
    expect(
      bucketNeed([
        { prefix: 'sources/', access: 'read' },
        { prefix: 'renders/', access: 'write' },
      ]).grants,
    ).toEqual([
      { actions: ['s3:GetObject'], on: { kind: 'bucket', prefix: 'sources/' } },
      { actions: ['s3:ListBucket'], on: { kind: 'bucket', prefix: 'sources/' } },
      { actions: ['s3:PutObject'], on: { kind: 'bucket', prefix: 'renders/' } },
    ]);
  });
});

describe('queues and the bus', () => {
  it('send, receive, delete and count', async () => {
    const queue = plane.open(queueNeed('work', 'send', 'receive', 'depth'));
    await queue.send({ hello: 'ü' });
    expect(await queue.depth()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
    const [message] = await queue.receive();
    expect(message).toMatchObject({ body: '{"hello":"ü"}', receiveCount: 1 });
    await queue.delete(message?.receipt ?? '');
    expect(await queue.depth()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    await expect(queue.send('x'.repeat(1_048_576))).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('send one FIFO message per deduplication id', async () => {
    const queue = plane.open(queueNeed('chain.fifo', 'send', 'receive', 'depth'));
    for (let i = 0; i < 2; i += 1) await queue.send({ n: 1 }, { groupId: 'acme', deduplicationId: 'same' });
    expect(await queue.depth()).toMatchObject({ visible: 1 });
  });

  it('publish only what the catalogue knows, and notice entries that were not taken', async () => {
    const bus = plane.open(busNeed);
    const events = Array.from(
      { length: 12 },
      (_, i) =>
        ({
          name: 'creative-generation.started',
          detail: { tenant: 'acme', runId: `run-${i}`, attempt: 1 },
        }) as const,
    );
    const puts = plane.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      when: 'before',
      effect: { kind: 'error', code: 'InternalException', status: 500 },
    });
    await expect(bus.publish(events)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(puts.hits).toBeGreaterThan(0);
    plane.cloud.faults.clear();
    await bus.publish(events);
    const wrong = {
      name: 'creative-generation.started',
      detail: { tenant: 'acme', runId: 'run-1', attempt: 0 },
    } as const;
    await expect(bus.publish([wrong])).rejects.toMatchObject({ name: 'InvalidInput', path: 'attempt' });
  });
});

describe('a state machine', () => {
  it('starts by name once, is described, stopped, and tells a late decision from a timely one', async () => {
    const definition = {
      QueryLanguage: 'JSONata',
      StartAt: 'Rest',
      States: { Rest: { Type: 'Wait', Seconds: 3_600, End: true } },
    };
    const { stateMachineArn } = (await plane.cloud.call('states', 'CreateStateMachine', {
      name: 'impresario-dev-resting',
      roleArn: 'arn:aws:iam::000000000000:role/machine',
      definition: JSON.stringify(definition),
    })) as { stateMachineArn: string };
    const machine = stateMachineNeed('resting', 'start', 'stop', 'describe', 'token').open(
      { ...plane.env, STATE_MACHINE_RESTING: stateMachineArn },
      { clock: plane.clock },
    );
    expect(await machine.start('run-1', { a: 1 })).toMatchObject({ started: true });
    expect(await machine.start('run-1', { a: 2 })).toEqual({
      executionArn: expect.stringMatching(/:execution:impresario-dev-resting:run-1$/),
      started: false,
    });
    expect(await machine.describe('run-1')).toMatchObject({ status: 'RUNNING', input: { a: 1 } });
    expect(await machine.describe('run-2')).toBeUndefined();
    await machine.stop('run-1', 'Stopped', 'by a person');
    expect(await machine.describe('run-1')).toMatchObject({
      status: 'ABORTED',
      error: 'Stopped',
      cause: 'by a person',
    });
    await expect(machine.taskSucceeded('a'.repeat(40), {})).rejects.toMatchObject({ name: 'Conflict' });
  });
});
