// What does an ASL file say about its tasks?

export interface AslState {
  name: string;
  Type: string;
  Resource?: string;
  Arguments?: Record<string, unknown>;
  TimeoutSeconds?: number | string;
  [field: string]: unknown;
}

interface AslMachine {
  States: Record<string, Record<string, unknown>>;
}

/** Every state, those inside Map and Parallel included. */
export function statesOf(definition: string): AslState[] {
  const walk = (machine: AslMachine): AslState[] =>
    Object.entries(machine.States).flatMap(([name, fields]) => {
      const state: AslState = { Type: '', ...fields, name };
      const inner = [state['ItemProcessor'], ...((state['Branches'] as unknown[] | undefined) ?? [])].filter(
        (nested): nested is AslMachine => nested !== undefined,
      );
      return [state, ...inner.flatMap(walk)];
    });
  return walk(JSON.parse(definition) as AslMachine);
}

/** The task a Task state invokes: `${X}` as Resource, or as FunctionName behind the lambda integration. */
export function taskTarget(state: AslState): string | undefined {
  if (state.Type !== 'Task') return undefined;
  const target = isTokenTask(state) ? state.Arguments?.['FunctionName'] : state.Resource;
  const name = typeof target === 'string' ? /^\$\{(\w+)\}$/.exec(target)?.[1] : undefined;
  if (name === undefined) {
    throw new Error(
      `State '${state.name}': its Resource is not a task of ours, and the stacks derive no rights for it.`,
    );
  }
  return name;
}

/** Does the state wait for somebody outside to answer? */
export function isTokenTask(state: AslState): boolean {
  return state.Resource === 'arn:aws:states:::lambda:invoke.waitForTaskToken';
}

/** Asking is short even where the answer takes a day. */
const ASKING_SECONDS = 30;
/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_MAX_SECONDS = 900;
/** An abandoned invocation must not write beside its retry, so the function ends first. */
const MARGIN_SECONDS = 2;

/** Seconds the function behind a state may run. @throws Error when the state has no numeric timeout. */
export function functionTimeoutSeconds(state: AslState): number {
  if (isTokenTask(state)) return ASKING_SECONDS;
  if (typeof state.TimeoutSeconds !== 'number' || state.TimeoutSeconds <= MARGIN_SECONDS) {
    throw new Error(`State '${state.name}': TimeoutSeconds must be a number above ${MARGIN_SECONDS}.`);
  }
  return Math.min(state.TimeoutSeconds - MARGIN_SECONDS, LAMBDA_MAX_SECONDS);
}
