// How does the product's own state machine order the tasks, where every step takes as long as the agenda says?
//
// Walks statemachines/change-execution.asl.json as it is: Task with Retry and Catch, Wait, Choice, Succeed, Fail. It knows the
// few JSONata forms that the file uses and refuses any other.
import { readFileSync } from 'node:fs';
import type { Agenda, Process } from './agenda.ts';
import type { Random } from './random.ts';

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  BackoffRate: number;
  MaxAttempts: number;
  MaxDelaySeconds: number;
}
interface State {
  Type: 'Task' | 'Wait' | 'Choice' | 'Succeed' | 'Fail';
  Arguments?: { input: Record<string, unknown> };
  TimeoutSeconds?: number;
  Retry?: Retrier[];
  Catch?: { ErrorEquals: string[]; Assign?: Record<string, unknown>; Next: string }[];
  Assign?: Record<string, unknown>;
  Seconds?: string;
  Choices?: { Condition: string; Next: string }[];
  Default?: string;
  Next?: string;
}
const FILE = new URL('../../../statemachines/change-execution.asl.json', import.meta.url);
const MACHINE = JSON.parse(readFileSync(FILE, 'utf8')) as {
  StartAt: string;
  TimeoutSeconds: number;
  States: Record<string, State>;
};

/** As Step Functions shows it; `Cause` is the message. */
export interface Failure {
  Error: string;
  Cause: string;
}
export type Answer = { output: unknown } | { failure: Failure };

export interface Execution {
  name: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  startedAt: number;
  stoppedAt?: number;
  /** States in the order in which they were entered. */
  visited: string[];
}

export interface Machine {
  start(name: string, input: unknown): void;
  find(name: string): Execution | undefined;
  running(): Execution[];
  /** Passes no catcher; an invocation under way goes on by itself. */
  stop(execution: Execution): void;
}

export interface MachineOptions {
  agenda: Agenda;
  random: Random;
  /** One invocation of the function; resolves also when it is killed. `timeoutMs`: the state's. */
  invoke(task: string, envelope: unknown, timeoutMs: number): Promise<Answer>;
}

type Variables = Record<string, unknown>;

function evaluated(template: unknown, variables: Variables): unknown {
  if (typeof template === 'object' && template !== null)
    return Object.fromEntries(
      Object.entries(template).map(([key, value]) => [key, evaluated(value, variables)]),
    );
  const expression = typeof template === 'string' ? /^\{% (.+) %\}$/.exec(template)?.[1] : undefined;
  if (expression === undefined) return template;
  const match = /^\$([\w.]+)(?: = '([\w-]+)')?$/.exec(expression);
  if (match === null) throw new Error(`The model does not know ${expression}.`);
  const [, path = '', word] = match;
  const value = path
    .split('.')
    .reduce<unknown>((found, part) => (found as Variables | null)?.[part], variables);
  return word === undefined ? value : value === word;
}

const matches = (names: readonly string[], error: string): boolean =>
  names.includes(error) || names.includes('States.ALL');

export function machineOf({ agenda: time, random, invoke }: MachineOptions): Machine {
  const executions = new Map<string, Execution>();

  async function walk(execution: Execution, input: unknown): Promise<void> {
    const process: Process = { name: execution.name, dead: false };
    const over = (): boolean => execution.status !== 'RUNNING';
    const end = (status: Execution['status']): void => {
      execution.status = status;
      execution.stoppedAt = time.now();
    };
    time.at(time.now() + MACHINE.TimeoutSeconds * 1_000, () => {
      if (!over()) end('TIMED_OUT');
    });
    const variables: Variables = { states: { input } };
    let name: string | undefined = MACHINE.StartAt;
    while (name !== undefined && !over()) {
      const state: State | undefined = MACHINE.States[name];
      if (state === undefined) throw new Error(`The machine has no state ${name}.`);
      execution.visited.push(name);
      if (state.Type === 'Succeed') return end('SUCCEEDED');
      if (state.Type === 'Fail') return end('FAILED');
      if (state.Type === 'Wait')
        await time.sleep(process, 1_000 * Number(evaluated(state.Seconds, variables)));
      if (state.Type === 'Choice') {
        name =
          state.Choices?.find(({ Condition }) => evaluated(Condition, variables) === true)?.Next ??
          state.Default;
        continue;
      }
      if (state.Type === 'Task') {
        const next = await task(name, state, variables, process, over);
        if (over()) return;
        if (next === undefined) return end('SUCCEEDED');
        name = next;
        continue;
      }
      name = state.Next;
    }
  }

  async function task(
    name: string,
    state: State,
    variables: Variables,
    process: Process,
    over: () => boolean,
  ): Promise<string | undefined> {
    const tried = new Map<Retrier, number>();
    for (;;) {
      const run = variables['run'] ?? (variables['states'] as { input: { run: unknown } }).input.run;
      const input = evaluated(state.Arguments?.input ?? {}, variables);
      const answer = await invoke(name, { run, state: name, input }, 1_000 * (state.TimeoutSeconds ?? 60));
      if (over()) return undefined;
      const scope = { ...variables, states: { ...(variables['states'] as object), ...results(answer) } };
      if ('output' in answer) {
        Object.assign(variables, evaluated(state.Assign ?? {}, scope));
        return state.Next;
      }
      const { Error: error } = answer.failure;
      const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, error));
      const tries = retrier === undefined ? 0 : (tried.get(retrier) ?? 0);
      if (retrier !== undefined && tries < retrier.MaxAttempts) {
        tried.set(retrier, tries + 1);
        const most = Math.min(
          retrier.MaxDelaySeconds,
          retrier.IntervalSeconds * retrier.BackoffRate ** tries,
        );
        await time.sleep(process, random.next() * most * 1_000);
        if (over()) return undefined;
        continue;
      }
      const catcher = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, error));
      if (catcher === undefined) return 'Failed';
      Object.assign(variables, evaluated(catcher.Assign ?? {}, scope));
      return catcher.Next;
    }
  }

  const results = (answer: Answer): Variables =>
    'output' in answer ? { result: answer.output } : { errorOutput: answer.failure };

  return {
    start(name, input) {
      if (executions.has(name)) return;
      const execution: Execution = { name, status: 'RUNNING', startedAt: time.now(), visited: [] };
      executions.set(name, execution);
      void walk(execution, input);
    },
    find: (name) => executions.get(name),
    running: () => [...executions.values()].filter(({ status }) => status === 'RUNNING'),
    stop(execution) {
      if (execution.status !== 'RUNNING') return;
      execution.status = 'ABORTED';
      execution.stoppedAt = time.now();
    },
  };
}
