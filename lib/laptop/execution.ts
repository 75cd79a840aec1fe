// How is one execution run on a laptop so that a person can follow it and never sits through a Wait?
import { runKey } from '../../lambdas/runtime/run-keys.ts';
import type { Screen } from './screen.ts';
import { statesOf, visitsOf, type HistoryEvent, type StateVisit } from './states.ts';
import { PROGRESS_EVERY_MS, watchStates, type Progress } from './watch.ts';
import { LAPTOP_STAGE, type World } from './world.ts';

/** What happens when the execution asks a person: time goes on as it is, a day passes at once, or it is stopped. */
export type WhenAsked = 'wait' | 'expire' | 'stop';

export interface ExecutionRequest {
  /** Short name, `creative-generation`. */
  stateMachine: string;
  name: string;
  input: unknown;
  whenAsked: WhenAsked;
  /** Called once, when a person is needed. */
  onAsked?: (stateName: string) => Promise<void>;
  /** State → why its last attempt failed; filled by `rememberReasons`. */
  reasons?: ReadonlyMap<string, string>;
  signal?: AbortSignal;
}

export interface ExecutionResult {
  executionArn: string;
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  output: unknown;
  error: { name: string; cause: string } | null;
  states: StateVisit[];
  /** Somebody was asked and nobody answered: name of the state. */
  unanswered: string | null;
}

const TICK_MS = 40;
/** Nothing waits longer than a review, with room to spare. */
const LONGEST_SKIP_MS = 7 * 86_400_000;

/** `impresario-dev-<name>`; a full name or ARN is taken as it is. */
export function stateMachineArn(name: string): string {
  if (name.startsWith('arn:')) return name;
  const prefix = `impresario-${LAPTOP_STAGE}-`;
  return `arn:aws:states:us-east-1:000000000000:stateMachine:${name.startsWith(prefix) ? name : prefix + name}`;
}

/** Short names of the state machines that are deployed, in alphabetical order. */
export async function stateMachineNames(world: World): Promise<string[]> {
  const { stateMachines } = (await world.cloud.call('states', 'ListStateMachines', {})) as {
    stateMachines: { name: string }[];
  };
  return stateMachines.map(({ name }) => name.replace(`impresario-${LAPTOP_STAGE}-`, '')).toSorted();
}

/**
 * Starts an execution and returns when it ended.
 * @throws the signal's reason when interrupted; the execution is stopped then.
 */
export async function runExecution(
  world: World,
  screen: Screen,
  request: ExecutionRequest,
): Promise<ExecutionResult> {
  const { cloud } = world;
  const arn = stateMachineArn(request.stateMachine);
  const { definition } = (await cloud.call('states', 'DescribeStateMachine', { stateMachineArn: arn })) as {
    definition: string;
  };
  const watch = watchStates(screen, statesOf(definition), request.reasons ?? new Map());
  // Before it starts: the first states are over before the answer is here.
  const executionArn = `${arn.replace(':stateMachine:', ':execution:')}:${request.name}`;
  const stopListening = cloud.onTransition((transition) => {
    if (transition.executionArn === executionArn) watch.hear(transition);
  });
  let unanswered: string | null = null;
  let progressAt = 0;
  try {
    await cloud.call('states', 'StartExecution', {
      stateMachineArn: arn,
      name: request.name,
      input: JSON.stringify(request.input),
    });
    for (;;) {
      const description = await describe(world, executionArn);
      if (description.status !== 'RUNNING') {
        return { ...(await resultOf(world, executionArn, description)), unanswered };
      }
      if (request.signal?.aborted === true) {
        await cloud.call('states', 'StopExecution', { executionArn, cause: 'Interrupted at the keyboard' });
        throw request.signal.reason;
      }
      const asking = cloud.clock.busy().length === 0 ? watch.asking() : undefined;
      if (asking !== undefined && unanswered === null) {
        unanswered = asking;
        await request.onAsked?.(asking);
        if (request.whenAsked === 'stop') {
          await cloud.call('states', 'StopExecution', {
            executionArn,
            error: 'NeedsAPerson',
            cause: `${asking} needs an answer from a person, and nobody is there to give it.`,
          });
          continue;
        }
      }
      if (asking === undefined || request.whenAsked === 'expire') {
        const skippedMs = await cloud.clock.skip(LONGEST_SKIP_MS);
        if (skippedMs > 1_000) watch.skipped(skippedMs);
      }
      if (Date.now() - progressAt > PROGRESS_EVERY_MS) {
        progressAt = Date.now();
        await watch.refresh(() => progressOf(world, request.input));
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  } finally {
    stopListening();
    watch.close();
  }
}

interface Description {
  status: ExecutionResult['status'] | 'RUNNING';
  output?: string;
  error?: string;
  cause?: string;
}

async function describe(world: World, executionArn: string): Promise<Description> {
  return (await world.cloud.call('states', 'DescribeExecution', { executionArn })) as Description;
}

async function resultOf(
  world: World,
  executionArn: string,
  { status, output, error, cause }: Description,
): Promise<Omit<ExecutionResult, 'unanswered'>> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = (await world.cloud.call('states', 'GetExecutionHistory', {
      executionArn,
      maxResults: 1000,
      includeExecutionData: false,
      ...(nextToken === undefined ? {} : { nextToken }),
    })) as { events: HistoryEvent[]; nextToken?: string };
    events.push(...page.events);
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return {
    executionArn,
    status: status as ExecutionResult['status'],
    output: output === undefined ? null : (JSON.parse(output) as unknown),
    error: error === undefined ? null : { name: error, cause: sentenceOf(cause ?? '') },
    states: visitsOf(events),
  };
}

/** Lambda wraps a message into JSON; a person wants the message. */
export function sentenceOf(cause: string): string {
  try {
    const parsed = JSON.parse(cause) as { errorMessage?: unknown } | null;
    return typeof parsed?.errorMessage === 'string' ? parsed.errorMessage : cause;
  } catch {
    // Not JSON: a sentence already.
    return cause;
  }
}

/** From the run's history row, which tasks write at most once a second. */
async function progressOf(world: World, input: unknown): Promise<Progress | undefined> {
  const { id, tenant } = (input as { run?: { id?: string; tenant?: string } } | null)?.run ?? {};
  if (id === undefined || tenant === undefined) return undefined;
  const row = await world.table('runs').get({ pk: runKey(tenant, id), sk: 'run' });
  if (row === undefined) return undefined;
  const { phase, phasePercent, message } = row as { phase?: string; phasePercent?: number; message?: string };
  return { phase: phase ?? '', percent: phasePercent ?? 0, message: message ?? '' };
}
