// How does a test run one task against real tables, buckets, queues and the sandbox?
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type * as z from 'zod';
import { bucketNeed, type Bucket } from '../../lambdas/runtime/bucket.ts';
import type { Task, TaskContext, TaskDoubles } from '../../lambdas/runtime/define-task.ts';
import { openEffects, openIntents, type Effects, type Intent } from '../../lambdas/runtime/intents.ts';
import type { Needs } from '../../lambdas/runtime/need.ts';
import { newRunId } from '../../lambdas/runtime/run-id.ts';
import { runsNeed } from '../../lambdas/runtime/runs-need.ts';
import type { Run } from '../../lambdas/runtime/runs.ts';
import { Settings } from '../../lambdas/runtime/settings.ts';
import { tableNeed, type Table } from '../../lambdas/runtime/table.ts';
import type { TableName } from '../../lambdas/runtime/tables.ts';
import type { Cloud } from '../../lib/local/cloud.ts';
import { driveSecret } from '../../lib/sandbox/drive/drive.ts';
import { DEFAULT_ACCOUNT } from '../../lib/sandbox/meta/accounts.ts';
import { DEFAULT_API_KEY } from '../../lib/sandbox/openai/openai.ts';
import { startSandbox, type Sandbox } from '../../lib/sandbox/sandbox.ts';
import { connected, vendors } from './connections.ts';
import { drain, hear, HEARD, said, type Said } from './heard.ts';
import { startDataPlane, type DataPlane } from '../runtime/data-plane.ts';
import { captureOutput, type OutputLines } from '../runtime/output-lines.ts';

type Names = readonly string[];

export interface JobOptions {
  /** A tenant that already had a run; a new one when absent. */
  tenant?: string;
  settings?: z.input<typeof Settings>;
  /** Variables of the stage that differ: `MODEL_PROVIDER`, `VISION_PROVIDER`, … */
  env?: Readonly<Record<string, string>>;
}

/** One run of a tenant, connected to the sandbox, its row open. */
export interface Job {
  readonly tenant: string;
  readonly runId: string;
  /** Runs the task as its state would; `context` replaces a need, clock, progress and the like. */
  run<I extends z.ZodType, O extends z.ZodType, N extends Needs, E extends Names, U extends Names>(
    task: Task<I, O, N, E, U>,
    input: z.input<I>,
    context?: Partial<TaskContext> & Record<string, unknown>,
  ): Promise<z.output<O>>;
  /** For what a run did besides the task under test. */
  effects: Effects;
  /** Begun or applied and not undone. */
  intents(): Promise<Intent[]>;
  row(): Promise<Run | undefined>;
}

export interface TaskRig {
  cloud: Cloud;
  sandbox: Sandbox;
  media: Bucket;
  clock: DataPlane['clock'];
  table(name: TableName): Table;
  job(options?: JobOptions): Promise<Job>;
  /** What was said on the bus since this was last asked, without the envelope. */
  said(): Promise<Said[]>;
  /** Dead letters of the area since this was last asked. */
  deadLetters(): Promise<Record<string, unknown>[]>;
  /** Writes a file that lives as long as the suite. */
  file(name: string, content?: Uint8Array | string): Promise<string>;
  /** Metrics that the test's tasks emitted. */
  metrics: OutputLines['metrics'];
  /** Everything in the sandbox's ad account, as text. */
  account(): string;
}

const DAY_MS = 86_400_000;

/** One data plane and sandbox per test file; after each test faults and switches are off and the ad account is empty. */
export function useTaskRig(): TaskRig {
  let plane: DataPlane;
  let output: OutputLines;
  let folder = '';
  let jobs = 0;
  const rig = {
    table: (name) => plane.open(tableNeed(name, 'transact')),
    account: () => rig.sandbox.meta.snapshot(DEFAULT_ACCOUNT.id),
    metrics: () => output.metrics(),
    deadLetters: () => drain(plane, 'creative-dead-letters'),
    said: () => said(plane),
    async file(name, content) {
      const path = join(folder, name);
      if (content !== undefined) await writeFile(path, content);
      return path;
    },
    async job(options = {}) {
      jobs += 1;
      // Circuits of an earlier test have closed again.
      plane.clock.advance(DAY_MS);
      return openJob(plane, rig.sandbox, options.tenant ?? `tenant-${jobs}`, options);
    },
  } as TaskRig;

  beforeAll(async () => {
    output = captureOutput();
    folder = await mkdtemp(join(tmpdir(), 'task-'));
    plane = await startDataPlane({ queues: ['creative-dead-letters', HEARD] });
    await hear(plane);
    rig.cloud = plane.cloud;
    rig.clock = plane.clock;
    rig.media = plane.open(bucketNeed([]));
    rig.sandbox = await startSandbox({
      now: plane.clock.now,
      random: () => 0.5,
      putObject: async (_bucket, key, body) => void (await rig.media.put(key, body)),
    });
  });
  afterEach(() => {
    plane.cloud.faults.clear();
    rig.sandbox.reset();
    output.clear();
  });
  afterAll(async () => {
    output.stop();
    await rig.sandbox.close();
    await plane.cloud.close();
    await rm(folder, { recursive: true });
  });
  return rig;
}

async function openJob(
  plane: DataPlane,
  sandbox: Sandbox,
  tenant: string,
  options: JobOptions,
): Promise<Job> {
  const { clock, cloud } = plane;
  const runId = newRunId(clock.now(), () => 0.25);
  const env = { ...plane.env, ...vendors(sandbox), ...options.env };
  const secrets = {
    [`tenants/${tenant}/meta`]: { accessToken: DEFAULT_ACCOUNT.tokens[0] },
    [`tenants/${tenant}/drive`]: driveSecret(sandbox.url),
    'platform/model': { apiKey: DEFAULT_API_KEY },
  };
  for (const [name, value] of Object.entries(secrets)) {
    await cloud
      .call('secretsmanager', 'CreateSecret', {
        Name: `impresario/${name}`,
        SecretString: JSON.stringify(value),
      })
      .catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'ResourceExistsException')) throw error;
      });
  }
  await plane.open(tableNeed('settings', 'write')).put({
    Item: {
      pk: `${tenant}#settings`,
      sk: 'current',
      version: 1,
      settings: Settings.parse({ ...connected(tenant), ...options.settings }),
    },
  });
  const runs = plane.open(runsNeed('write'));
  await runs.open({
    tenant,
    runId,
    stateMachine: 'creative-generation',
    request: {},
    nowMs: clock.now(),
  });
  const history = plane.open(tableNeed('runs', 'write'));
  const owner = { tenant, id: runId };
  return {
    tenant,
    runId,
    effects: openEffects(history, owner, clock.now),
    intents: () => openIntents(history, owner),
    row: () => runs.get(tenant, runId),
    async run(task, input, context = {}) {
      const declared = [...task.effects, ...task.undoes];
      const opened = {
        ...Object.fromEntries(
          Object.entries(task.needs).map(([name, need]) => [name, need.open(env, { clock }) as unknown]),
        ),
        clock,
        effects: openEffects(history, owner, clock.now, declared, task.undoneBy),
        ...context,
      };
      return task.run(
        { run: { id: runId, tenant, attempt: 1 }, state: task.name, input },
        opened as unknown as TaskDoubles<never, never, never>,
      );
    },
  };
}
