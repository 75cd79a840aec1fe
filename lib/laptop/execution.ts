// How is one execution run on a laptop so that a person can follow it and never sits through a Wait?
import { runKey } from '../../lambdas/runtime/run-keys.ts';
import type { Transition } from '../local/states/engine.ts';
import { duration, type Screen, type Step } from './screen.ts';
import { statesOf, visitsOf, type HistoryEvent, type StateInfo, type StateVisit } from './states.ts';
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

/** How often the history row is read for the bars. */
const PROGRESS_EVERY_MS = 400;
const TICK_MS = 40;
const SLOW_STATE_MS = 2_000;
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

interface Progress {
  phase: string;
  percent: number;
  message: string;
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

interface Watch {
  hear(transition: Transition): void;
  /** The state that waits for somebody, if one does. */
  asking(): string | undefined;
  skipped(ms: number): void;
  refresh(read: () => Promise<Progress | undefined>): Promise<void>;
  close(): void;
}

interface Visit {
  at: number;
  realAt: number;
  slowTold: boolean;
}

/** Transitions carry a failure's name only; our functions log the sentence. Feed it every line that they write. */
export function rememberReasons(reasons: Map<string, string>): (functionName: string, line: string) => void {
  return (_functionName, line) => {
    if (!line.includes('"step failed"')) return;
    const { state, reason } = JSON.parse(line) as { state?: string; reason?: string };
    if (state !== undefined && reason !== undefined) reasons.set(state, reason);
  };
}

function watchStates(
  screen: Screen,
  states: ReadonlyMap<string, StateInfo>,
  reasons: ReadonlyMap<string, string>,
): Watch {
  const { paint } = screen;
  const open = new Map<string, Visit[]>();
  const maps = new Map<string, { step: Step; share: number; entered: number; left: number }>();
  let skippedMs = 0;
  const width = Math.max(...[...states.keys()].map((name) => name.length), 10);

  const infoOf = (name: string): StateInfo =>
    states.get(name) ?? { type: 'Task', comment: '', asksSomebody: false };
  const leave = (name: string): Visit | undefined => {
    const visits = open.get(name);
    const visit = visits?.shift();
    if (visits?.length === 0) open.delete(name);
    return visit;
  };
  const show = (mark: string, name: string, rest: string): void =>
    screen.line(`  ${mark} ${name.padEnd(width)}  ${rest}`);
  const why = (name: string, error = 'failed'): string => {
    const reason = reasons.get(name);
    return reason === undefined ? error : `${error}: ${reason}`;
  };
  const renderBar = (): { step: Step; share: number; entered: number; left: number } | undefined =>
    [...maps.values()].at(-1);

  return {
    hear({ stateName: name, type, status, error, at, attempt }) {
      if (name === undefined) return;
      const info = infoOf(name);
      if (type === 'entered') {
        open.set(name, [...(open.get(name) ?? []), { at, realAt: Date.now(), slowTold: false }]);
        if (info.type === 'Map' && maps.size === 0) {
          maps.set(name, { step: screen.step(name, '  '), share: 0, entered: 0, left: 0 });
        } else if (info.type === 'Task') {
          const bar = renderBar();
          if (bar !== undefined) bar.entered += 1;
        }
        return;
      }
      if (type === 'retried') {
        show(paint.warn('↻'), name, paint.warn(`${why(name, error)}; attempt ${attempt + 1} follows`));
        return;
      }
      const visit = leave(name);
      if (visit === undefined) return;
      const lasted = duration(at - visit.at);
      const tries = attempt > 1 ? paint.warn(`  (${attempt} attempts)`) : '';
      const map = maps.get(name);
      if (map !== undefined) {
        maps.delete(name);
        if (type === 'failed') map.step.fail(error ?? status);
        else map.step.done(info.comment);
        return;
      }
      const bar = renderBar();
      if (bar !== undefined && info.type === 'Task') bar.left += 1;
      if (type === 'failed') {
        show(
          paint.bad('✗'),
          name,
          `${paint.bad(why(name, error ?? status))}  ${lasted}${status === 'CAUGHT' ? '  → its Catch takes over' : ''}`,
        );
      } else if (info.type === 'Wait' && skippedMs > 0) {
        show(paint.good('✓'), name, `${info.comment}  ${paint.dim(`${lasted}, skipped`)}${tries}`);
        skippedMs = 0;
      } else {
        show(paint.good('✓'), name, `${info.comment}  ${paint.dim(lasted)}${tries}`);
      }
    },
    asking: () => [...open.keys()].find((name) => infoOf(name).asksSomebody),
    skipped(ms) {
      skippedMs += ms;
    },
    async refresh(read) {
      const [name, visits] = [...open].findLast(([key]) => infoOf(key).type === 'Task') ?? [];
      const visit = visits?.[0];
      if (name === undefined || visit === undefined) return screen.live(undefined);
      const lasted = Date.now() - visit.realAt;
      if (lasted < PROGRESS_EVERY_MS) return;
      const progress = await read();
      const bar = renderBar();
      if (bar !== undefined) {
        const current = progress?.phase === name ? progress.percent / 100 : 0;
        bar.share = Math.max(bar.share, Math.min(1, (bar.left + current) / Math.max(1, bar.entered)));
        bar.step.progress(bar.share, progress?.message);
        return;
      }
      const percent = progress?.phase === name && progress.percent > 0 ? `${progress.percent} %` : '';
      screen.live(`${name}  ${infoOf(name).comment}  ${percent} ${duration(lasted)}`);
      if (lasted > SLOW_STATE_MS && !visit.slowTold) {
        visit.slowTold = true;
        screen.note(`  … ${name}: ${infoOf(name).comment}`);
      }
    },
    close() {
      for (const { step } of maps.values()) step.fail('interrupted');
      maps.clear();
      screen.live(undefined);
    },
  };
}
