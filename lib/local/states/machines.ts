// Which state machines exist, and how are they created, changed and described?
import { ACCOUNT, AwsError, REGION, type CloudClock, type Json } from '../types.ts';
import { compileScope } from './definition.ts';
import { uuid, type Expressions } from './expression.ts';
import { nextOf, pageOf } from './paging.ts';
import type { Execution, Machine } from './run.ts';
import { validateDefinition } from './validate.ts';

// What names must not hold, by the API reference; \p{Cc} are the control characters.
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** @throws AwsError InvalidName */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new AwsError('InvalidName', `Invalid Name: '${String(name)}'`);
}

export const machineArnOf = (name: string) => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;

/** @throws AwsError InvalidArn */
export function checkArn(arn: unknown, type: string): string {
  if (typeof arn === 'string' && new RegExp(`^arn:aws:states:[\\w-]+:\\d{12}:${type}:.+$`).test(arn))
    return arn;
  throw new AwsError('InvalidArn', `Invalid Arn: '${String(arn)}'`);
}

export interface Machines {
  /** @throws AwsError StateMachineDoesNotExist, InvalidArn */
  get(arn: unknown): Machine;
  create(input: Json): Json;
  update(input: Json): Json;
  describe(input: Json): Json;
  describeForExecution(execution: Execution): Json;
  list(input: Json): Json;
  remove(input: Json): Json;
  tags(input: Json): Json;
}

export function createMachines(clock: CloudClock, random: () => number, expressions: Expressions): Machines {
  const machines = new Map<string, Machine>();

  function get(arn: unknown): Machine {
    const machine = machines.get(checkArn(arn, 'stateMachine'));
    if (machine === undefined)
      throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${String(arn)}'`);
    return machine;
  }

  function compile(definition: unknown, type: Machine['type']): Machine['scope'] {
    if (typeof definition !== 'string')
      throw new AwsError('InvalidDefinition', 'Invalid State Machine Definition: it must be a JSON text');
    return compileScope(validateDefinition(definition, type, expressions), expressions);
  }

  function newMachine(input: Json, earlier?: Machine): Machine {
    const type = earlier?.type ?? input.type ?? 'STANDARD';
    const definition = input.definition ?? earlier?.definition;
    const roleArn = input.roleArn ?? earlier?.roleArn;
    if (typeof roleArn !== 'string' || !/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn))
      throw new AwsError('InvalidArn', `Invalid Role Arn: '${String(roleArn)}'`);
    if (type !== 'STANDARD' && type !== 'EXPRESS')
      throw new AwsError('ValidationException', `type must be STANDARD or EXPRESS, not '${String(type)}'`);
    const name = earlier?.name ?? checkName(input.name);
    return {
      arn: machineArnOf(name),
      name,
      type,
      definition,
      roleArn,
      createdMs: earlier?.createdMs ?? clock.now(),
      updatedMs: clock.now(),
      revision: uuid(random),
      scope:
        earlier !== undefined && definition === earlier.definition
          ? earlier.scope
          : compile(definition, type),
      tags: earlier?.tags ?? input.tags ?? [],
      caller: { principal: { kind: 'role', roleArn } },
    };
  }

  function describe(machine: Machine): Json {
    return {
      stateMachineArn: machine.arn,
      name: machine.name,
      definition: machine.definition,
      roleArn: machine.roleArn,
      type: machine.type,
      creationDate: machine.createdMs / 1000,
      revisionId: machine.revision,
      loggingConfiguration: { level: 'OFF', includeExecutionData: false },
      tracingConfiguration: { enabled: false },
    };
  }

  return {
    get,
    create(input) {
      const machine = newMachine(input);
      const known = machines.get(machine.arn);
      if (known === undefined) machines.set(machine.arn, machine);
      else if (
        known.definition !== machine.definition ||
        known.roleArn !== machine.roleArn ||
        known.type !== machine.type
      )
        throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${machine.arn}'`);
      return { stateMachineArn: machine.arn, creationDate: (known ?? machine).createdMs / 1000 };
    },
    update(input) {
      const earlier = get(input.stateMachineArn);
      if (input.definition === undefined && input.roleArn === undefined)
        throw new AwsError('MissingRequiredParameter', 'Either the definition or the role must be given');
      const machine = newMachine(input, earlier);
      machines.set(machine.arn, machine);
      return { updateDate: machine.updatedMs / 1000, revisionId: machine.revision };
    },
    describe: (input) => ({ ...describe(get(input.stateMachineArn)), status: 'ACTIVE' }),
    describeForExecution({ machine, mapRunArn }) {
      const { creationDate: _creationDate, type: _type, ...shared } = describe(machine);
      return {
        ...shared,
        updateDate: machine.updatedMs / 1000,
        ...(mapRunArn === undefined ? {} : { mapRunArn }),
      };
    },
    list(input) {
      const page = pageOf(input);
      const all = [...machines.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const stateMachines = all
        .slice(page.from, page.from + page.count)
        .map(({ arn, name, type, createdMs }) => ({
          stateMachineArn: arn,
          name,
          type,
          creationDate: createdMs / 1000,
        }));
      return { stateMachines, ...nextOf(page, all.length) };
    },
    remove(input) {
      machines.delete(checkArn(input.stateMachineArn, 'stateMachine'));
      return {};
    },
    tags(input) {
      const machine = machines.get(input.resourceArn);
      if (machine === undefined)
        throw new AwsError('ResourceNotFound', `Resource not found: '${String(input.resourceArn)}'`);
      return { tags: machine.tags };
    },
  };
}
