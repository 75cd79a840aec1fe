// Does a plain function, wrapped, behave as a state machine expects of every Task?
import * as z from 'zod';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bucketNeed } from '../../lambdas/runtime/bucket.ts';
import { defineTask } from '../../lambdas/runtime/define-task.ts';
import { Conflict, RateLimited, Refused, Unavailable } from '../../lambdas/runtime/errors.ts';
import { openEffects } from '../../lambdas/runtime/intents.ts';
import type { Need } from '../../lambdas/runtime/need.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import { listSteps } from '../../lambdas/runtime/steps.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let plane: DataPlane;
let table: Table;
let output: OutputLines;
const before = { ...process.env };

beforeAll(async () => {
  plane = await startDataPlane();
  table = plane.open(tableNeed('runs', 'write'));
  Object.assign(process.env, plane.env, {
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
  });
});
afterAll(async () => {
  process.env = before;
  await plane.cloud.close();
});
beforeEach(() => {
  output = captureOutput();
});
afterEach(() => {
  output.stop();
  plane.cloud.faults.clear();
});

const ARN = 'arn:aws:states:us-east-1:000000000000:execution:impresario-dev-creative-generation:run-1';
const envelope = (input: unknown, more: { run?: object; state?: string } = {}) => ({
  run: { id: newRunId(Date.now()), tenant: 'acme', attempt: 1, ...more.run },
  execution: ARN,
  state: more.state ?? 'DoubleIt',
  input,
});

let opens = 0;
const counting: Need<{ twice(n: number): number }> = {
  grants: [],
  env: {},
  open: () => {
    opens += 1;
    return { twice: (n) => n * 2 };
  },
};

const Input = z.object({ n: z.number().int(), blob: z.string().optional() });
const doubleIt = defineTask({
  name: 'DoubleIt',
  input: Input,
  output: z.object({ n: z.number(), blob: z.string().optional() }),
  needs: { counting },
  runPercent: [10, 30],
  async run({ n, blob }, { counting: { twice }, progress, log }) {
    progress(50, 'half way');
    log.info('doubling', { n });
    return { n: twice(n), ...(blob === undefined ? {} : { blob }) };
  },
});

function failing(error: unknown) {
  return defineTask({
    name: 'FailAlways',
    input: z.object({}),
    output: z.object({}),
    needs: {},
    run: () => Promise.reject(error),
  });
}

