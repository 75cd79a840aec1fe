// How many executions of seven Task states, each with its own deployed function, does the embedded cloud run per second?
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createCloud, type Cloud } from '../../lib/local/cloud.ts';
import { plainTemplates } from '../../lib/local/deploy/assembly.ts';
import type { Json } from '../../lib/local/types.ts';

const STATES = 7;
const EXECUTIONS = 10_000;
const CONCURRENCY = 100;
const ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:bench';
/** Functions of the concurrency measurement wait on it, so that a thousand executions are open at once. */
const GATE = Symbol.for('bench.gate');

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

const steps = Array.from({ length: STATES }, (_, index) => `Step${index + 1}`);

function trust(service: string): Json {
  return {
    Statement: [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: `${service}.amazonaws.com` } },
    ],
  };
}

function definition(): Json {
  const states = steps.map((name, index) => [
    name,
    {
      Type: 'Task',
      Resource: `\${${name}}`,
      TimeoutSeconds: 60,
      Arguments: {
        run: '{% $run %}',
        execution: '{% $states.context.Execution.Id %}',
        state: '{% $states.context.State.Name %}',
        input: { order: '{% $states.input.order %}', step: index + 1 },
      },
      Assign: { last: '{% $states.result.input.step %}', run: '{% $states.result.run %}' },
      Output: { order: '{% $states.result.input.order %}', step: '{% $states.result.input.step %}' },
      ...(index === STATES - 1 ? { End: true } : { Next: steps[index + 1] }),
    },
  ]);
  const begin = {
    Type: 'Pass',
    Assign: { run: { id: '{% $states.context.Execution.Name %}', tenant: 'tenant-1', attempt: 1 } },
    Next: steps[0],
  };
  return {
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    States: Object.fromEntries([['Begin', begin], ...states]),
  };
}

function template(): Json {
  const functions = steps.map((name) => [
    name,
    {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: name,
        Code: { S3Bucket: 'assets', S3Key: 'code.zip' },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: 60,
        Role: { 'Fn::GetAtt': ['FunctionRole', 'Arn'] },
      },
    },
  ]);
  const invoke = {
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: steps.map((name) => ({ 'Fn::GetAtt': [name, 'Arn'] })),
  };
  return {
    Resources: {
      FunctionRole: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('lambda') } },
      ...Object.fromEntries(functions),
      MachineRole: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: trust('states'),
          Policies: [{ PolicyName: 'own', PolicyDocument: { Statement: [invoke] } }],
        },
      },
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          StateMachineName: 'bench',
          StateMachineType: 'STANDARD',
          RoleArn: { 'Fn::GetAtt': ['MachineRole', 'Arn'] },
          DefinitionString: JSON.stringify(definition()),
          DefinitionSubstitutions: Object.fromEntries(
            steps.map((name) => [name, { 'Fn::GetAtt': [name, 'Arn'] }]),
          ),
        },
      },
    },
  };
}

async function deployed(code: string): Promise<{ cloud: Cloud; close: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(directory, 'index.mjs'), code);
  const cloud = await createCloud({ time: 'real' });
  await cloud.deploy(plainTemplates({ bench: template() }, { 'code.zip': directory }));
  return {
    cloud,
    async close() {
      await cloud.close();
      rmSync(directory, { recursive: true });
    },
  };
}

async function runAll(cloud: Cloud, count: number, open: number): Promise<string> {
  const waiting = new Map<string, () => void>();
  const stop = cloud.onTransition(({ type, executionArn, status }) => {
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
      const { executionArn } = await cloud.call('states', 'StartExecution', { stateMachineArn: ARN, input });
      await new Promise<void>((resolve) => waiting.set(executionArn, resolve));
      last = executionArn;
    }
  }
  await Promise.all(Array.from({ length: open }, worker));
  stop();
  return last;
}

async function rssOfConcurrent(): Promise<number> {
  const gate = { entered: 0, opened: Promise.withResolvers<void>(), full: Promise.withResolvers<void>() };
  (globalThis as Record<symbol, unknown>)[GATE] = () => {
    gate.entered += 1;
    if (gate.entered === 1_000) gate.full.resolve();
    return gate.entered <= 1_000 ? gate.opened.promise : undefined;
  };
  const { cloud, close } = await deployed(
    `const gate = globalThis[Symbol.for('bench.gate')]; export const handler = async (e) => { await gate(); return e; };`,
  );
  const all = runAll(cloud, 1_000, 1_000);
  await gate.full.promise;
  const megabytes = process.memoryUsage().rss / 1_048_576;
  gate.opened.resolve();
  await all;
  await close();
  return Math.round(megabytes);
}

/** Runs the seven-task machine through permissions, faults and functions; each run has a fresh cloud. */
export async function benchExecutions({ executions = EXECUTIONS, runs = 5 } = {}): Promise<ExecutionsBench> {
  const concurrentRssMegabytes = await rssOfConcurrent();
  const rates: number[] = [];
  let eventsPerExecution = 0;
  for (let run = 0; run < runs; run += 1) {
    globalThis.gc?.();
    const { cloud, close } = await deployed('export const handler = async (e) => e;');
    await runAll(cloud, 200, CONCURRENCY);
    const startedAt = performance.now();
    const executionArn = await runAll(cloud, executions, CONCURRENCY);
    rates.push(executions / ((performance.now() - startedAt) / 1000));
    const { events } = await cloud.call('states', 'GetExecutionHistory', { executionArn });
    eventsPerExecution = events.length;
    await close();
  }
  const median = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
  return {
    executions,
    runs,
    executionsPerSecond: Math.round(median),
    eventsPerExecution,
    concurrentRssMegabytes,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(await benchExecutions({ runs: 3 }));
