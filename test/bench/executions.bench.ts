// How many executions of seven Task states does the embedded Step Functions run per second?
import { createClock } from '../../lib/local/clock.ts';
import { createStates } from '../../lib/local/states/engine.ts';
import type { CloudCall, Json } from '../../lib/local/types.ts';

const STATES = 7;
const EXECUTIONS = 10_000;
const CONCURRENCY = 100;
const ROLE = 'arn:aws:iam::000000000000:role/bench';

/** What `benchExecutions` measured. */
export interface ExecutionsBench {
  executions: number;
  runs: number;
  /** Median over the runs. */
  executionsPerSecond: number;
  eventsPerExecution: number;
  /** Resident megabytes with 1,000 executions open at once. */
  concurrentRssMegabytes: number;
}

function definition(): string {
  const names = Array.from({ length: STATES }, (_, i) => `Step${i + 1}`);
  const states = names.map((name, i) => [
    name,
    {
      Type: 'Task',
      Resource: `arn:aws:lambda:us-east-1:000000000000:function:step-${i + 1}`,
      TimeoutSeconds: 60,
      Arguments: {
        run: '{% $run %}',
        execution: '{% $states.context.Execution.Id %}',
        state: '{% $states.context.State.Name %}',
        input: { order: '{% $states.input.order %}', step: i + 1 },
      },
      Assign: { last: '{% $states.result.input.step %}', run: '{% $states.result.run %}' },
      Output: { order: '{% $states.result.input.order %}', step: '{% $states.result.input.step %}' },
      ...(i === STATES - 1 ? { End: true } : { Next: names[i + 1] }),
    },
  ]);
  const begin = {
    Type: 'Pass',
    Assign: { run: { id: '{% $states.context.Execution.Name %}', tenant: 'tenant-1', attempt: 1 } },
    Next: names[0],
  };
  return JSON.stringify({
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    States: Object.fromEntries([['Begin', begin], ...states]),
  });
}

async function prepare(handler: (event: Json) => Promise<Json>) {
  const functions = new Map(
    Array.from({ length: STATES }, (_, i) => [
      `arn:aws:lambda:us-east-1:000000000000:function:step-${i + 1}`,
      (event: Json) => handler(event),
    ]),
  );
  const call: CloudCall = async (_context, _service, _operation, input) => ({
    payload: await functions.get(input.FunctionName)!(input.payload),
  });
  const engine = createStates(
    { clock: createClock({ mode: 'real' }), call, random: Math.random },
    { statusChanges: false },
  );
  const api = (operation: string, input: Json) =>
    engine.call(operation, input, { principal: { kind: 'administrator' } });
  const { stateMachineArn } = await api('CreateStateMachine', {
    name: 'bench',
    roleArn: ROLE,
    definition: definition(),
  });
  return { engine, api, stateMachineArn };
}

type Bench = Awaited<ReturnType<typeof prepare>>;

async function runAll({ engine, api, stateMachineArn }: Bench, count: number, open: number): Promise<string> {
  const waiting = new Map<string, () => void>();
  const stop = engine.onTransition(({ type, executionArn, status }) => {
    if (type !== 'execution' || status === 'RUNNING') return;
    if (status !== 'SUCCEEDED') throw new Error(`${executionArn} ended ${status}`);
    waiting.get(executionArn)?.();
    waiting.delete(executionArn);
  });
  let next = 0;
  let last = '';
  const input = JSON.stringify({ order: { id: 'order-1', lines: [1, 2, 3] } });
  async function worker(): Promise<void> {
    while (next < count) {
      next += 1;
      const { executionArn } = await api('StartExecution', { stateMachineArn, input });
      await new Promise<void>((resolve) => waiting.set(executionArn, resolve));
      last = executionArn;
    }
  }
  await Promise.all(Array.from({ length: open }, worker));
  stop();
  return last;
}

async function rssOfConcurrent(): Promise<number> {
  let release: () => void = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  let allEntered: () => void = () => {};
  const everyone = new Promise<void>((resolve) => (allEntered = resolve));
  let entered = 0;
  const bench = await prepare(async (event) => {
    entered += 1;
    if (entered === 1_000) allEntered();
    if (entered <= 1_000) await gate;
    return event;
  });
  const all = runAll(bench, 1_000, 1_000);
  await everyone;
  const megabytes = process.memoryUsage().rss / 1_048_576;
  release();
  await all;
  return Math.round(megabytes);
}

/** Runs the seven-task machine; each run has a fresh engine. */
export async function benchExecutions({ executions = EXECUTIONS, runs = 5 } = {}): Promise<ExecutionsBench> {
  const concurrentRssMegabytes = await rssOfConcurrent();
  const rates: number[] = [];
  let eventsPerExecution = 0;
  for (let i = 0; i < runs; i += 1) {
    globalThis.gc?.();
    const bench = await prepare(async (event) => event);
    await runAll(bench, 200, CONCURRENCY);
    const startedAt = performance.now();
    const executionArn = await runAll(bench, executions, CONCURRENCY);
    rates.push(executions / ((performance.now() - startedAt) / 1000));
    const { events } = await bench.api('GetExecutionHistory', { executionArn });
    eventsPerExecution = events.length;
  }
  const median = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)]!;
  return {
    executions,
    runs,
    executionsPerSecond: Math.round(median),
    eventsPerExecution,
    concurrentRssMegabytes,
  };
}

if (import.meta.main) console.log(await benchExecutions());