describe('a task as Lambda sees it', () => {
  it('opens its needs once, on the first call, not at import', async () => {
    expect(opens).toBe(0);
    expect(await doubleIt.handler(envelope({ n: 2 }), {})).toEqual({ n: 4 });
    expect(await doubleIt.handler(envelope({ n: 3 }), {})).toEqual({ n: 6 });
    expect(opens).toBe(1);
  });

  it('writes history, and metrics and logs with their dimensions and ids', async () => {
    const event = envelope({ n: 2 });
    await doubleIt.handler(event, { awsRequestId: 'request-1' });
    expect(await listSteps(table, 'acme', event.run.id)).toMatchObject([
      { state: 'DoubleIt', status: 'succeeded', tries: 1, attempt: 1 },
    ]);
    const row = await plane.open(runsNeed('read')).get('acme', event.run.id);
    expect(row).toMatchObject({
      stateMachine: 'creative-generation',
      phase: 'DoubleIt',
      percent: 30,
      message: 'half way',
    });
    const where = { workflow: 'creative-generation', state: 'DoubleIt' };
    expect(output.metrics()).toEqual([
      {
        name: 'activity_executions_total',
        value: 1,
        dimensions: { activity: 'DoubleIt', status: 'succeeded' },
      },
      { name: 'job_duration_seconds', value: expect.any(Number), dimensions: where },
    ]);
    for (const line of output.logs()) {
      expect(line).toMatchObject({
        ...where,
        runId: event.run.id,
        correlationId: event.run.id,
        traceId: '1-5759e988-bd862e3fe1be46a994272793',
      });
    }
    expect(output.logs().map((line) => line['message'])).toEqual([
      'step started',
      'doubling',
      'step succeeded',
    ]);
  });

  it('of a Map raises the run by its own share only', async () => {
    const item = defineTask({
      name: 'Item',
      input: z.object({ items: z.array(z.string()), of: z.number() }),
      output: z.object({}),
      needs: {},
      subject: ({ items }) => items.join('+'),
      runPercent: ({ items, of }) => [60, 60 + (30 * items.length) / of],
      run: () => Promise.resolve({}),
    });
    const event = envelope({ items: ['a', 'b'], of: 3 });
    await item.handler(event, {});
    const percent = async () => (await plane.open(runsNeed('read')).get('acme', event.run.id))?.percent;
    expect(await percent()).toBe(80);
    await item.handler({ ...event, input: { items: ['c'], of: 3 } }, {});
    expect(await percent()).toBe(80);
  });

  it('says which field is wrong, as InvalidInput, in a sentence', async () => {
    const event = envelope({ n: 'two' });
    await expect(doubleIt.handler(event, {})).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'n',
      message: expect.stringMatching(/^The input of DoubleIt is not valid: n: expected number/),
    });
    await expect(doubleIt.handler({ ...event, run: { id: 'x', tenant: 'acme' } }, {})).rejects.toMatchObject({
      name: 'InvalidInput',
      path: 'run.id',
    });
    await expect(doubleIt.handler({}, {})).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('run: is missing'),
    });
    expect(await listSteps(table, 'acme', event.run.id)).toMatchObject([
      { status: 'failed', error: { name: 'InvalidInput' } },
    ]);
  });

  it('checks its own output', async () => {
    const broken = defineTask({
      name: 'Broken',
      input: z.object({}),
      output: z.object({ n: z.number() }),
      needs: {},
      run: () => Promise.resolve({ n: Number.NaN }),
    });
    await expect(broken.handler(envelope({}), {})).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('The output of Broken'),
    });
  });

  it.each([
    new Refused('no'),
    new RateLimited('slow'),
    new Unavailable('later'),
    new Conflict('moved'),
    new TypeError('x is not a function'),
  ])('surfaces %s under its own name and counts the failure', async (error) => {
    const event = envelope({}, { state: 'FailAlways' });
    await expect(failing(error).handler(event, {})).rejects.toBe(error);
    expect(output.metrics().map(({ name, dimensions }) => [name, dimensions])).toEqual([
      ['activity_executions_total', { activity: 'FailAlways', status: 'failed' }],
      ['job_duration_seconds', { workflow: 'creative-generation', state: 'FailAlways' }],
      ['job_failures_total', { workflow: 'creative-generation', state: 'FailAlways' }],
    ]);
    expect(await listSteps(table, 'acme', event.run.id)).toMatchObject([
      { status: 'failed', error: { name: error.name, message: error.message } },
    ]);
  });

  it('bounds messages, mends broken text and wraps what is not an error', async () => {
    await expect(
      failing(new Refused(`\ud800${'x'.repeat(9_000)}`)).handler(envelope({}), {}),
    ).rejects.toSatisfy(
      (error: Error) =>
        error.name === 'Refused' && error.message.length === 4_000 && error.message.isWellFormed(),
    );
    await expect(failing('just text').handler(envelope({}), {})).rejects.toThrow('just text');
  });

  it('is Unavailable or RateLimited, before doing anything, when the history cannot be written', async () => {
    const already = opens;
    plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      when: 'before',
      effect: { kind: 'throttle' },
    });
    await expect(doubleIt.handler(envelope({ n: 1 }), {})).rejects.toMatchObject({ name: 'RateLimited' });
    plane.cloud.faults.clear();
    plane.cloud.faults.add({
      service: 'dynamodb',
      operation: 'UpdateItem',
      when: 'before',
      effect: { kind: 'error', code: 'InternalServerError', status: 500 },
    });
    await expect(doubleIt.handler(envelope({ n: 1 }), {})).rejects.toMatchObject({ name: 'Unavailable' });
    expect(opens).toBe(already);
  });
});

