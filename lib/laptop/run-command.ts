// `run`: did one execution succeed?
import * as z from 'zod';
import { RunId, TenantId } from '../../lambdas/runtime/run-id.ts';
import { firstIssue, readJsonFile } from './brief.ts';
import { runExecution, stateMachineNames, type ExecutionResult } from './execution.ts';
import { closeLaptop, NO_FFMPEG, openLaptop, type ExitCode, type Surroundings } from './laptop.ts';
import { tellQuestion } from './review.ts';
import { duration } from './screen.ts';
import { mentions, registerMentioned } from './sample.ts';
import { announce } from './serving.ts';
import { DEMO_TENANT, type World } from './world.ts';

export interface RunOptions {
  stateMachine: string;
  inputPath: string;
  json: boolean;
  /** Keep waiting when a person is asked. */
  wait: boolean;
  awsPort?: number;
  apiPort?: number;
}

/** What every execution of ours is told; the rest is the state machine's own. */
const Input = z.looseObject({
  run: z.looseObject({ id: RunId, tenant: TenantId, attempt: z.number().int().positive() }),
});

/** The one line of `--json`. */
export type RunLine = Pick<ExecutionResult, 'output' | 'error' | 'states'> & {
  executionArn: string | null;
  status: ExecutionResult['status'] | 'NOT_STARTED';
};

export async function runCommand(context: Surroundings, options: RunOptions): Promise<ExitCode> {
  const screen = options.json ? context.err : context.out;
  const tell = (line: RunLine): void => {
    if (options.json) context.writeOut(`${JSON.stringify(line)}\n`);
  };
  try {
    const result = await execute(context, options);
    const { executionArn, status, output, error, states } = result;
    tell({ executionArn, status, output, error, states });
    screen.line();
    const total = states.reduce((sum, { attempts }) => sum + attempts - 1, 0);
    const retries = total === 0 ? '' : `, ${total} retried`;
    if (status === 'SUCCEEDED') {
      screen.line(`${screen.paint.good('SUCCEEDED')} ${executionArn} (${states.length} states${retries})`);
      if (!options.json) screen.line(JSON.stringify(output, null, 2));
      return 0;
    }
    screen.line(`${screen.paint.bad(status)} ${executionArn} (${states.length} states${retries})`);
    if (error !== null) screen.line(`${error.name}: ${error.cause}`);
    return 1;
  } catch (error) {
    if (context.signal.aborted) return 130;
    const cause = error instanceof Error ? error.message : String(error);
    tell({
      executionArn: null,
      status: 'NOT_STARTED',
      output: null,
      error: { name: 'NotStarted', cause },
      states: [],
    });
    context.err.line(cause);
    return 1;
  }
}

async function execute(context: Surroundings, options: RunOptions): Promise<ExecutionResult> {
  const { signal, cacheDir } = context;
  const screen = options.json ? context.err : context.out;
  const raw = readJsonFile(options.inputPath);
  const parsed = Input.safeParse(raw);
  if (!parsed.success) throw new Error(`${options.inputPath}: ${firstIssue(parsed.error)}`);
  const { run } = parsed.data;
  const { world, ffmpeg, reasons } = await openLaptop(
    { ...context, screen },
    {
      // The simulated services know the sample video only; of others labels and words are missing.
      perception: mentions(raw, 'video'),
      running: true,
      ...(options.awsPort === undefined ? {} : { awsPort: options.awsPort }),
      ...(options.apiPort === undefined ? {} : { apiPort: options.apiPort }),
    },
  );
  const withdraw = options.wait ? await announce(world, cacheDir) : undefined;
  try {
    await checkName(world, options.stateMachine);
    if (ffmpeg === null && (mentions(raw, 'video') || mentions(raw, 'silent'))) throw new Error(NO_FFMPEG);
    if (run.tenant !== DEMO_TENANT) await world.connect(run.tenant);
    await registerMentioned(world, raw, {
      cacheDir,
      ffmpegPath: ffmpeg?.path ?? '',
      signal,
    });
    const result = await runExecution(world, screen, {
      stateMachine: options.stateMachine,
      name: run.attempt > 1 ? `${run.id}-${run.attempt}` : run.id,
      input: raw,
      whenAsked: options.wait ? 'wait' : 'expire',
      reasons,
      signal,
      onAsked: (stateName) =>
        tellQuestion(world, screen, {
          tenant: run.tenant,
          runId: run.id,
          stateName,
          otherwise: options.wait
            ? 'Waiting for the answer …'
            : 'Nobody is there to answer (say --wait to be asked), so time passes at once and silence counts as a rejection.',
        }),
    });
    if (result.unanswered !== null && !options.wait)
      screen.line(
        `  ${result.unanswered}: ${duration(lengthOf(result, result.unanswered))} passed without an answer.`,
      );
    return result;
  } finally {
    await withdraw?.();
    await closeLaptop(world, signal);
  }
}

function lengthOf({ states }: ExecutionResult, name: string): number {
  return states.find((state) => state.name === name)?.durationMs ?? 0;
}

async function checkName(world: World, given: string): Promise<void> {
  const names = await stateMachineNames(world);
  if (given.startsWith('arn:') || names.some((name) => given === name || given.endsWith(`-${name}`))) return;
  throw new Error(`There is no state machine ${given}. There are: ${names.join(', ')}.`);
}
