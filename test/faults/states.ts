// Which Task states do the state machines have, and by which failure is each reached?
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', '..', 'statemachines');

/** A state of any type, Map iterations included. */
export interface AnyState {
  machine: string;
  name: string;
  type: string;
}

interface Retrier {
  ErrorEquals: string[];
  MaxAttempts: number;
}

interface State {
  Type: string;
  Resource?: string;
  Arguments?: { FunctionName?: string };
  Retry?: Retrier[];
  Catch?: { ErrorEquals: string[]; Next: string }[];
  ItemProcessor?: { States: Record<string, State> };
}

export interface TaskState {
  machine: string;
  name: string;
  /** Name of its Lambda function in the `dev` stage. */
  functionName: string;
  /** Is the error retried here? */
  retries(error: string): boolean;
  /** Tasks that hand over to it when they fail, in order of appearance. */
  reachedByFailureOf: string[];
}

/** Every Task of every state machine, Map iterations included, as the ASL files say. */
export function taskStates(): TaskState[] {
  return machines().flatMap(([machine, all]) =>
    all
      .filter(([, state]) => state.Type === 'Task')
      .map(([name, state]) => taskOf(machine, name, state, all)),
  );
}

/** Every state of every state machine, in order of appearance. */
export function everyState(): AnyState[] {
  return machines().flatMap(([machine, all]) =>
    all.map(([name, { Type: type }]) => ({ machine, name, type })),
  );
}

function machines(): [machine: string, states: [string, State][]][] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.asl.json'))
    .toSorted()
    .map((file) => {
      const definition = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as {
        States: Record<string, State>;
      };
      return [file.replace('.asl.json', ''), flatten(definition.States)];
    });
}

function flatten(states: Record<string, State>): [string, State][] {
  return Object.entries(states).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...flatten(state.ItemProcessor?.States ?? {}),
  ]);
}

function taskOf(machine: string, name: string, state: State, all: [string, State][]): TaskState {
  const placeholder =
    /^\$\{(\w+)\}$/.exec(state.Arguments?.FunctionName ?? state.Resource ?? '')?.[1] ?? name;
  const kebab = placeholder.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
  const errors = (state.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
  return {
    machine,
    name,
    functionName: `impresario-dev-${kebab}`,
    retries: (error) => errors.includes(error),
    reachedByFailureOf: all
      .filter(
        ([, other]) =>
          other.Type === 'Task' &&
          (other.Catch ?? []).some(
            ({ Next, ErrorEquals }) => ErrorEquals.includes('States.ALL') && leadsTo(Next, name, all),
          ),
      )
      .map(([other]) => other),
  };
}

/** The catcher's target itself, or the first Task of the Map that it is. */
function leadsTo(target: string, name: string, all: [string, State][]): boolean {
  if (target === name) return true;
  const [, found] = all.find(([other]) => other === target) ?? [];
  return found?.ItemProcessor !== undefined && Object.keys(found.ItemProcessor.States)[0] === name;
}
