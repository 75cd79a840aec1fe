// Is each attempt of a run announced once, also when its first step is remembered?
import * as z from 'zod';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { announceStartNeed } from '../../lambdas/runtime/announce-start.ts';
import { defineTask } from '../../lambdas/runtime/define-task.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { captureOutput, type OutputLines } from './output-lines.ts';

let plane: DataPlane;
let output: OutputLines;
const before = { ...process.env };
beforeAll(async () => {
  plane = await startDataPlane();
  Object.assign(process.env, plane.env);
});
afterAll(async () => {
  process.env = before;
  await plane.cloud.close();
});
beforeEach(() => (output = captureOutput()));
afterEach(() => {
  output.stop();
  plane.cloud.faults.clear();
});

let fetched = 0;
const fetchIt = defineTask({
  name: 'FetchIt',
  input: z.object({ fails: z.boolean().default(false) }),
  output: z.object({ fetched: z.number() }),
  needs: { announceStart: announceStartNeed },
  memoised: true,
  everyAttempt: ({ announceStart, run }) => announceStart('creative-generation', run),
  async run({ fails }) {
    if (fails) throw new Error('a bug');
    return { fetched: ++fetched };
  },
});
const attempt = (id: string, number: number, input: { fails?: boolean } = {}) =>
  fetchIt.handler(
    {
      run: { id, tenant: 'acme', attempt: number },
      execution: 'arn:aws:states:us-east-1:000000000000:execution:impresario-dev-creative-generation:run-1',
      state: 'FetchIt',
      input,
    },
    {},
  );
const announced = (id: string): unknown[] =>
  plane.cloud.events
    .sent('platform')
    .filter((event) => event['detail-type'] === 'creative-generation.started' && event.detail.runId === id)
    .map(({ detail }) => detail);

it('says every attempt, and repeats nothing of the work', async () => {
  const runId = newRunId(Date.now());
  const first = await attempt(runId, 1);
  expect(await attempt(runId, 2)).toEqual(first);
  expect(announced(runId)).toEqual([
    { tenant: 'acme', runId, attempt: 1 },
    { tenant: 'acme', runId, attempt: 2 },
  ]);
});

it('says an attempt once, however often its step is retried', async () => {
  const runId = newRunId(Date.now());
  await expect(attempt(runId, 1, { fails: true })).rejects.toThrow('a bug');
  await attempt(runId, 1);
  await attempt(runId, 1);
  expect(announced(runId)).toHaveLength(1);
});

it('fails the step when the bus takes nothing, and says it on the retry', async () => {
  const runId = newRunId(Date.now());
  const fault = plane.cloud.faults.add({
    service: 'events',
    operation: 'PutEvents',
    when: 'before',
    effect: { kind: 'error', code: 'ThrottlingException', status: 400 },
  });
  await expect(attempt(runId, 1)).rejects.toMatchObject({ name: 'RateLimited' });
  fault.remove();
  await attempt(runId, 1);
  expect(announced(runId)).toHaveLength(1);
});