describe('large payloads', () => {
  it.each([262_144 - 40, 262_144, 262_145, 1_000_000])(
    'of %i bytes pass through on both sides as pointers',
    async (size) => {
      const event = envelope({ n: 1, blob: 'x'.repeat(size) });
      const first = (await doubleIt.handler(event, {})) as { n: number; blob: unknown };
      expect(first).toEqual({
        n: 2,
        blob: { $claim: expect.stringContaining(`acme/claims/${event.run.id}/`) },
      });
      const second = await doubleIt.handler({ ...event, input: first }, {});
      expect(second).toEqual({ n: 4, blob: first.blob });
      expect(Buffer.byteLength(JSON.stringify(second))).toBeLessThan(1_000);
    },
  );
});

describe('memoised tasks', () => {
  let calls = 0;
  const draft = defineTask({
    name: 'Draft',
    input: z.object({ topic: z.string() }),
    output: z.object({ text: z.string() }),
    needs: {},
    memoised: true,
    async run({ topic }) {
      calls += 1;
      return { text: `${topic} ${calls}` };
    },
  });

  it('answer a second attempt from the first, only for the same run, state and input', async () => {
    const event = envelope({ topic: 'shoes' }, { state: 'Draft' });
    expect(await draft.handler(event, {})).toEqual({ text: 'shoes 1' });
    expect(await draft.handler({ ...event, run: { ...event.run, attempt: 2 } }, {})).toEqual({
      text: 'shoes 1',
    });
    expect(
      output
        .metrics()
        .filter(({ name }) => name === 'activity_executions_total')
        .map(({ dimensions }) => dimensions['status']),
    ).toEqual(['succeeded', 'remembered']);
    expect(await listSteps(table, 'acme', event.run.id)).toMatchObject([
      { status: 'succeeded', remembered: true, tries: 2, attempt: 2 },
    ]);
    expect(await draft.handler({ ...event, input: { topic: 'hats' } }, {})).toEqual({ text: 'hats 2' });
    expect(await draft.handler(envelope({ topic: 'shoes' }, { state: 'Draft' }), {})).toEqual({
      text: 'shoes 3',
    });
  });

  it('run again when the remembered output no longer fits or its stored part is gone', async () => {
    const event = envelope({ topic: 'x'.repeat(300_000) }, { state: 'Draft' });
    await draft.handler(event, {});
    const bucket = plane.open(bucketNeed([]));
    for (const { key } of await bucket.list(`acme/claims/${event.run.id}/`)) await bucket.delete(key);
    const madeBefore = calls;
    await draft.handler(event, {});
    expect(calls).toBe(madeBefore + 1);
  });

  it('may not have effects', () => {
    const make = () =>
      defineTask({
        name: 'X',
        input: z.object({}),
        output: z.object({}),
        needs: {},
        memoised: true,
        effects: ['ad'],
        undoneBy: 'UndoAd',
        run: () => Promise.resolve({}),
      });
    expect(make).toThrow('X has effects');
  });
});

