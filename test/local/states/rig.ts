// The smallest cloud around the Step Functions engine: plain functions as Lambda, recorded calls for other services.
import { createClock, type LocalClock } from '../../../lib/local/clock.ts';
import { createStates, type StatesEngine, type StatesOptions } from '../../../lib/local/states/engine.ts';
import { AwsError, type CallContext, type CloudCall, type Json } from '../../../lib/local/types.ts';

export const ROLE = 'arn:aws:iam::000000000000:role/machine';
export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
export const ADMIN: CallContext = { principal: { kind: 'administrator' } };

export type Handler = (event: Json, signal: AbortSignal) => unknown;
export type Service = (operation: string, input: Json, context: CallContext) => unknown;

export interface Rig {
  clock: LocalClock;
  states: StatesEngine;
  functions: Map<string, Handler>;
  services: Map<string, Service>;
  calls: { service: string; operation: string; input: Json; context: CallContext }[];
  api(operation: string, input?: Json): Promise<Json>;
  /** Creates a machine from states or a whole definition; gives its ARN. */
  machine(definition: Json, options?: { name?: string; type?: 'STANDARD' | 'EXPRESS' }): Promise<string>;
  /** Creates, starts, settles, describes. Input and output parsed. */
  run(definition: Json, input?: Json): Promise<Json>;
  history(executionArn: string): Promise<Json[]>;
}

export function createRig(options: StatesOptions & { mode?: 'virtual' | 'real' } = {}): Rig {
  const clock = createClock({ mode: options.mode ?? 'virtual', startAt: Date.parse('2026-03-01T00:00:00Z') });
  const functions = new Map<string, Handler>();
  const services = new Map<string, Service>();
  const calls: Rig['calls'] = [];
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;

  const call: CloudCall = async (context, service, operation, input) => {
    if (service === 'lambda' && operation === 'InvokeDirect') {
      const handler = functions.get(String(input.FunctionName).split(':').at(-1)!);
      if (handler === undefined) throw new AwsError('ResourceNotFoundException', 'Function not found', 404);
      try {
        return { payload: await handler(input.payload, input.signal) };
      } catch (error) {
        if (error instanceof AwsError) throw error;
        const { name, message } = error as Error;
        return { functionError: { errorType: name, errorMessage: message, trace: [] } };
      }
    }
    calls.push({ service, operation, input, context });
    const handler = services.get(service);
    if (handler !== undefined) return handler(operation, input, context);
    if (service === 'states') return states.call(operation, input, context);
    if (service === 'events') return { FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] };
    throw new AwsError('UnknownOperationException', `${service}:${operation}`);
  };
  const states = createStates({ clock, call, random }, { statusChanges: false, ...options });
  const api = (operation: string, input: Json = {}) => states.call(operation, input, ADMIN);
  let machines = 0;

  const rig: Rig = {
    clock,
    states,
    functions,
    services,
    calls,
    api,
    async machine(definition, { name = `m${(machines += 1)}`, type = 'STANDARD' } = {}) {
      const whole = definition.States === undefined ? chain(definition) : definition;
      const { stateMachineArn } = await api('CreateStateMachine', {
        name,
        type,
        roleArn: ROLE,
        definition: JSON.stringify({ QueryLanguage: 'JSONata', ...whole }),
      });
      return stateMachineArn;
    },
    async run(definition, input = {}) {
      const stateMachineArn = await rig.machine(definition);
      const { executionArn } = await api('StartExecution', { stateMachineArn, input: JSON.stringify(input) });
      await clock.settle();
      const described = await api('DescribeExecution', { executionArn });
      return { ...described, output: described.output && JSON.parse(described.output) };
    },
    async history(executionArn) {
      const { events } = await api('GetExecutionHistory', { executionArn, maxResults: 1000 });
      return events;
    },
  };
  return rig;
}

/** States in the order given; each goes to the next unless it says where. */
export function chain(states: Record<string, Json>): Json {
  const names = Object.keys(states);
  return {
    StartAt: names[0],
    States: Object.fromEntries(
      names.map((name, i) => {
        const state = states[name];
        const flows = !['Choice', 'Succeed', 'Fail'].includes(state.Type) && !state.Next && !state.End;
        const end = i === names.length - 1 ? { End: true } : { Next: names[i + 1] };
        return [name, flows ? { ...state, ...end } : state];
      }),
    ),
  };
}

export const task = (name: string, more: Json = {}) => ({
  Type: 'Task',
  Resource: functionArn(name),
  ...more,
});
