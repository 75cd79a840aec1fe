import { describe, expect, it } from 'vitest';
import { AwsError, type Json } from '../../../lib/local/types.ts';
import { csvRows } from '../../../lib/local/states/item-source.ts';
import { chain, createRig, task, type Rig } from './rig.ts';

const map = (more: Json, states: Json = { Work: task('work') }, childType = 'EXPRESS') => ({
  Type: 'Map',
  Label: 'each',
  ...more,
  ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: childType }, ...chain(states) },
});

function withBucket(rig: Rig, objects: Record<string, string>) {
  rig.services.set('s3', (operation, input) => {
    if (operation === 'PutObject') return void (objects[input.Key] = input.Body.toString());
    if (operation === 'ListObjectsV2') {
      const keys = Object.keys(objects).filter((key) => key.startsWith(input.Prefix));
      const from = Number(input.ContinuationToken ?? 0);
      return {
        Contents: keys
          .slice(from, from + 2)
          .map((Key) => ({ Key, Size: 1, ETag: '"e"', LastModified: 1_700_000_000 })),
        IsTruncated: from + 2 < keys.length,
        NextContinuationToken: String(from + 2),
      };
    }
    const body = objects[input.Key];
    if (body === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    return { Body: Buffer.from(body) };
  });
  return objects;
}

const reader = (config: Json, more: Json = {}) => ({
  ItemReader: {
    Resource: 'arn:aws:states:::s3:getObject',
    Arguments: { Bucket: 'b', Key: '{% $states.input.key %}' },
    ReaderConfig: config,
  },
  ...more,
});

describe('a Distributed Map', () => {
  it('reads CSV, JSON and JSON lines, selects and batches with a common input', async () => {
    const rig = createRig();
    withBucket(rig, {
      csv: 'id,name\n1,"a, ""b"""\n2,c\n3,d\n',
      json: '{"rows":[{"id":1},{"id":2}]}',
      jsonl: '{"id":1}\n\n{"id":2}\n',
    });
    rig.functions.set('work', (event) => event);
    const batched = reader(
      { InputType: 'CSV', CSVHeaderLocation: 'FIRST_ROW' },
      {
        ItemSelector: {
          row: '{% $states.context.Map.Item.Value %}',
          i: '{% $states.context.Map.Item.Index %}',
        },
        ItemBatcher: { MaxItemsPerBatch: 2, BatchInput: { run: '{% $states.input.run %}' } },
      },
    );
    const csv = await rig.run({ Each: map(batched) }, { key: 'csv', run: 'r' });
    expect(csv.output).toEqual([
      {
        BatchInput: { run: 'r' },
        Items: [
          { row: { id: '1', name: 'a, "b"' }, i: 0 },
          { row: { id: '2', name: 'c' }, i: 1 },
        ],
      },
      { BatchInput: { run: 'r' }, Items: [{ row: { id: '3', name: 'd' }, i: 2 }] },
    ]);
    const json = await rig.run(
      { Each: map(reader({ InputType: 'JSON', ItemsPointer: '/rows', MaxItems: 1 })) },
      { key: 'json' },
    );
    expect(json.output).toEqual([{ id: 1 }]);
    const jsonl = await rig.run({ Each: map(reader({ InputType: 'JSONL' })) }, { key: 'jsonl' });
    expect(jsonl.output).toEqual([{ id: 1 }, { id: 2 }]);
    const none = await rig.run({ Each: map(reader({ InputType: 'JSONL' })) }, { key: 'none' });
    expect(none).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
  });

  it('lists a prefix over all its pages', async () => {
    const rig = createRig();
    withBucket(rig, { 'in/1': '', 'in/2': '', 'in/3': '', other: '' });
    rig.functions.set('work', ({ Key }) => Key);
    const ItemReader = {
      Resource: 'arn:aws:states:::s3:listObjectsV2',
      Arguments: { Bucket: 'b', Prefix: 'in/' },
    };
    expect((await rig.run({ Each: map({ ItemReader }) })).output).toEqual(['in/1', 'in/2', 'in/3']);
  });

  it('keeps batches below 256 KiB', async () => {
    const rig = createRig();
    rig.functions.set('work', ({ Items }) => Items.length);
    const items = '{% $map([1..6], function($i) { $pad("", 50000, "x") }) %}';
    const result = await rig.run({ Each: map({ Items: items, ItemBatcher: { MaxItemsPerBatch: 100 } }) });
    expect(result.output).toEqual([5, 1]);
  });

  it('bears as much failure as it says and no more', async () => {
    const rig = createRig();
    rig.functions.set('work', (event) => {
      if (event.bad) throw new Error('bad');
      return event.n;
    });
    const items = [1, 2, 3, 4].map((n) => ({ n, bad: n === 2 }));
    const run = (more: Json) => rig.run({ Each: map({ Items: '{% $states.input %}', ...more }) }, items);
    expect((await run({ ToleratedFailurePercentage: 25 })).output).toEqual([1, 3, 4]);
    expect((await run({ ToleratedFailureCount: 1 })).output).toEqual([1, 3, 4]);
    for (const more of [{}, { ToleratedFailurePercentage: 24 }])
      expect(await run(more)).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
  });

  it('writes results and a manifest, and answers where they are', async () => {
    const rig = createRig();
    const objects = withBucket(rig, {});
    rig.functions.set('work', (event) => {
      if (event === 2) throw new Error('bad');
      return { n: event };
    });
    const result = await rig.run({
      Each: map({
        Items: [1, 2, 3],
        ToleratedFailureCount: 1,
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Arguments: { Bucket: 'b', Prefix: 'out' },
        },
      }),
    });
    const { Bucket, Key } = result.output.ResultWriterDetails;
    expect(Bucket).toBe('b');
    const { ResultFiles, MapRunArn } = JSON.parse(objects[Key]!);
    expect(MapRunArn).toBe(result.output.MapRunArn);
    const succeeded = JSON.parse(objects[ResultFiles.SUCCEEDED[0].Key]!);
    expect(succeeded.map((entry: Json) => [entry.Input, entry.Output])).toEqual([
      ['1', '{"n":1}'],
      ['3', '{"n":3}'],
    ]);
    expect(JSON.parse(objects[ResultFiles.FAILED[0].Key]!)[0]).toMatchObject({
      Status: 'FAILED',
      Error: 'Error',
    });
  });

  it('has children with their own executions, histories and context, and a described run', async () => {
    const rig = createRig();
    const look = {
      Look: { Type: 'Pass', Output: '{% {"id": $states.context.Execution.Id, "outer": $exists($outer)} %}' },
    };
    const result = await rig.run({
      Begin: { Type: 'Pass', Assign: { outer: 1 } },
      Each: map({ Items: [1, 2], MaxConcurrency: 1 }, look, 'STANDARD'),
    });
    expect(result.output[0].outer).toBe(false);
    const [{ mapRunArn }] = (await rig.api('ListMapRuns', { executionArn: result.executionArn })).mapRuns;
    const { executions } = await rig.api('ListExecutions', { mapRunArn });
    expect(executions.map(({ executionArn }: Json) => executionArn).toSorted()).toEqual(
      result.output.map(({ id }: Json) => id).toSorted(),
    );
    const history = await rig.history(result.output[0].id);
    expect(history.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
    expect(await rig.api('DescribeMapRun', { mapRunArn })).toMatchObject({
      status: 'SUCCEEDED',
      maxConcurrency: 1,
      itemCounts: { total: 2, succeeded: 2, failed: 0 },
    });
    const parent = (await rig.history(result.executionArn)).map(({ type }) => type);
    expect(parent).toEqual(
      expect.arrayContaining(['MapStateStarted', 'MapRunStarted', 'MapRunSucceeded', 'MapStateSucceeded']),
    );
  });

  it.each(['STANDARD', 'EXPRESS'])('is redriven where it failed, with %s children', async (childType) => {
    const rig = createRig();
    const seen: number[] = [];
    let broken = true;
    rig.functions.set('work', (event) => {
      seen.push(event);
      if (event === 2 && broken) throw new Error('bad');
      return event;
    });
    const failed = await rig.run({
      Each: map({ Items: [1, 2, 3], MaxConcurrency: 1 }, undefined, childType),
    });
    expect(failed.error).toBe('States.ExceedToleratedFailureThreshold');
    broken = false;
    await rig.api('RedriveExecution', { executionArn: failed.executionArn });
    await rig.clock.settle();
    const described = await rig.api('DescribeExecution', { executionArn: failed.executionArn });
    expect(described).toMatchObject({ status: 'SUCCEEDED', output: '[1,2,3]', redriveCount: 1 });
    expect(seen).toEqual([1, 2, 2, 3]);
    const [{ mapRunArn }] = (await rig.api('ListMapRuns', { executionArn: failed.executionArn })).mapRuns;
    const { executions } = await rig.api('ListExecutions', { mapRunArn });
    expect(executions.map(({ redriveCount }: Json) => redriveCount)).toEqual([0, 1, 0]);
    expect(await rig.api('DescribeMapRun', { mapRunArn })).toMatchObject({ redriveCount: 1 });
  });

  it('needs the permission to start its own machine, and stops its children when stopped', async () => {
    const rig = createRig();
    const nap = map({ Items: [1, 2] }, { Nap: { Type: 'Wait', Seconds: 99 } }, 'STANDARD');
    const stateMachineArn = await rig.machine({ Each: nap });
    const { executionArn } = await rig.api('StartExecution', { stateMachineArn });
    await rig.clock.advance(1000);
    await rig.api('StopExecution', { executionArn });
    const [{ mapRunArn }] = (await rig.api('ListMapRuns', { executionArn })).mapRuns;
    expect(await rig.api('DescribeMapRun', { mapRunArn })).toMatchObject({
      status: 'ABORTED',
      executionCounts: { aborted: 2 },
    });

    rig.services.set('states', () => {
      throw new AwsError('AccessDeniedException', 'not authorized', 403);
    });
    expect(await rig.run({ Each: map({ Items: [1] }) })).toMatchObject({
      error: 'StepFunctions.AccessDeniedException',
    });
    expect(rig.states.authorization('StartMapRun', { stateMachineArn })).toEqual([
      { action: 'states:StartExecution', resource: stateMachineArn },
    ]);
  });
});

describe('CSV', () => {
  it('follows RFC 4180', () => {
    expect(csvRows('a,"b\r\nc",""\r\n\r\n"d""e",f\n', ',')).toEqual([
      ['a', 'b\r\nc', ''],
      ['d"e', 'f'],
    ]);
    expect(csvRows('a|b', '|')).toEqual([['a', 'b']]);
  });
});