describe('what a task is given', () => {
  it('knows which try of the step it is, over retries and attempts', async () => {
    const count = defineTask({
      name: 'Count',
      input: z.object({}),
      output: z.object({ tries: z.number() }),
      needs: {},
      run: async (_input, { tries }) => ({ tries }),
    });
    const event = envelope({}, { state: 'Count' });
    expect(await count.handler(event, {})).toEqual({ tries: 1 });
    expect(await count.handler(event, {})).toEqual({ tries: 2 });
    const redriven = { ...event, run: { ...event.run, attempt: 2 } };
    expect(await count.handler(redriven, {})).toEqual({ tries: 3 });
  });

  it('draws the same random numbers on a retry, others for another subject', async () => {
    const draw = defineTask({
      name: 'Draw',
      input: z.object({ id: z.string() }),
      output: z.object({ n: z.number() }),
      needs: {},
      subject: ({ id }) => id,
      run: async (_input, { random }) => ({ n: random.next() }),
    });
    const event = envelope({ id: 'a' }, { state: 'Draw' });
    const first = await draw.handler(event, {});
    expect(await draw.handler(event, {})).toEqual(first);
    expect(await draw.handler({ ...event, input: { id: 'b' } }, {})).not.toEqual(first);
    expect(
      (await listSteps(table, 'acme', event.run.id)).map(({ subject, tries }) => [subject, tries]),
    ).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('has its effects, under the declared names, and their undo is counted', async () => {
    const create = defineTask({
      name: 'CreateAd',
      input: z.object({}),
      output: z.object({ status: z.string() }),
      needs: {},
      effects: ['ad'],
      undoneBy: 'UndoAd',
      async run(_input, { effects }) {
        const { status } = await effects.begin('ad', 'v-1', {});
        await effects.applied('ad', 'v-1', { id: '7' });
        return { status };
      },
    });
    const remove = defineTask({
      name: 'RemoveAds',
      input: z.object({}),
      output: z.object({ removed: z.number() }),
      needs: {},
      undoes: ['ad'],
      async run(_input, { effects }) {
        const open = await effects.open('ad');
        for (const { subject } of open) await effects.undone('ad', subject);
        return { removed: open.length };
      },
    });
    const event = envelope({});
    expect(await create.handler(event, {})).toEqual({ status: 'new' });
    expect(await create.handler(event, {})).toEqual({ status: 'applied' });
    expect(await remove.handler(event, {})).toEqual({ removed: 1 });
    expect(await remove.handler(event, {})).toEqual({ removed: 0 });
    expect(output.metrics().filter(({ name }) => name === 'saga_compensations_total')).toEqual([
      { name: 'saga_compensations_total', value: 1, dimensions: { reason: 'ad' } },
    ]);
    expect(create.task.effects).toEqual(['ad']);
    expect(remove.task.undoes).toEqual(['ad']);
  });

  it('can be run directly with what it needs, without Lambda or history', async () => {
    const event = envelope({ n: 21 });
    expect(await doubleIt.task.run(event, { counting: { twice: (n) => n + n } })).toEqual({ n: 42 });
    await expect(
      doubleIt.task.run(envelope({ n: 0.5 }), { counting: { twice: (n) => n } }),
    ).rejects.toMatchObject({ name: 'InvalidInput' });
    expect(await listSteps(table, 'acme', event.run.id)).toEqual([]);
    const direct = openEffects(table, event.run, Date.now);
    expect(await direct.open('ad')).toEqual([]);
  });
});

describe('what the stacks read', () => {
  it('shows every grant, the implicit ones too, and the defaults', () => {
    const layered: Need<null> = { grants: [], env: {}, layers: ['ffmpeg'], open: () => null };
    const { task } = defineTask({
      name: 'Render',
      input: z.object({}),
      output: z.object({}),
      needs: { layered },
      memoryMb: 3_008,
      run: () => Promise.resolve({}),
    });
    expect(task).toMatchObject({
      kind: 'task',
      architecture: 'x86_64',
      memoryMb: 3_008,
      ephemeralStorageMb: 512,
      memoised: false,
    });
    expect(doubleIt.task).toMatchObject({ architecture: 'arm64', memoryMb: 256 });
    const grants = Object.values(task.needs).flatMap((need) => need.grants);
    expect(grants).toEqual([
      {
        actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
        on: { kind: 'table', name: 'runs' },
      },
      { actions: ['s3:GetObject'], on: { kind: 'bucket', prefix: 'claims/' } },
      { actions: ['s3:ListBucket'], on: { kind: 'bucket', prefix: 'claims/' } },
      { actions: ['s3:PutObject'], on: { kind: 'bucket', prefix: 'claims/' } },
    ]);
  });

  it('shows what beginning effects takes only where one begins, and looking through them where one ends', () => {
    const actionsOf = (kind: object) => {
      const { task: made } = defineTask({
        name: 'X',
        input: z.object({}),
        output: z.object({}),
        needs: {},
        ...kind,
        run: () => Promise.resolve({}),
      });
      return made.needs['history']?.grants.flatMap(({ actions }) => actions).slice(2);
    };
    expect(actionsOf({})).toEqual([]);
    expect(actionsOf({ undoes: ['ad'] })).toEqual(['dynamodb:Query']);
    expect(actionsOf({ memoised: true })).toEqual(['dynamodb:GetItem']);
    expect(actionsOf({ effects: ['ad'], undoneBy: 'UndoAd' })).toEqual([
      'dynamodb:GetItem',
      'dynamodb:Query',
      'dynamodb:ConditionCheckItem',
    ]);
  });
});
